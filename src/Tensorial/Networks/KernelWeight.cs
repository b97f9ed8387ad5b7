using System.Collections.Immutable;

namespace Tensorial.Networks;

/// <summary>The weights of a convolution or a dense layer: what can be cut along bipartitions of its axes.</summary>
/// <param name="Name">The initializer's name.</param>
/// <param name="Node">The one node that multiplies with it.</param>
/// <param name="Axes">A letter for each axis in the order stored: o, i and, for convolutions, d, h, w as far as they exist.</param>
/// <param name="Weights">The values, of a floating-point type.</param>
/// <param name="Groups">Groups of a convolution; the stored i is then i/groups (o/groups of a transposed one).</param>
public sealed record KernelWeight(string Name, Node Node, ImmutableArray<string> Axes, Tensor Weights, int Groups);

/// <summary>A layer whose weights cannot be cut, and why.</summary>
public sealed record UncutKernel(string Name, Node Node, Shape? Shape, string Reason);
