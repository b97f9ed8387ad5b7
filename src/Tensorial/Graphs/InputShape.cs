using System.Collections.Immutable;
using System.Globalization;

namespace Tensorial.Graphs;

/// <summary>Extents of an input that a network leaves open, such as the height and width of a fully convolutional one.</summary>
/// <param name="Input">The input; empty for the only one.</param>
/// <param name="Extents">All of its extents, the batch included.</param>
internal sealed record InputShape(string Input, ImmutableArray<int> Extents)
{
    /// <summary>Reads <c>input=1x3x640x640</c>, or <c>1x3x640x640</c> for a network of one input.</summary>
    /// <exception cref="BadInputException">It is neither.</exception>
    public static InputShape Parse(string text)
    {
        // Names may hold an equals sign, shapes do not.
        int at = text.LastIndexOf('=');
        string[] parts = text[(at + 1)..].Split('x', 'X', '×');
        int[] extents =
        [
            .. parts.Select(static part =>
                int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int extent) ? extent : 0
            ),
        ];
        return extents.All(static extent => extent > 0) && at != 0
            ? new(at < 0 ? "" : text[..at], [.. extents])
            : throw new BadInputException($"'{text}' is no shape of an input: write NAME=1x3x640x640, whole numbers from 1 on.");
    }

    /// <summary>The network with these extents where it leaves them open.</summary>
    /// <exception cref="BadInputException">There is no such input, or it declares another extent or number of axes.</exception>
    public static Graph Apply(Graph graph, IEnumerable<InputShape> shapes)
    {
        foreach (InputShape shape in shapes)
        {
            ImmutableArray<Port> inputs = graph.FreeInputs;
            Port port =
                (
                    shape.Input.Length > 0 ? inputs.FirstOrDefault(port => port.Name == shape.Input)
                    : inputs is [{ } only] ? only
                    : null
                )
                ?? throw new BadInputException(
                    shape.Input.Length > 0
                        ? $"The network has no input '{shape.Input}'; it has {Names(inputs)}."
                        : $"The network has several inputs: say which of {Names(inputs)} has the shape {shape}."
                );
            graph = graph with { Inputs = graph.Inputs.Replace(port, port with { Dimensions = shape.For(port) }) };
        }
        return graph;
    }

    public bool Equals(InputShape? other) => other is not null && Input == other.Input && Extents.SequenceEqual(other.Extents);

    public override int GetHashCode() => Extents.Aggregate(Input.GetHashCode(StringComparison.Ordinal), HashCode.Combine);

    /// <summary>The extents, as in 1x3x640x640.</summary>
    public override string ToString() => string.Join('x', Extents);

    private ImmutableArray<Dimension> For(Port port)
    {
        if (
            port.Dimensions is { } declared
            && (
                declared.Length != Extents.Length
                || declared.Zip(Extents).Any(static pair => (pair.First.Extent ?? pair.Second) != pair.Second)
            )
        )
            throw new BadInputException($"The input '{port.Name}' is declared {string.Join('x', declared)}, which {this} does not fit.");
        return [.. Extents.Select(static extent => new Dimension(extent))];
    }

    private static string Names(ImmutableArray<Port> ports) => string.Join(", ", ports.Select(static port => $"'{port.Name}'"));
}
