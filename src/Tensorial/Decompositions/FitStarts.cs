using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>
/// Where a fit by variable projection begins: values of all factors but the last, one factor after another as the equation names them.
/// </summary>
internal static class FitStarts
{
    /// <summary>Sweeps of alternating least squares before the descent of CP.</summary>
    private const int SweepsToStart = 10;

    /// <summary>Random starts, and steps downhill that tell which is best.</summary>
    private const int Trials = 4,
        StepsOfTrials = 25;

    /// <summary>
    /// Singular vectors, for every format whose factors make a tree: from the leaves to the last factor, each factor takes the leading
    /// vectors of what the factors before it have left, its own modes and the bonds to them as rows (a sequentially truncated hierarchical
    /// decomposition: L. Grasedyck, SIAM J. Matrix Anal. Appl. 31, 2010). Leaves, and the factor beside the last, know the measure.
    /// </summary>
    public static double[] ByCuts(FitTask task)
    {
        TensorFormat format = task.Form.Tensor;
        ImmutableArray<string> inner = format.Equation.Inputs[..^1];
        ImmutableArray<Shape> shapes = format.FactorShapes(task.Starts.Kernel.Shape, task.Ranks.AsSpan());
        Tensor<double>?[] factors = new Tensor<double>?[inner.Length];
        (Tensor<double> rest, string axes) = (task.Starts.Weighed, "oihw");
        for (int done = 0; done < inner.Length; done++)
        {
            int next = Enumerable
                .Range(0, inner.Length)
                .First(k => factors[k] is null && inner[k].Count(axis => !axes.Contains(axis)) == 1);
            char bond = inner[next].First(axis => !axes.Contains(axis));
            string rows = string.Concat(axes.Where(inner[next].Contains)),
                others = string.Concat(axes.Where(axis => !inner[next].Contains(axis)));
            int rank = shapes[next][inner[next].IndexOf(bond)];
            Tensor<double> factor;
            if (others == "o")
            {
                // B = Uᵀ W with U from the weighted kernel: A B is then W projected on U, the best of this rank in the measure.
                factor = Unfolding.Contract(rest, axes, task.Starts.Leading("o", rank), $"o{bond}", inner[next]);
                rest = task.Starts.Leading("o", rank);
                (factors[next], axes) = (factor, $"o{bond}");
                continue;
            }
            Tensor<double> vectors = rows.All("ihw".Contains)
                ? task.Starts.Leading(rows, rank)
                : Padded(Unfolding.Leading(rest, axes, rows), rank);
            factor = vectors.As([.. rows.Select(axis => rest.Shape[axes.IndexOf(axis)]), rank]);
            rest = Unfolding.Contract(rest, axes, factor, $"{rows}{bond}", others + bond);
            (factors[next], axes) = (Unfolding.Contract(factor, $"{rows}{bond}", inner[next]), others + bond);
        }
        return [.. factors.SelectMany(static factor => factor!.Values.ToArray())];
    }

    /// <summary>
    /// Terms of CP: in the plain norm by alternating least squares, which fits them better than a descent in the same time; in others a few
    /// sweeps of it, a better start than chance, and than many: what they settle on is not what the measure wants. Further starts are
    /// random.
    /// </summary>
    public static double[] ByTerms(FitTask task)
    {
        (KernelStarts starts, KernelForm form, ImmutableArray<int> ranks, FitOptions options, CancellationToken cancel) = task;
        Shape kernel = starts.Kernel.Shape;
        ImmutableArray<Shape> shapes = form.Tensor.FactorShapes(kernel, ranks.AsSpan());
        if (task.Attempt > 0)
            return Random(shapes[..^1], new(options.Seed + task.Attempt));
        bool isPlain = starts.Metric.Covariance is null;
        // The kernel as [o, the axes of each inner factor].
        Tensor<double> tensor = starts.Weighed.As([kernel[0], .. shapes[..^1].Select(static shape => shape.ElementCountOf(1, shape.Rank))]);
        CpOptions terms = new(
            isPlain ? options.Starts : 1,
            isPlain ? options.Iterations : SweepsToStart,
            Tolerance: options.Tolerance,
            Seed: options.Seed,
            Damping: KernelFactorization.Damping
        );
        if (task.Smaller is not { } smaller || smaller.Ranks[0] >= ranks[0])
            return [.. Cp.Fit(tensor, RankChoice.From(ranks[0]), terms, cancel: cancel).Factors[1..].SelectMany(Transposed)];
        Tensor<double>[] known = [starts.Metric.Weigh(smaller.Factors[^1]), .. smaller.Factors[..^1].Select(AsColumns)];
        return [.. CpGrowth.To(ranks[0], known, tensor, terms, improves: isPlain, cancel)[1..].SelectMany(Transposed)];
    }

