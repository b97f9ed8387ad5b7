using System.Collections.Immutable;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>
/// Fits a weight in a reshaped format: the decomposition of its folded tensor, the parts that belong together as one mode.
/// </summary>
internal static class FoldedFit
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
    public static TensorFactors<double> Of(
        Tensor<double> weight,
        KernelForm form,
        RankChoice ranks,
        FitOptions? options = null,
        CancellationToken cancel = default
    )
    {
        ChannelReshaping reshaping = form.Format.Reshaping ?? throw new BadInputException($"{form.Format} splits no channels.");
        options ??= new(Starts: 3, Iterations: 500);
        Folding folding = form.Folding;
        Tensor<double> folded = folding.Fold(weight),
            fitted = folded;
        ranks.Check(form.Tensor, folded.Shape);
        // A rate counts the weight's own parameters, and the fits see the padded ones.
        if (ranks is RankChoice.AtRate(var rate))
            ranks = new RankChoice.AtRate(rate * weight.Shape.ElementCount / folded.Shape.ElementCount);
        if (reshaping.InPairs)
            fitted = Fits.Permuted(folded, [.. form.Pairs.SelectMany(static pair => pair)])
                .As([.. form.Pairs.Select(pair => pair.Aggregate(1, (count, part) => count * folded.Shape[part]))]);
        TensorFactors<double> fit = reshaping.Decompose(fitted, ranks, options, cancel);
        ImmutableArray<Shape> shapes = form.Tensor.FactorShapes(folded.Shape, fit.Ranks.AsSpan());
        return TensorFactors<double>.Measured(
            form.Tensor,
            folding,
            fit.Ranks,
            [.. fit.Factors.Zip(shapes, static (factor, shape) => factor.As(shape))],
            weight,
            Workers.Serial
        );
    }

    /// <summary>From the decomposition in the plain norm downhill with all factors, where the measure is another.</summary>
    internal static TensorFactors<double> InMeasure(FitTask task)
    {
        (KernelStarts starts, KernelForm form, ImmutableArray<int> ranks, FitOptions options, CancellationToken cancel) = task;
        TensorFactors<double> plain = task.Known ?? Of(starts.Kernel, form, RankChoice.From(ranks.AsSpan()), options, cancel);
        FoldedObjective objective = new(starts.Kernel, form, ranks, starts.Metric, cancel);
        double[] point = [.. plain.Factors.SelectMany(static factor => factor.Values.ToArray())];
        if (task.Known is not null || starts.Metric != KernelMetric.Plain)
            LimitedMemoryBfgs.Minimise(objective.Evaluate, point, options.Iterations);
        return objective.Result(point);
    }
}
