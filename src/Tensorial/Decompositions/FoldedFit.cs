using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Decompositions;

/// <summary>
/// Fits a weight in a reshaped format: the decomposition of its folded tensor, the parts that belong together as one mode.
/// </summary>
public static class FoldedFit
{
    /// <summary>The factors of a weight in the plain norm.</summary>
    /// <param name="weight">Of the shape that the form was made for.</param>
    /// <param name="form">Of a reshaped format.</param>
    /// <param name="ranks">Ranks, in the order of the format's bonds.</param>
    /// <param name="options">Starts, sweeps and seed.</param>
    /// <param name="cancel">Stops between sweeps.</param>
    /// <exception cref="BadInputException">The weight has another shape, or the ranks do not fit.</exception>
    /// <exception cref="GoalNotMetException">No ranks reached the error asked for.</exception>
    /// <exception cref="NumericalException">A value is NaN or infinite.</exception>
    public static TensorFactors<T> Of<T>(
        Tensor<T> weight,
        KernelForm form,
        RankChoice ranks,
        FitOptions? options = null,
        CancellationToken cancel = default
    )
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        options ??= new(Starts: 3, Iterations: 500);
        Folding folding = form.Folding;
        Tensor<T> folded = folding.Fold(weight);
        ranks.Check(form.Tensor, folded.Shape);
        // A rate counts the weight's own parameters, and the fits see the padded ones.
        if (ranks is RankChoice.AtRate(var rate))
            ranks = new RankChoice.AtRate(rate * weight.Shape.Count / folded.Shape.Count);
        TensorFactors<T> fit;
        if (form.Pairs.IsEmpty)
            fit = Tucker.Fit(folded, ranks, [.. Enumerable.Range(0, form.Tensor.Bonds.Length)]);
        else
        {
            Tensor<T> merged = Fits.Permuted(folded, [.. form.Pairs.SelectMany(static pair => pair)]);
            merged = merged.As([.. form.Pairs.Select(pair => pair.Aggregate(1, (count, part) => count * folded.Shape[part]))]);
            fit = form.Format.Name switch
            {
                "rcp" => Cp.Fit(merged, ranks, new(options.Starts, options.Iterations, Seed: options.Seed), cancel: cancel),
                "rtt" => TensorTrain.Fit(merged, ranks),
                _ => TensorRing.Fit(merged, ranks, options: new(options.Starts, Seed: options.Seed), cancel: cancel),
            };
        }
        ImmutableArray<Shape> shapes = form.Tensor.FactorShapes(folded.Shape, fit.Ranks.AsSpan());
        return TensorFactors<T>.Measured(
            form.Tensor,
            folding,
            fit.Ranks,
            [.. fit.Factors.Zip(shapes, static (factor, shape) => factor.As(shape))],
            weight,
            Workers.Serial
        );
    }
}
