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
/// <param name="Tolerance">A fit has settled where ten steps lower the error by less than this part.</param>
public sealed record FitOptions(int Starts = 1, int Iterations = 200, int Seed = 0, Workers? Workers = null, double Tolerance = 1e-4);

/// <summary>
/// Fits a kernel's factors. Where a factor holds all output channels it enters linearly and is solved for exactly at every step (variable
/// projection: G. Golub and V. Pereyra, SIAM J. Numer. Anal. 10, 1973); the others start from singular vectors of the unfolded kernel
/// (rings from alternating least squares, CP from random vectors) and go downhill together. Reshaped formats start from their decomposition
/// in the plain norm and go downhill with all factors. One descent for every format and every measure, but for CP in the plain norm, which
/// alternating least squares (<see cref="Cp"/>) fits better in the same time.
/// </summary>
public static class KernelFactorization
{
    /// <summary>
    /// λ of the energy of terms, beside the squared relative error, that fits of sums of rank-one terms minimise. It keeps terms from growing
    /// and cancelling each other, which makes a network that cannot be tuned. At full rank an error of λ stays.
    /// </summary>
    internal const double Damping = 1e-3;

    /// <summary>A fit from smaller ranks takes this part of the iterations of one from nothing, with no larger error.</summary>
    private const int StepsSaved = 5;

    /// <summary>A step of a ladder has settled where ten iterations lower its error by less than this part.</summary>
    private const double ToleranceOfSteps = 1e-3;

    /// <summary>Ranks at the top of a ladder over those at its foot, and the iterations at the foot.</summary>
    private const int Foot = 8,
        IterationsOfSteps = 120;

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
    ) => From(null, starts, form, ranks, options ?? new(), cancel);

    /// <summary>A fit from factors of the same form and ranks, as they fit another kernel nearby.</summary>
    /// <inheritdoc cref="Fit(KernelStarts, KernelForm, ImmutableArray{int}, FitOptions?, CancellationToken)"/>
    internal static TensorFactors<double> Refined(
        TensorFactors<double> known,
        KernelStarts starts,
        KernelForm form,
        FitOptions options,
        CancellationToken cancel
    ) =>
        form.Groups > 1 ? From(null, starts, form, known.Ranks, options, cancel)
        : starts.Exponent is not 0 and var exponent
            ? Refined(known.ScaledBy(-exponent), starts.Scaled, form, options, cancel).ScaledBy(exponent)
        : form.Format.Fit(new(starts, form, known.Ranks, options, cancel) { Known = known });

    /// <summary>
    /// Whether formats that can grow from smaller ranks (<see cref="KernelFormat.Grows"/>) gain by it: in the plain norm. A covariance wants
    /// other terms than alternating least squares adds.
    /// </summary>
    internal static bool Grows(KernelStarts starts) => starts.Metric.Covariance is null && starts.Groups.IsEmpty;

    /// <summary>A step of a ladder of ranks: from a fit at smaller ranks, in a fraction of the iterations that one from nothing takes.</summary>
    /// <inheritdoc cref="Fit(KernelStarts, KernelForm, ImmutableArray{int}, FitOptions?, CancellationToken)"/>
    /// <param name="smaller">A fit of the same kernel in the same format; null at the foot of the ladder.</param>
    internal static TensorFactors<double> Grown(
        TensorFactors<double>? smaller,
        KernelStarts starts,
        KernelForm form,
        ImmutableArray<int> ranks,
        FitOptions options,
        CancellationToken cancel
    ) =>
        From(
            smaller,
            starts,
            form,
            ranks,
            options with
            {
                Iterations = smaller is null ? options.Iterations : options.Iterations / StepsSaved,
                Tolerance = Math.Max(options.Tolerance, ToleranceOfSteps),
            },
            cancel
        );

    /// <summary>
    /// The last of a ladder of its own, where the format grows: at half the ranks, and half of that, and so on, then at all. As good as a fit
    /// from nothing with twice the iterations.
    /// </summary>
    /// <inheritdoc cref="Fit(KernelStarts, KernelForm, ImmutableArray{int}, FitOptions?, CancellationToken)"/>
    internal static TensorFactors<double> Climbed(
        KernelStarts starts,
        KernelForm form,
        ImmutableArray<int> ranks,
        FitOptions options,
        CancellationToken cancel
    )
    {
        if (!form.Format.Grows || !Grows(starts) || options.Starts > 1)
            return Fit(starts, form, ranks, options, cancel);
        TensorFactors<double>? smaller = null;
        for (int part = Foot; part > 1; part /= 2)
            if (ranks[0] / part > 0)
                smaller = Grown(smaller, starts, form, [ranks[0] / part], options with { Iterations = IterationsOfSteps }, cancel);
        return From(smaller, starts, form, ranks, options with { Iterations = options.Iterations / 2 }, cancel);
    }

    private static TensorFactors<double> From(
        TensorFactors<double>? smaller,
        KernelStarts starts,
        KernelForm form,
        ImmutableArray<int> ranks,
        FitOptions options,
        CancellationToken cancel
    )
    {
        (Tensor<double> kernel, KernelMetric metric) = (starts.Kernel, starts.Metric);
        form.Check(ranks.AsSpan());
        if (!TensorPrimitives.IsFiniteAll(kernel.Values))
            throw new NumericalException("The kernel holds values that are not finite.");
        if (form.Groups > 1)
            return Stacked(
                form,
                starts,
                [.. starts.Groups.Select(group => Fit(group, KernelForm.From(form.Format, group.Kernel.Shape), ranks, options, cancel))]
            );
        if (starts.Exponent is not 0 and var exponent)
            return From(smaller?.ScaledBy(-exponent), starts.Scaled, form, ranks, options, cancel).ScaledBy(exponent);
        TensorFactors<double> fit = form.Format.Fit(new(starts, form, ranks, options, cancel) { Smaller = smaller });
        // Nothing is to be learnt of zeros, and a fit may end where it began.
        return kernel.Values.ContainsAnyExcept(0.0) ? fit : fit.Emptied();
    }

    /// <summary>The last factor solved for, the others downhill from the best of their starts.</summary>
    internal static TensorFactors<double> ByProjection(FitTask task)
    {
        (KernelStarts starts, KernelForm form, ImmutableArray<int> ranks, FitOptions options, CancellationToken cancel) = task;
        KernelFormat format = form.Format;
        FitObjective objective = new(starts.Kernel, form.Tensor, ranks, starts.Metric, options.Workers ?? Workers.Serial, cancel);
        // Where a descent is not needed the start is the best there is, or, of formats that grow, comes from an alternation of its own.
        if (!format.DescendsIn(starts.Metric) && !(format.Grows && task.Known is not null))
            return objective.Result(format.Start(task));
        double[]? best = null;
        double least = double.PositiveInfinity;
        for (int attempt = 0; attempt < (format.StartsVary ? Math.Max(1, options.Starts) : 1); attempt++)
        {
            double[] inner =
                attempt == 0 && task.Known is { } known
                    ? [.. known.Factors[..^1].SelectMany(static factor => factor.Values.ToArray())]
                    : format.Start(task with { Attempt = attempt });
            double value = LimitedMemoryBfgs.Minimise(objective.Evaluate, inner, options.Iterations, options.Tolerance);
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
