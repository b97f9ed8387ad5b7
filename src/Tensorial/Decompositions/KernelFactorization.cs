using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>How hard a fit tries.</summary>
/// <param name="Starts">Starts of CP: the first from a few sweeps of alternating least squares, others random; the best counts.</param>
/// <param name="Iterations">Steps of the descent, at most.</param>
/// <param name="Seed">Seed of the random starts.</param>
/// <param name="Workers">Threads of the descent; one by default, as fits are usually many.</param>
public sealed record FitOptions(int Starts = 1, int Iterations = 200, int Seed = 0, Workers? Workers = null);

/// <summary>
/// Fits a kernel's factors. Where a factor holds all output channels it enters linearly and is solved for exactly at every step (variable
/// projection: G. Golub and V. Pereyra, SIAM J. Numer. Anal. 10, 1973); the others start from singular vectors of the unfolded kernel
/// (rings from alternating least squares, CP from random vectors) and go downhill together. Reshaped formats start from their decomposition
/// in the plain norm and go downhill with all factors. One descent for every format and every measure, but for CP in the plain norm, which
/// alternating least squares (<see cref="Cp"/>) fits better in the same time.
/// </summary>
public static class KernelFactorization
{
    /// <summary>The factors of a kernel [o, i, h, w] at given ranks.</summary>
    /// <exception cref="BadInputException">The ranks do not fit the format or the kernel.</exception>
    /// <exception cref="NumericalException">The kernel holds values that are not finite.</exception>
    public static TensorFactors<double> Fit(
        Tensor<double> kernel,
        KernelFormat format,
        ImmutableArray<int> ranks,
        KernelMetric? metric = null,
        FitOptions? options = null,
        CancellationToken cancel = default
    ) => Fit(new KernelStarts(kernel, metric ?? KernelMetric.Plain), KernelForm.From(format, kernel.Shape), ranks, options, cancel);

    /// <summary>The same, with what fits of one kernel share.</summary>
    /// <inheritdoc cref="Fit(Tensor{double}, KernelFormat, ImmutableArray{int}, KernelMetric?, FitOptions?, CancellationToken)" path="/exception"/>
    internal static TensorFactors<double> Fit(
        KernelStarts starts,
        KernelForm form,
        ImmutableArray<int> ranks,
        FitOptions? options = null,
        CancellationToken cancel = default
    )
    {
        (Tensor<double> kernel, KernelMetric metric) = (starts.Kernel, starts.Metric);
        options ??= new();
        form.Check(ranks.AsSpan());
        if (!TensorPrimitives.IsFiniteAll(kernel.Values))
            throw new NumericalException("The kernel holds values that are not finite.");
        if (form.Groups > 1)
            return Stacked(
                form,
                starts,
                [.. starts.Groups.Select(group => Fit(group, KernelForm.From(form.Format, group.Kernel.Shape), ranks, options, cancel))]
            );
        return form.Format.Fit(new(starts, form, ranks, options, cancel));
    }

    /// <summary>The last factor solved for, the others downhill from the best of their starts.</summary>
    internal static TensorFactors<double> ByProjection(FitTask task)
    {
        (KernelStarts starts, KernelForm form, ImmutableArray<int> ranks, FitOptions options, CancellationToken cancel) = task;
        KernelFormat format = form.Format;
        FitObjective objective = new(starts.Kernel, form.Tensor, ranks, starts.Metric, options.Workers ?? Workers.Serial, cancel);
        bool descends =
            format.Descent == Descent.Always || (format.Descent == Descent.WithCovariance && starts.Metric.Covariance is not null);
        double[]? best = null;
        double least = double.PositiveInfinity;
        for (int attempt = 0; attempt < (format.StartsVary && descends ? Math.Max(1, options.Starts) : 1); attempt++)
        {
            double[] inner = format.Start(task with { Attempt = attempt });
            double value = descends ? LimitedMemoryBfgs.Minimise(objective.Evaluate, inner, options.Iterations) : objective.Value(inner);
            if (value < least)
                (best, least) = (inner, value);
        }
        return objective.Result(best!);
    }

    /// <summary>The factors of all groups, along an axis of their own.</summary>
    private static TensorFactors<double> Stacked(KernelForm form, KernelStarts starts, TensorFactors<double>[] groups)
    {
        ImmutableArray<Tensor<double>> factors =
        [
            .. Enumerable
                .Range(0, groups[0].Factors.Length)
                .Select(k => new Tensor<double>(
                    [groups.Length, .. groups[0].Factors[k].Shape],
                    groups.SelectMany(group => group.Factors[k].Values.ToArray()).ToArray()
                )),
        ];
        TensorFactors<double> all = new(form.Tensor, form.Folding, groups[0].Ranks, factors, 0);
        return all with { RelativeError = starts.Metric.ErrorOf(starts.Kernel, all.Reconstruct()) };
    }
}
