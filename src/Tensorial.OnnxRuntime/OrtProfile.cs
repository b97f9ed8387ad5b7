using System.Collections.Immutable;
using System.Text.Json;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;

namespace Tensorial.OnnxRuntime;

/// <summary>The profile that ONNX Runtime writes: a JSON list of events, microseconds each.</summary>
internal static class OrtProfile
{
    private const string Ending = "_kernel_time",
        Blocked = "_nchwc";

    /// <summary>Nodes between a layer and the end of what is fused with it, at most.</summary>
    private const int LongestFusion = 8;

    /// <summary>Median times of the kernels, in the order in which they first ran.</summary>
    /// <param name="path">The file.</param>
    /// <param name="graph">The network that ran.</param>
    /// <param name="rounds">Runs that count: the last ones.</param>
    public static ImmutableArray<StepTime> Read(string path, Graph graph, int rounds)
    {
        Dictionary<(string Name, string Operator), List<double>> times = [];
        List<(string Name, string Operator)> order = [];
        using (JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path)))
            foreach (JsonElement step in document.RootElement.EnumerateArray())
            {
                if (
                    !step.TryGetProperty("name", out JsonElement name)
                    || name.GetString() is not { } text
                    || !text.EndsWith(Ending, StringComparison.Ordinal)
                    || !step.TryGetProperty("dur", out JsonElement microseconds)
                )
                    continue;
                string kind =
                    step.TryGetProperty("args", out JsonElement details) && details.TryGetProperty("op_name", out JsonElement type)
                        ? type.GetString() ?? ""
                        : "";
                (string, string) key = (text[..^Ending.Length], kind);
                if (!times.TryGetValue(key, out List<double>? own))
                {
                    times.Add(key, own = []);
                    order.Add(key);
                }
                own.Add(1e-6 * microseconds.GetDouble());
            }
        Dictionary<string, Node> makers = [];
        foreach (Node node in graph.Nodes)
        foreach (string output in node.Outputs)
            makers.TryAdd(output, node);
        return
        [
            .. order.Select(key =>
            {
                double[] last = [.. times[key].TakeLast(rounds).Order()];
                return new StepTime(NodeOf(key.Name, key.Operator, makers), last[last.Length / 2]);
            }),
        ];
    }

    /// <summary>
    /// The node that a kernel is named after. Kernels in the blocked layout are called after the value that they make, at the end of all
    /// that is fused with their node: that is the nearest one of their operator before it.
    /// </summary>
    private static string NodeOf(string name, string kind, IReadOnlyDictionary<string, Node> makers)
    {
        if (!name.EndsWith(Blocked, StringComparison.Ordinal) || !makers.TryGetValue(name[..^Blocked.Length], out Node? last))
            return name;
        Node[] level = [last];
        for (int depth = 0; depth < LongestFusion && level.Length > 0; depth++)
        {
            if (level.FirstOrDefault(node => node.Operation.Name == kind) is { } found)
                return found.Label;
            level = [.. level.SelectMany(static node => node.Inputs).Select(makers.GetValueOrDefault).OfType<Node>().Distinct()];
        }
        return name;
    }
}
