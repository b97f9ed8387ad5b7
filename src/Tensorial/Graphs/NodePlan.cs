using System.Collections.Immutable;
using Tensorial.Equations;

namespace Tensorial.Graphs;

/// <summary>What a node multiplies, as the plan of an equation over named axes: of a gradient node one for each operand.</summary>
internal sealed record NodePlan(Node Node, Plan Plan)
{
    /// <summary>Plans of all nodes that are sums of products and whose extents are known, in order.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="shapeOf">Extents of a value; null where they are not known.</param>
    public static ImmutableArray<NodePlan> Of(Graph graph, Func<string, Shape?> shapeOf) =>
        [.. graph.Nodes.SelectMany(node => Of(node, shapeOf))];

    /// <summary>How long the cost model thinks it takes on one thread, constants being parameters of the network.</summary>
    public double SecondsWith(Func<string, bool> isConstant) => Plan.SecondsWith(Node.Inputs, isConstant);

    private static IEnumerable<NodePlan> Of(Node node, Func<string, Shape?> shapeOf)
    {
        Shape?[] shapes = [.. node.Inputs.Select(name => name.Length > 0 ? shapeOf(name) : [])];
        return shapes.Contains(null) ? [] : node.Operation.PlansOf([.. shapes.OfType<Shape>()]).Select(plan => new NodePlan(node, plan));
    }
}
