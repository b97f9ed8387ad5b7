using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Decompositions;

/// <summary>
/// Formats of a weight whose channels are split into several modes (J. Su, J. Li, B. Bhattacharjee, F. Huang, arXiv 1805.10352): O = O₁⋯Oₘ,
/// I = I₁⋯Iₘ, the pairs (Oₗ, Iₗ) and space (h, w) being the modes of a CP, train or ring. Tucker keeps all 2m channel modes apart and space
/// whole. A row that repeats, or whose blocks are scaled copies, has rank one then.
/// </summary>
/// <param name="Format">The equation, with an axis for each part of each mode.</param>
/// <param name="Folding">How the modes were split.</param>
public sealed record Reshaped(TensorFormat Format, Folding Folding)
{
    /// <summary>The formats there are.</summary>
    public static ImmutableArray<string> Names { get; } = ["rcp", "rtucker", "rtt", "rtr"];

    /// <summary>Which parts make the modes that are fitted.</summary>
    private ImmutableArray<ImmutableArray<int>> Groups { get; init; } = [];

    /// <summary>A reshaped format of a weight.</summary>
    /// <param name="name">rcp, rtucker, rtt or rtr.</param>
    /// <param name="weight">Extents [o, i] or [o, i, h, w], or with any number of spatial axes.</param>
    /// <param name="order">Modes that the output's and the input's channels are split into each.</param>
    /// <exception cref="BadInputException">There is no such format, or the weight and order leave it a single mode.</exception>
    public static Reshaped Of(string name, Shape weight, int order)
    {
        if (!Names.Contains(name)) throw new BadInputException($"'{name}' is no reshaped format; there are {string.Join(", ", Names)}.");
        if (weight.Rank < 2) throw new ShapeException($"A weight has output and input channels, at least; {weight} has not.");
        Folding folding = Folding.Of(weight, order);
        Shape parts = folding.Folded;
        string output = string.Concat(Enumerable.Range(0, parts.Rank).Select(TensorFormat.Mode));
        if (name == "rtucker")
            return new(TensorFormat.Tucker(parts.Rank, [.. Enumerable.Range(0, 2 * order)]) with { Name = name }, folding);

        int[] space = [.. Enumerable.Range(2 * order, weight.Rank - 2)];
        ImmutableArray<int>[] groups = [.. Enumerable.Range(0, order).Select(ImmutableArray<int> (l) => [l, order + l])];
        // Space of extent 1 would be a mode without anything to say.
        if (space.All(axis => parts[axis] == 1)) groups[^1] = [.. groups[^1], .. space];
        else groups = [.. groups, [.. space]];
        if (groups.Length < 2) throw new BadInputException($"{name} of order {order} leaves a weight {weight} a single mode; order 2 does not.");
        TensorFormat merged = name switch
        {
            "rcp" => TensorFormat.Cp(groups.Length),
            "rtt" => TensorFormat.TensorTrain(groups.Length),
            _ => TensorFormat.TensorRing(groups.Length),
        };
        Dictionary<char, string> letters = Enumerable.Range(0, groups.Length).ToDictionary(TensorFormat.Mode, k => string.Concat(groups[k].Select(TensorFormat.Mode)));
        return new(merged.Split(name, letters, output), folding) { Groups = [.. groups] };
    }

    /// <summary>Numbers that the factors hold at some ranks.</summary>
    public long Parameters(params ReadOnlySpan<int> ranks) => Format.Parameters(Folding.Folded, ranks);

    /// <summary>The largest ranks whose factors hold at most a part of the weight's own parameters, padding not counted.</summary>
    public ImmutableArray<int> RanksAt(double rate) => Format.RanksWithin(Folding.Folded, (long)(rate * Folding.Shape.Count));

    /// <summary>Fits the factors of a weight.</summary>
    /// <param name="weight">Of the shape that the format was made for.</param>
    /// <param name="ranks">Ranks, in the order of the format's bonds.</param>
    /// <param name="seed">Seed of random starts.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="cancel">Stops between sweeps.</param>
    /// <exception cref="BadInputException">The weight has another shape, or the ranks do not fit.</exception>
    /// <exception cref="GoalNotMetException">No ranks reached the error asked for.</exception>
    /// <exception cref="NumericalException">A value is NaN or infinite.</exception>
    public TensorFactors<T> Fit<T>(Tensor<T> weight, RankChoice ranks, int seed = 0, Workers? workers = null, CancellationToken cancel = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        workers ??= Workers.Serial;
        Tensor<T> folded = Folding.Fold(weight);
        ranks.Check(Format, folded.Shape);
        // A rate counts the weight's own parameters, and the fits see the padded ones.
        if (ranks is RankChoice.AtRate(var rate)) ranks = new RankChoice.AtRate(rate * weight.Shape.Count / folded.Shape.Count);
        TensorFactors<T> fit;
        if (Groups.IsEmpty) fit = Tucker.Fit(folded, ranks, [.. Enumerable.Range(0, Format.Bonds.Length)], workers: workers);
        else
        {
            Tensor<T> merged = Fits.Permuted(folded, [.. Groups.SelectMany(static group => group)]);
            merged = merged.As([.. Groups.Select(group => group.Aggregate(1, (count, part) => count * folded.Shape[part]))]);
            fit = Format.Name switch
            {
                "rcp" => Cp.Fit(merged, ranks, new(Seed: seed), workers, cancel),
                "rtt" => TensorTrain.Fit(merged, ranks, workers: workers),
                _ => TensorRing.Fit(merged, ranks, options: new(Seed: seed), workers: workers, cancel: cancel),
            };
        }
        ImmutableArray<Shape> shapes = Format.FactorShapes(folded.Shape, fit.Ranks.AsSpan());
        return TensorFactors<T>.Measured(Format, Folding, fit.Ranks, [.. fit.Factors.Zip(shapes, static (factor, shape) => factor.As(shape))], weight, workers);
    }
}
