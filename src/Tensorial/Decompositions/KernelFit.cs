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
public static class KernelFit
{
    /// <summary>Sweeps of alternating least squares before the descent of CP.</summary>
    private const int SweepsToStart = 10;

    /// <summary>The factors of a kernel [o, i, h, w] at given ranks.</summary>
    /// <exception cref="BadInputException">The ranks do not fit the format or the kernel.</exception>
    /// <exception cref="NumericalException">The kernel holds values that are not finite.</exception>
    public static TensorFactors<double> Of(
        Tensor<double> kernel,
        KernelFormat format,
        ImmutableArray<int> ranks,
        KernelMetric? metric = null,
        FitOptions? options = null,
        CancellationToken cancel = default
    ) => Of(new KernelStarts(kernel, metric ?? KernelMetric.Plain), KernelForm.Of(format, kernel.Shape), ranks, options, cancel);

    /// <summary>The same, with what fits of one kernel share.</summary>
    /// <inheritdoc cref="Of(Tensor{double}, KernelFormat, ImmutableArray{int}, KernelMetric?, FitOptions?, CancellationToken)" path="/exception"/>
    public static TensorFactors<double> Of(
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
                [.. starts.Groups.Select(group => Of(group, KernelForm.Of(form.Format, group.Kernel.Shape), ranks, options, cancel))]
            );
        if (form.Format.IsReshaped)
            return Reshaped(starts, form, ranks, options, cancel);

