using Tensorial.Data;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Analysis;

/// <summary>The output of a network that scores classes: a row of at least two numbers for each image.</summary>
/// <param name="Name">The output.</param>
/// <param name="AreProbabilities">Whether they are probabilities (after a softmax); otherwise they are logits.</param>
internal sealed record ScoreOutput(string Name, bool AreProbabilities)
{
    /// <summary>
    /// The output that scores classes: with labels the one of so many values; without, one of which the file says so, by a softmax at its end
    /// or by its name (logits, probabilities). A row of numbers alone may as well be coordinates or features. Null where there is none.
    /// </summary>
    /// <param name="graph">The network.</param>
    /// <param name="classes">How many classes the labels tell apart; null where there are no labels.</param>
    public static ScoreOutput? Find(Graph graph, int? classes)
    {
        (Port Port, int Scores)[] rows = [.. Rows(graph)];
        Port? found = classes is { } wanted
            ? rows.FirstOrDefault(row => row.Scores == wanted).Port ?? (rows is [{ } only] && only.Scores > wanted ? only.Port : null)
            : rows.FirstOrDefault(row => Scoring.GivesProbabilities(graph, row.Port.Name)).Port
                ?? rows.FirstOrDefault(row => IsNamedSo(row.Port.Name) || Scoring.LastOperation(graph, row.Port.Name) == "LogSoftmax").Port;
        return found is null ? null : From(graph, found.Name);
    }

    /// <summary>The output that labels are compared with: the one named, else the first.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="images">Images with labels.</param>
    /// <param name="output">The output; null for the first.</param>
    /// <exception cref="BadInputException">There is no such output, or it cannot score the classes; names those that can.</exception>
    public static ScoreOutput ForLabels(Graph graph, ImageSet images, string? output)
    {
        Port port = output is null
            ? graph.Outputs[0]
            : graph.Outputs.FirstOrDefault(candidate => candidate.Name == output)
                ?? throw new BadInputException(
                    $"The network has no output '{output}'; it has {string.Join(", ", graph.Outputs.Select(static p => p.Name))}."
                );
        (Port Port, int Scores)[] rows = [.. Rows(graph)];
        string[] exact = [.. rows.Where(row => row.Scores == images.Classes).Select(static row => row.Port.Name)];
        IReadOnlyDictionary<string, ValueInfo> known = ShapeInference.Explore(graph).Operands;
        int scores = rows.FirstOrDefault(row => row.Port == port).Scores;
        bool fits = scores == images.Classes || (scores > images.Classes && exact.Length == 0);
        // Where no shape is known the answers themselves will tell.
        if (fits || !known.TryGetValue(port.Name, out ValueInfo? operand))
            return From(graph, port.Name);
        throw new BadInputException(
            $"The output '{port.Name}' is {operand.Shape} for one image, and {images.Name} has labels of {images.Classes} classes: they cannot be compared. "
                + (
                    exact.Length > 0
                        ? $"Choose an output of {images.Classes} values: {string.Join(", ", exact)}."
                        : "Networks that do not classify are compared by tensorial verify."
                )
        );
    }

    private static bool IsNamedSo(string name) =>
        ((string[])["logit", "softmax", "prob"]).Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase));

    private static ScoreOutput From(Graph graph, string name) => new(name, Scoring.GivesProbabilities(graph, name));

    /// <summary>Outputs that are one row of numbers for each image, and how many numbers that is.</summary>
    private static IEnumerable<(Port Port, int Scores)> Rows(Graph graph)
    {
        IReadOnlyDictionary<string, ValueInfo> known = ShapeInference.Explore(graph).Operands;
        foreach (Port port in graph.Outputs)
            if (
                known.TryGetValue(port.Name, out ValueInfo? operand)
                && operand.Type is ElementType.Float32 or ElementType.Float64 or ElementType.Float16 or ElementType.BFloat16
                && ClassScores.Are(operand.Shape)
            )
                yield return (port, operand.Shape[1]);
    }
}
