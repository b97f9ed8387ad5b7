using System.Collections.Immutable;

namespace Tensorial.Graphs;

/// <summary>The weights of a convolution or a dense layer: what can be cut along bipartitions of its axes.</summary>
/// <param name="Name">The constant's name, to replace it by (<see cref="Graph.With"/>).</param>
/// <param name="Node">The node that multiplies with it, the first of <see cref="Nodes"/>.</param>
/// <param name="Axes">
/// A letter for each axis in the order stored: o, i and, for convolutions, d, h, w as far as they exist; s for the directions (senses) in
/// which a recurrent layer walks, o being its gates and i its input.
/// </param>
/// <param name="Weights">The values, of a floating-point type.</param>
/// <param name="Groups">Groups of a convolution; the stored i is then i/groups (o/groups of a transposed one).</param>
public sealed record KernelWeight(string Name, Node Node, ImmutableArray<string> Axes, Tensor Weights, int Groups)
{
    /// <summary>All nodes that multiply with it: several where layers share their weights.</summary>
    public ImmutableArray<Node> Nodes { get; init; } = [Node];

    /// <summary>The type in which the nodes read it: that of the values, unless a Cast stands between.</summary>
    public ElementType ReadAs { get; init; } = Weights.ElementType;

    /// <summary>What it may be called: its own name, or that of a node that reads it.</summary>
    internal IEnumerable<string> Names => [Name, .. Nodes.Select(static node => node.Name).Where(static name => name.Length > 0)];

    /// <summary>
    /// Axes longer than 1, the only ones that matter to a cut: o and i of a 1×1 convolution; o, h and w of a depthwise one.
    /// </summary>
    internal static string LongAxesOf(ImmutableArray<string> axes, Shape shape) => string.Concat(axes.Where((_, axis) => shape[axis] > 1));
}

/// <summary>A layer whose weights cannot be cut, and why.</summary>
/// <param name="Name">The constant's name, or that of the value which takes its place.</param>
/// <param name="Node">The node that multiplies with it.</param>
/// <param name="Shape">Extents in the order stored; null where they are not known.</param>
/// <param name="Reason">A clause that follows "because".</param>
public sealed record UncutKernel(string Name, Node Node, Shape? Shape, string Reason)
{
    /// <summary>What it may be called.</summary>
    internal IEnumerable<string> Names => Node.Name.Length > 0 ? [Name, Node.Name] : [Name];
}
