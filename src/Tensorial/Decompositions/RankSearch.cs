using System.Collections.Immutable;
using System.Numerics;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>Ranks of formats whose error only a fit can tell: CP and rings.</summary>
internal static class RankSearch
{
    /// <summary>The fit that a choice asks for. All bonds get the same rank where an error decides, up to what each can use.</summary>
    /// <param name="choice">Ranks, an error, a rate or what the data show.</param>
    /// <param name="format">The format.</param>
    /// <param name="tensor">The tensor that is fitted.</param>
    /// <param name="fit">Fits given ranks.</param>
    /// <exception cref="GoalNotMetException">No rank reached the error asked for.</exception>
    public static TensorFactors<T> Fit<T>(
        RankChoice choice,
        TensorFormat format,
        Tensor<T> tensor,
        Func<ImmutableArray<int>, TensorFactors<T>> fit
    )
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        choice switch
        {
            RankChoice.Given(var ranks) => fit(ranks),
            RankChoice.AtRate(var rate) => fit(format.RanksWithin(tensor.Shape, (long)(rate * tensor.Shape.ElementCount))),
            RankChoice.WithinError(var error) => Smallest(format.MaxRanks(tensor.Shape), fit, error, tensor.Shape),
            _ => Smallest(format.MaxRanks(tensor.Shape), fit, Noise(tensor), tensor.Shape),
        };

    /// <summary>The best fit within a budget: of several ways to share it among the bonds, the one with the least error.</summary>
    /// <param name="format">The format.</param>
    /// <param name="tensor">The tensor.</param>
    /// <param name="rate">Parameters of the factors over those of the tensor, at most.</param>
    /// <param name="fit">Fits given ranks, fast.</param>
    public static TensorFactors<T> Shared<T>(TensorFormat format, Tensor<T> tensor, double rate, Func<RankChoice, TensorFactors<T>> fit)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        ((double[])[0, 0.25, 0.5, 0.75, 1])
            .Select(
                RankChoice (power) =>
                    new RankChoice.Given(format.RanksWithin(tensor.Shape, (long)(rate * tensor.Shape.ElementCount), power))
            )
            .Distinct()
            .Select(fit)
            .MinBy(static fitted => fitted.RelativeError)!;

    private static TensorFactors<T> Smallest<T>(
        ImmutableArray<int> most,
        Func<ImmutableArray<int>, TensorFactors<T>> fit,
        double error,
        Shape tensor
    )
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int high = 1,
            low = 0,
            limit = most.Max();
        TensorFactors<T> best = fit(At(1)),
            least = best;
        while (best.RelativeError > error && high < limit)
        {
            (low, high) = (high, Math.Min(2 * high, limit));
            best = fit(At(high));
            if (best.RelativeError < least.RelativeError)
                least = best;
        }
        if (best.RelativeError > error)
            throw new GoalNotMetException(
                $"No {best.Format} of a tensor {tensor} was found within a relative error of {error:G3}; the least was {least.RelativeError:G3} at ranks {string.Join('×', least.Ranks)}."
            );
        while (high - low > 1)
        {
            int middle = (low + high) / 2;
            TensorFactors<T> between = fit(At(middle));
            if (between.RelativeError <= error)
                (high, best) = (middle, between);
            else
                low = middle;
        }
        return best;

        ImmutableArray<int> At(int rank) => [.. most.Select(bond => Math.Min(rank, bond))];
    }

    /// <summary>The relative error of leaving out what is noise along the most nearly square unfolding.</summary>
    private static double Noise<T>(Tensor<T> tensor)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Shape shape = tensor.Shape;
        int split = Enumerable
            .Range(1, shape.Rank - 1)
            .MinBy(split => (long)shape.ElementCountOf(0, split) + shape.ElementCountOf(split, shape.Rank));
        int rows = shape.ElementCountOf(0, split),
            columns = shape.ElementCountOf(split, shape.Rank);
        double[] values = Fits.Wide(Svd.Values<T>(tensor.Values, rows, columns));
        double energy = values.Sum(static value => value * value);
        return energy > 0 ? Math.Min(1, Math.Sqrt(Evbmf.From(values, rows, columns).NoiseVariance * shape.ElementCount / energy)) : 0;
    }
}