    /// <summary>A ring i, h, w, o by alternating least squares.</summary>
    public static double[] ByRing(FitTask task)
    {
        ImmutableArray<int> ranks = task.Ranks;
        TensorFactors<double> ring = TensorRing.Fit(
            task.Starts.Weighed,
            RankChoice.From(ranks[3], ranks[0], ranks[1], ranks[2]),
            [1, 2, 3, 0],
            new(Seed: task.Options.Seed),
            cancel: task.Cancel
        );
        // [before, mode, behind] to [before, behind, mode], and [behind, before, mode].
        return
        [
            .. Fits.Permuted(ring.Factors[0], 0, 2, 1).Values,
            .. Fits.Permuted(ring.Factors[1], 2, 0, 1).Values,
            .. Fits.Permuted(ring.Factors[2], 2, 0, 1).Values,
        ];
    }

    /// <summary>
    /// A stack of terms of another format, each from the singular vectors of what those before it have left; further starts are random.
    /// </summary>
    /// <param name="task">A fit whose factors are those of <paramref name="term"/> with an axis more, the first.</param>
    /// <param name="term">The format of one term.</param>
    public static double[] ByDeflation(FitTask task, KernelFormat term)
    {
        (KernelStarts starts, KernelForm form, ImmutableArray<int> ranks, FitOptions options, CancellationToken cancel) = task;
        ImmutableArray<Shape> shapes = form.Tensor.FactorShapes(starts.Kernel.Shape, ranks.AsSpan());
        if (task.Attempt > 0)
            return Random(shapes[..^1], new(options.Seed + task.Attempt));
        KernelForm one = KernelForm.From(term, starts.Kernel.Shape);
        List<double>[] values = [.. shapes[..^1].Select(static _ => new List<double>())];
        for (int k = 0; k < form.Tensor.Fixed!.Value.Extent; k++)
        {
            FitObjective objective = new(starts.Kernel, one.Tensor, ranks, starts.Metric, Workers.Serial, cancel);
            TensorFactors<double> fit = objective.Result(ByCuts(task with { Starts = starts, Form = one }));
            for (int factor = 0; factor < values.Length; factor++)
                values[factor].AddRange(fit.Factors[factor].Values);
            starts = starts.Without(fit.Reconstruct());
        }
        return [.. values.SelectMany(static factor => factor)];
    }

    /// <summary>The best of a few random starts, each after some steps downhill: for equations that singular vectors say nothing about.</summary>
    public static double[] ByTrial(FitTask task)
    {
        (KernelStarts starts, KernelForm form, ImmutableArray<int> ranks, FitOptions options, CancellationToken cancel) = task;
        ImmutableArray<Shape> shapes = form.Tensor.FactorShapes(starts.Kernel.Shape, ranks.AsSpan());
        FitObjective objective = new(starts.Kernel, form.Tensor, ranks, starts.Metric, options.Workers ?? Workers.Serial, cancel);
        return Enumerable
            .Range(0, Trials)
            .Select(trial => Random(shapes[..^1], new(options.Seed + (Trials * task.Attempt) + trial)))
            .MinBy(point => LimitedMemoryBfgs.Minimise(objective.Evaluate, point, StepsOfTrials, options.Tolerance))!;
    }

    /// <summary>Rows of independent normal numbers, each row of a factor's first axis of norm 1.</summary>
    private static double[] Random(IEnumerable<Shape> shapes, Random random)
    {
        List<double> values = [];
        foreach (Shape factor in shapes)
        {
            double[] row = new double[factor.ElementCountOf(1, factor.Rank)];
            for (int r = 0; r < factor[0]; r++)
            {
                for (int k = 0; k < row.Length; k++)
                    row[k] = random.NextNormal();
                double norm = TensorPrimitives.Norm<double>(row);
                values.AddRange(row.Select(value => value / norm));
            }
        }
        return [.. values];
    }

    /// <summary>The first columns, zeros where there are no more.</summary>
    private static Tensor<double> Padded(Tensor<double> vectors, int rank)
    {
        (int rows, int count) = (vectors.Shape[0], vectors.Shape[1]);
        if (count >= rank)
            return Fits.Columns(vectors, rank);
        Tensor<double> padded = new([rows, rank]);
        for (int row = 0; row < rows; row++)
            vectors.Values.Slice(row * count, count).CopyTo(padded.Values[(row * rank)..]);
        return padded;
    }

    /// <summary>A factor [R, …] as [n, R].</summary>
    private static Tensor<double> AsColumns(Tensor<double> rows) =>
        Matrix.Transpose(rows.As([rows.Shape[0], rows.Shape.ElementCountOf(1, rows.Shape.Rank)]));

    private static double[] Transposed(Tensor<double> columns) => Matrix.Transpose(columns).Values.ToArray();
}
