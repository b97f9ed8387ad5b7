using System.Collections.Immutable;

namespace Tensorial.Graphs;

/// <summary>The weights of a convolution or a dense layer: what can be cut along bipartitions of its axes.</summary>
/// <param name="Name">The constant's name, to replace it by (<see cref="Graph.With"/>).</param>
/// <param name="Node">The one node that multiplies with it.</param>
/// <param name="Axes">A letter for each axis in the order stored: o, i and, for convolutions, d, h, w as far as they exist.</param>
/// <param name="Weights">The values, of a floating-point type.</param>
/// <param name="Groups">Groups of a convolution; the stored i is then i/groups (o/groups of a transposed one).</param>
public sealed record KernelWeight(string Name, Node Node, ImmutableArray<string> Axes, Tensor Weights, int Groups)
{
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
public sealed record UncutKernel(string Name, Node Node, Shape? Shape, string Reason);
