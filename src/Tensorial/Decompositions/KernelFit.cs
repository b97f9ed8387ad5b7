using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>How hard a fit tries.</summary>
/// <param name="Starts">Random starts, for formats that need them (CP); the best counts.</param>
/// <param name="Iterations">Steps of the descent, at most.</param>
/// <param name="Seed">Seed of the random starts.</param>
public sealed record FitOptions(int Starts = 1, int Iterations = 200, int Seed = 0);

/// <summary>
/// Fits a kernel's factors. The last factor enters linearly and is solved for exactly at every step (variable projection: G. Golub and
/// V. Pereyra, SIAM J. Numer. Anal. 10, 1973); the inner ones start from singular vectors of the unfolded kernel (CP: from random vectors) and
/// go downhill together. One algorithm for every format and every measure, but for CP in the plain norm, which alternating least squares
/// (<see cref="Cp"/>) fits better in the same time.
/// </summary>
public static class KernelFit
{
    /// <summary>The factors of a kernel [o, i, h, w] at given ranks.</summary>
    /// <exception cref="BadInputException">The ranks do not fit the format or the kernel.</exception>
    /// <exception cref="NumericalException">The kernel holds values that are not finite.</exception>
    public static Factorization Of(
        Tensor<double> kernel, KernelFormat format, ImmutableArray<int> ranks, KernelMetric? metric = null, FitOptions? options = null,
        CancellationToken cancel = default)
    {
        return Of(new KernelStarts(kernel, metric ?? KernelMetric.Plain), format, ranks, options, cancel);
    }

    /// <summary>The same, with what fits of one kernel share.</summary>
    /// <inheritdoc cref="Of(Tensor{double}, KernelFormat, ImmutableArray{int}, KernelMetric?, FitOptions?, CancellationToken)" path="/exception"/>
    public static Factorization Of(
        KernelStarts starts, KernelFormat format, ImmutableArray<int> ranks, FitOptions? options = null, CancellationToken cancel = default)
    {
        (Tensor<double> kernel, KernelMetric metric) = (starts.Kernel, starts.Metric);
        options ??= new();
        Check(kernel, format, ranks);
        FitObjective objective = new(kernel, format, ranks, metric, cancel);
        if (format.IsRandomlyStarted && metric.Covariance is null) return objective.Result(Terms(metric.Weigh(kernel), format, ranks[0], options, cancel));
        int tries = format.IsRandomlyStarted ? Math.Max(1, options.Starts) : 1;
        double[]? best = null;
        double least = double.PositiveInfinity;
        for (int start = 0; start < tries; start++)
        {
            double[] inner = Start(starts, format, ranks, new(options.Seed + start));
            double value = StartIsBest(format, metric) ? objective.Value(inner) : LimitedMemoryBfgs.Minimise(objective.Evaluate, inner, options.Iterations);
            if (value < least) (best, least) = (inner, value);
        }
        return objective.Result(best!);
    }

    /// <summary>
    /// Singular vectors are the answer already where the inner factor is a whole side of the matrix, or no covariance couples the columns.
    /// </summary>
    private static bool StartIsBest(KernelFormat format, KernelMetric metric) =>
        format == KernelFormat.SvdOut || (metric.Covariance is null && !format.IsRandomlyStarted && format.RankCount == 1);

    /// <summary>From factors already at hand, further downhill, perhaps in another measure.</summary>
    public static Factorization Refine(
        Tensor<double> kernel, Factorization from, KernelMetric metric, int iterations, CancellationToken cancel = default)
    {
        FitObjective objective = new(kernel, from.Format, from.Ranks, metric, cancel);
        if (from.Format == KernelFormat.SvdOut) return Of(kernel, from.Format, from.Ranks, metric, null, cancel);
        double[] inner = [.. from.Factors[..^1].SelectMany(static factor => factor.Values.ToArray())];
        LimitedMemoryBfgs.Minimise(objective.Evaluate, inner, iterations);
        return objective.Result(inner);
    }