        FitObjective objective = new(kernel, form.Tensor, ranks, metric, options.Workers ?? Workers.Serial, cancel);
        if (IsSumOfTerms(form.Format) && metric.Covariance is null)
            return objective.Result(Terms(metric.Weigh(kernel), form.Tensor, ranks[0], options, cancel));
        int tries = IsSumOfTerms(form.Format) ? Math.Max(1, options.Starts) : 1;
        double[]? best = null;
        double least = double.PositiveInfinity;
        for (int start = 0; start < tries; start++)
        {
            double[] inner = Start(starts, form.Tensor, ranks, options with { Seed = options.Seed + start }, start == 0, cancel);
            double value = StartIsBest(form.Format, metric)
                ? objective.Value(inner)
                : LimitedMemoryBfgs.Minimise(objective.Evaluate, inner, options.Iterations);
            if (value < least)
                (best, least) = (inner, value);
        }
        return objective.Result(best!);
    }

    /// <summary>Whether no singular vectors say where to start.</summary>
    internal static bool IsSumOfTerms(KernelFormat format) => format == KernelFormat.Cp || format == KernelFormat.Cp3;

    /// <summary>
    /// Singular vectors are the answer already where the inner factor is a whole side of the matrix, or no covariance couples the columns.
    /// </summary>
    private static bool StartIsBest(KernelFormat format, KernelMetric metric) =>
        format == KernelFormat.SvdOut || (metric.Covariance is null && (format == KernelFormat.SvdIn || format == KernelFormat.SpatialSvd));

    private static TensorFactors<double> Reshaped(
        KernelStarts starts,
        KernelForm form,
        ImmutableArray<int> ranks,
        FitOptions options,
        CancellationToken cancel
    )
    {
        TensorFactors<double> plain = FoldedFit.Of(starts.Kernel, form, RankChoice.Of(ranks.AsSpan()), options, cancel);
        FoldedObjective objective = new(starts.Kernel, form, ranks, starts.Metric, cancel);
        double[] point = [.. plain.Factors.SelectMany(static factor => factor.Values.ToArray())];
        if (starts.Metric != KernelMetric.Plain)
            LimitedMemoryBfgs.Minimise(objective.Evaluate, point, options.Iterations);
        return objective.Result(point);
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

    private static double[] Start(
        KernelStarts starts,
        TensorFormat format,
        ImmutableArray<int> ranks,
        FitOptions options,
        bool isFirst,
        CancellationToken cancel
    )
    {
        (Tensor<double> kernel, KernelMetric metric) = (starts.Kernel, starts.Metric);
        switch (format.Name)
        {
            case "svd-out":
                // B = Uᵀ W with U from the weighted kernel: A B is then W projected on U, the best of this rank in the measure.
                Tensor<double> left = starts.Leading("o", ranks[0]);
                return Unfolding.Contract(metric.Weigh(kernel), "oihw", left, "or", "rihw").Values.ToArray();
            case "svd-in":
                return Transposed(starts.Leading("i", ranks[0]));
            case "spatial-svd":
                return Transposed(starts.Leading("iw", ranks[0]));
            case "tucker2":
                Tensor<double> c = starts.Leading("i", ranks[0]),
                    u = starts.Leading("o", ranks[1]);
                Tensor<double> narrow = Unfolding.Contract(metric.Weigh(kernel), "oihw", c, "ir", "orhw");
                return [.. Transposed(c), .. Unfolding.Contract(narrow, "orhw", u, "os", "srhw").Values];
            case "tt":
                Tensor<double> first = starts.Leading("i", ranks[0]);
                Tensor<double> rest = Unfolding.Contract(metric.Weigh(kernel), "oihw", first, "ir", "orhw");
                Tensor<double> second = Fits.Columns(Unfolding.Leading(rest, "orhw", "rh"), ranks[1]);
                Tensor<double> last = Unfolding.Contract(rest, "orhw", second.As([ranks[0], kernel.Shape[2], ranks[1]]), "rhs", "osw");
                Tensor<double> third = Fits.Columns(Unfolding.Leading(last, "osw", "sw"), ranks[2]);
                return
                [
                    .. Transposed(first),
                    .. Unfolding.Contract(second.As([ranks[0], kernel.Shape[2], ranks[1]]), "rhs", "srh").Values,
                    .. Unfolding.Contract(third.As([ranks[1], kernel.Shape[3], ranks[2]]), "swt", "tsw").Values,
                ];
            case "tucker":
                TensorFactors<double> core = Tucker.Fit(starts.Weighed, RankChoice.Of(ranks[1], ranks[0], ranks[2], ranks[3]));
                return
                [
                    .. Transposed(core.Factors[2]),
                    .. core.Factors[0].Values,
                    .. Transposed(core.Factors[3]),
                    .. Transposed(core.Factors[4]),
                ];
            case "tr":
                TensorFactors<double> ring = TensorRing.Fit(
                    starts.Weighed,
                    RankChoice.Of(ranks[3], ranks[0], ranks[1], ranks[2]),
                    [1, 2, 3, 0],
                    new(Seed: options.Seed),
                    cancel: cancel
                );
                // [before, mode, behind] to [before, behind, mode], and [behind, before, mode].
                return
                [
                    .. Fits.Permuted(ring.Factors[0], 0, 2, 1).Values,
                    .. Fits.Permuted(ring.Factors[1], 2, 0, 1).Values,
                    .. Fits.Permuted(ring.Factors[2], 2, 0, 1).Values,
                ];
            default:
                // A few sweeps in the plain norm are a better start than chance, and than many: what they settle on is not what the measure
                // wants.
                return isFirst
                    ? Terms(starts.Weighed, format, ranks[0], new(1, SweepsToStart, options.Seed), cancel)
                    : Random(kernel.Shape, format, ranks, new(options.Seed));
        }
    }

    /// <summary>
    /// Rows of each term's vectors but the output's, by alternating least squares on the kernel as [o, the axes of each inner factor].
    /// </summary>
    private static double[] Terms(Tensor<double> kernel, TensorFormat format, int rank, FitOptions options, CancellationToken cancel)
    {
        Tensor<double> tensor = kernel.As([
            kernel.Shape[0],
            .. format.FactorShapes(kernel.Shape, 1)[..^1].Select(static factor => factor.Count),
        ]);
        CpOptions terms = new(options.Starts, options.Iterations, Seed: options.Seed);
        return [.. Cp.Fit(tensor, RankChoice.Of(rank), terms, cancel: cancel).Factors[1..].SelectMany(Transposed)];
    }

    /// <summary>Rows of independent normal numbers, one for each term, each of norm 1.</summary>
    private static double[] Random(Shape kernel, TensorFormat format, ImmutableArray<int> ranks, Random random)
    {
        List<double> values = [];
        foreach (Shape factor in format.FactorShapes(kernel, ranks.AsSpan())[..^1])
        {
            double[] row = new double[factor.CountOf(1, factor.Rank)];
            for (int r = 0; r < ranks[0]; r++)
            {
                for (int k = 0; k < row.Length; k++)
                    row[k] = random.NextNormal();
                double norm = TensorPrimitives.Norm<double>(row);
                values.AddRange(row.Select(value => value / norm));
            }
        }
        return [.. values];
    }

    private static double[] Transposed(Tensor<double> columns) => Matrix.Transpose(columns).Values.ToArray();
}
