using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Cli.Commands;

/// <summary>A layer, or a step of a factored one, as an equation over named axes.</summary>
/// <param name="Node">The node.</param>
/// <param name="Operation">Its operator.</param>
/// <param name="Equation">What it multiplies; <c>|</c> stands before axes convolved in it.</param>
/// <param name="Shapes">Extents of its operands, then of the result.</param>
/// <param name="Once">Whether it depends on constants alone, and is computed when a runtime loads the network.</param>
/// <param name="Macs">Multiply-accumulates for one image; of what is computed once in all.</param>
/// <param name="PredictedMs">Milliseconds on one thread, as the built-in cost model has it.</param>
internal sealed record InspectedStep(
    string Node,
    string Operation,
    string Equation,
    IReadOnlyList<IReadOnlyList<int>> Shapes,
    bool Once,
    long Macs,
    double PredictedMs
)
{
    public static InspectedStep[] Of(Graph graph, GraphStatistics statistics)
    {
        IReadOnlyDictionary<string, ValueInfo> shapes = ShapeInference.Explore(graph).Operands;
        HashSet<string> constants = [.. graph.Initializers.Keys];
        // Products of constants are constants as well.
        foreach (Node node in graph.Nodes)
            if (node.Inputs.All(name => name.Length == 0 || constants.Contains(name)))
                constants.UnionWith(node.Outputs);
        Dictionary<Node, NodeStatistics> sizes = new(ReferenceEqualityComparer.Instance);
        foreach (NodeStatistics size in statistics.Nodes)
            sizes[size.Node] = size;
        return
        [
            .. NodePlan
                .Of(graph, name => shapes.TryGetValue(name, out ValueInfo? value) ? value.Shape : null)
                .Select(step =>
                {
                    bool isOnce = constants.Contains(step.Node.Outputs[0]);
                    return new InspectedStep(
                        step.Node.Label,
                        step.Node.Operation.Name,
                        step.Plan.Equation.ToString(),
                        [.. step.Plan.Shapes.Append(step.Plan.Result).Select(static shape => (IReadOnlyList<int>)[.. shape])],
                        isOnce,
                        isOnce ? step.Plan.Macs : sizes[step.Node].Macs ?? step.Plan.Macs,
                        1e3 * step.SecondsWith(constants.Contains)
                    );
                }),
        ];
    }
}