    private static void Check(Tensor<double> kernel, KernelFormat format, ImmutableArray<int> ranks)
    {
        if (kernel.Shape.Rank != 4) throw new ShapeException($"A kernel of four axes was expected, not {kernel.Shape}.");
        ImmutableArray<int> most = format.MaxRanks(kernel.Shape);
        if (ranks.Length != most.Length) throw new BadInputException($"{format} takes {most.Length} ranks, not {ranks.Length} ({string.Join('×', ranks)}).");
        for (int k = 0; k < most.Length; k++)
            if (ranks[k] < 1 || ranks[k] > most[k])
                throw new BadInputException($"{format} of a kernel {kernel.Shape} takes ranks of 1 to {string.Join('×', most)}, not {string.Join('×', ranks)}.");
        if (!TensorPrimitives.IsFiniteAll(kernel.Values)) throw new NumericalException("The kernel holds values that are not finite.");
    }

    private static double[] Start(KernelStarts starts, KernelFormat format, ImmutableArray<int> ranks, Random random)
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
                Tensor<double> c = starts.Leading("i", ranks[0]), u = starts.Leading("o", ranks[1]);
                Tensor<double> narrow = Unfolding.Contract(metric.Weigh(kernel), "oihw", c, "ir", "orhw");
                return [.. Transposed(c), .. Unfolding.Contract(narrow, "orhw", u, "os", "srhw").Values];
            case "tt":
                Tensor<double> first = starts.Leading("i", ranks[0]);
                Tensor<double> rest = Unfolding.Contract(metric.Weigh(kernel), "oihw", first, "ir", "orhw");
                Tensor<double> second = Unfolding.FirstColumns(Unfolding.Leading(rest, "orhw", "rh"), ranks[1]);
                Tensor<double> last = Unfolding.Contract(rest, "orhw", second.As([ranks[0], kernel.Shape[2], ranks[1]]), "rhs", "osw");
                Tensor<double> third = Unfolding.FirstColumns(Unfolding.Leading(last, "osw", "sw"), ranks[2]);
                return
                [
                    .. Transposed(first), .. Unfolding.Contract(second.As([ranks[0], kernel.Shape[2], ranks[1]]), "rhs", "srh").Values,
                    .. Unfolding.Contract(third.As([ranks[1], kernel.Shape[3], ranks[2]]), "swt", "tsw").Values,
                ];
            default:
                return Random(kernel, format, ranks, random);
        }
    }

    /// <summary>Rows of each term's vectors but the output's, by alternating least squares on the kernel as [o, the axes of each inner factor].</summary>
    private static double[] Terms(Tensor<double> kernel, KernelFormat format, int rank, FitOptions options, CancellationToken cancel)
    {
        Tensor<double> tensor = kernel.As([kernel.Shape[0], .. format.Inner.Select(axes => KernelFormat.ShapeOf(axes[1..], kernel.Shape, []).Count)]);
        CpOptions terms = new(options.Starts, options.Iterations, Seed: options.Seed);
        return [.. Cp.Fit(tensor, RankChoice.Of(rank), terms, cancel: cancel).Factors[1..].SelectMany(Transposed)];
    }

    /// <summary>Rows of independent normal numbers, one for each term, each of norm 1.</summary>
    private static double[] Random(Tensor<double> kernel, KernelFormat format, ImmutableArray<int> ranks, Random random)
    {
        List<double> values = [];
        foreach (string axes in format.Inner)
        {
            int extent = KernelFormat.ShapeOf(axes[1..], kernel.Shape, ranks).Count;
            for (int r = 0; r < ranks[0]; r++)
            {
                double[] row = new double[extent];
                for (int k = 0; k < extent; k++) row[k] = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
                double norm = TensorPrimitives.Norm<double>(row);
                values.AddRange(row.Select(value => value / norm));
            }
        }
        return [.. values];
    }

    private static double[] Transposed(Tensor<double> columns) => Matrix.Transpose(columns).Values.ToArray();
}
