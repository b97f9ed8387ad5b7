using System.Collections.Immutable;
using Tensorial.Equations;

namespace Tensorial.Execution;

/// <summary>A value of a network as the axes of an equation lie in it.</summary>
/// <param name="Name">The value.</param>
/// <param name="Dimensions">For each of its dimensions the axes joined there, the last one moving fastest; none where it is 1.</param>
/// <param name="Term">The axes and their extents.</param>
internal sealed record AxisTensor(string Name, ImmutableArray<ImmutableArray<int>> Dimensions, IndexList Term)
{
    /// <summary>All axes in the order in which they lie.</summary>
    public ImmutableArray<int> Axes => [.. Dimensions.SelectMany(static axes => axes)];

    /// <summary>An operand; axes of one entry that only stretch are left out.</summary>
    public static AxisTensor From(string name, string axes, Algebra algebra, IndexList term) =>
        new(
            name,
            [
                .. axes.Select(
                    ImmutableArray<int> (axis) =>
                        algebra.Axes.IndexOf(axis, StringComparison.Ordinal) is var index && term.Has(index) ? [index] : []
                ),
            ],
            term
        );

    /// <summary>The same axes, a dimension each.</summary>
    public AxisTensor Single() => this with { Dimensions = [.. Axes.Select(ImmutableArray<int> (axis) => [axis])] };

    /// <summary>Whether the axes lie in these dimensions.</summary>
    public bool LiesAs(ImmutableArray<ImmutableArray<int>> wanted) =>
        wanted.Length == Dimensions.Length && wanted.Zip(Dimensions).All(static pair => pair.First.SequenceEqual(pair.Second));
}
