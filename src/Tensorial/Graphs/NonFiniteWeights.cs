using System.Collections.Immutable;

namespace Tensorial.Graphs;

/// <summary>A constant that holds values which are no numbers or infinite. The network may run; its kernels have no spectrum.</summary>
/// <param name="Name">The constant's name.</param>
/// <param name="NaN">How many values are not a number.</param>
/// <param name="Infinite">How many are infinite.</param>
internal sealed record NonFiniteWeights(string Name, long NaN, long Infinite)
{
    /// <summary>All such constants of a network, by name.</summary>
    public static ImmutableArray<NonFiniteWeights> Of(Graph graph) =>
        [
            .. graph
                .Initializers.OrderBy(static i => i.Key, StringComparer.Ordinal)
                .Select(static i => From(i.Key, i.Value))
                .Where(static found => found.NaN + found.Infinite > 0),
        ];

    private static NonFiniteWeights From(string name, Tensor values) =>
        values switch
        {
            Tensor<float> t => Count(name, t, float.IsNaN, float.IsInfinity),
            Tensor<double> t => Count(name, t, double.IsNaN, double.IsInfinity),
            Tensor<Half> t => Count(name, t, Half.IsNaN, Half.IsInfinity),
            Tensor<BFloat16> t => Count(name, t, static v => float.IsNaN((float)v), static v => float.IsInfinity((float)v)),
            _ => new(name, 0, 0),
        };

    private static NonFiniteWeights Count<T>(string name, Tensor<T> values, Func<T, bool> isNaN, Func<T, bool> isInfinite)
        where T : unmanaged
    {
        long nan = 0,
            infinite = 0;
        foreach (T value in values.Values)
        {
            if (isNaN(value))
                nan++;
            else if (isInfinite(value))
                infinite++;
        }
        return new(name, nan, infinite);
    }
}
