using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Einsum;

/// <summary>Evaluates an equation pair by pair, each pair as a batch of matrix products.</summary>
public static class Contraction
{
    /// <summary>The result of an equation; operands are contracted from left to right.</summary>
    /// <exception cref="ShapeException">The operands do not fit the equation or each other.</exception>
    public static Tensor<T> Evaluate<T>(Equation equation, ReadOnlySpan<Tensor<T>> operands, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Shape[] shapes = new Shape[operands.Length];
        for (int i = 0; i < shapes.Length; i++) shapes[i] = operands[i].Shape;
        Equation full = equation.For(shapes);
        IReadOnlyDictionary<char, int> sizes = full.Sizes(shapes);

        Queue<Term<T>> terms = [];
        for (int i = 0; i < operands.Length; i++)
            terms.Enqueue(Term<T>.Of(full.Inputs[i], operands[i], sizes).SummedTo(full.Output + string.Concat(full.Inputs.RemoveAt(i))));
        Term<T> result = terms.Dequeue();
        while (terms.TryDequeue(out Term<T>? next))
            result = Product(result, next, full.Output + string.Concat(terms.Select(static term => term.Axes)), workers);
        return result.Arranged(full.Output).Values;
    }

    /// <summary>Multiply-accumulates of that evaluation: for every pair, the product of the extents of all axes of both.</summary>
    public static long Macs(Equation equation, params ReadOnlySpan<Shape> shapes)
    {
        Equation full = equation.For(shapes);
        IReadOnlyDictionary<char, int> sizes = full.Sizes(shapes);
        long macs = 0;
        IEnumerable<char> axes = full.Inputs[0];
        for (int i = 1; i < full.Inputs.Length; i++)
        {
            IEnumerable<char> joined = axes.Union(full.Inputs[i]);
            macs += joined.Aggregate(1L, (count, letter) => count * sizes[letter]);
            string kept = full.Output + string.Concat(full.Inputs.Skip(i + 1));
            axes = [.. joined.Where(kept.Contains)];
        }
        return macs;
    }

    /// <summary>
    /// Axes of both operands that are still needed are batches, those of both that are not are summed, the rest belongs to one side:
    /// A[batch, left, summed] B[batch, summed, right] = C[batch, left, right].
    /// </summary>
    private static Term<T> Product<T>(Term<T> a, Term<T> b, string needed, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        string shared = new([.. a.Axes.Intersect(b.Axes)]);
        string batch = new([.. shared.Where(needed.Contains)]), summed = new([.. shared.Except(needed)]);
        string left = new([.. a.Axes.Except(shared)]), right = new([.. b.Axes.Except(shared)]);

        Tensor<T> x = a.Arranged(batch + left + summed).Values, y = b.Arranged(batch + summed + right).Values;
        Tensor<T> z = new([.. x.Shape.Take(batch.Length + left.Length), .. y.Shape.Skip(batch.Length + summed.Length)]);
        int batches = x.Shape.CountOf(0, batch.Length), m = x.Shape.CountOf(batch.Length, batch.Length + left.Length);
        int k = y.Shape.CountOf(batch.Length, batch.Length + summed.Length), n = y.Shape.CountOf(batch.Length + summed.Length, y.Shape.Rank);
        for (int i = 0; i < batches; i++)
        {
            ReadOnlySpan<T> one = x.Values.Slice(i * m * k, m * k), other = y.Values.Slice(i * k * n, k * n);
            Gemm.Multiply(m, n, k, T.One, one, k, 1, other, n, 1, T.Zero, z.Values.Slice(i * m * n, m * n), n, workers);
        }
        return new(batch + left + right, z);
    }

    /// <summary>A tensor whose axes have letters.</summary>
    private sealed record Term<T>(string Axes, Tensor<T> Values) where T : unmanaged, INumberBase<T>
    {
        /// <summary>
        /// An operand with every letter once: the diagonal where it named one twice, and without axes of extent 1 that stretch.
        /// </summary>
        public static Term<T> Of(string axes, Tensor<T> values, IReadOnlyDictionary<char, int> sizes)
        {
            string letters = new([.. axes.Where((letter, axis) => values.Shape[axis] == sizes[letter]).Distinct()]);
            return new Term<T>(axes, values).Arranged(letters);
        }

        /// <summary>The axes in another order. Where a letter stands twice, both places advance together.</summary>
        public Term<T> Arranged(string order)
        {
            if (order == Axes) return this;
            int[] own = Values.Shape.Strides(), strides = new int[order.Length], extents = new int[order.Length];
            for (int axis = 0; axis < Axes.Length; axis++)
            {
                int place = order.IndexOf(Axes[axis], StringComparison.Ordinal);
                if (place < 0) continue;
                strides[place] += own[axis];
                extents[place] = Values.Shape[axis];
            }
            Tensor<T> arranged = new(Shape.Of(extents));
            Strided.Gather<T>(arranged.Shape, Values.Values, 0, strides, arranged.Values);
            return new(order, arranged);
        }

        /// <summary>Summed over the axes that nothing else needs.</summary>
        public Term<T> SummedTo(string needed)
        {
            string kept = new([.. Axes.Where(needed.Contains)]);
            if (kept == Axes) return this;
            Tensor<T> rows = Arranged(kept + new string([.. Axes.Except(needed)])).Values;
            Tensor<T> sums = new([.. rows.Shape.Take(kept.Length)]);
            int length = rows.Shape.CountOf(kept.Length, rows.Shape.Rank);
            for (int row = 0; row < sums.Shape.Count; row++)
                sums.Values[row] = TensorPrimitives.Sum<T>(rows.Values.Slice(row * length, length));
            return new(kept, sums);
        }
    }
}
