using System.Numerics;
using System.Numerics.Tensors;

namespace Tensorial.Kernels;

/// <summary>
/// Products with a few rows, or a few columns: every number of the larger matrix is used so few times that packing it would cost more than
/// the product. Sums of products where the summed axes lie side by side, multiples of rows of B where its columns do.
/// </summary>
/// <param name="a">A.</param>
/// <param name="rowStrideA">From one row of A to the next.</param>
/// <param name="columnStrideA">From one column of A to the next.</param>
/// <param name="b">B.</param>
/// <param name="rowStrideB">From one row of B to the next.</param>
/// <param name="columnStrideB">From one column of B to the next.</param>
internal readonly unsafe struct FewRows<T>(
    Product<T> product,
    T* a,
    int rowStrideA,
    int columnStrideA,
    T* b,
    int rowStrideB,
    int columnStrideB
) : ILoopBody
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Rows, or columns, up to which this takes less time than packing.</summary>
    private const int Most = 4;

    /// <summary>Columns of a part at least: whole vectors, so that results do not depend on the number of parts.</summary>
    private const int LeastColumns = 64;

    private bool SumsProducts => columnStrideA == 1 && rowStrideB == 1;

    /// <summary>Whether the product has this form.</summary>
    public bool IsSuitable => SumsProducts ? product.M <= Most || product.N <= Most : product.M <= Most && columnStrideB == 1;

    private int Parts => Math.Clamp(product.N / LeastColumns, 1, 4 * product.Workers.Count);

    public void Run() => product.Workers.Run(product.Workers.Count > 1 ? Parts : 1, this);

    /// <summary>Some columns of the result.</summary>
    public void Run(int part)
    {
        int parts = product.Workers.Count > 1 ? Parts : 1,
            first = (int)((long)product.N * part / parts),
            count = (int)((long)product.N * (part + 1) / parts) - first;
        for (int row = 0; row < product.M; row++)
            if (SumsProducts)
                Dots(row, first, count);
            else
                Multiples(row, first, count);
    }

    private void Dots(int row, int first, int count) =>
        VectorWidths.Best.Run<DotColumns, T>(
            new(
                a + (nint)row * rowStrideA,
                b + (nint)first * columnStrideB,
                columnStrideB,
                product.K,
                product.Alpha,
                product.Beta,
                product.At(row, first),
                count
            )
        );

    private void Multiples(int row, int first, int count)
    {
        Span<T> to = Bounds.Span(product.At(row, first), count);
        if (T.IsZero(product.Beta))
            to.Clear();
        else if (product.Beta != T.One)
            TensorPrimitives.Multiply(to, product.Beta, to);
        for (int p = 0; p < product.K; p++)
        {
            T factor = product.Alpha * a[(nint)row * rowStrideA + (nint)p * columnStrideA];
            TensorPrimitives.MultiplyAdd(Bounds.Span(b + (nint)p * rowStrideB + first, count), factor, to, to);
        }
    }

    /// <summary>
    /// Sums of products of one row with some columns, four at a time, each in two chains: four columns keep the multipliers busy, and a column
    /// by itself is added up in the same order.
    /// </summary>
    private readonly struct DotColumns(T* left, T* right, nint stride, int length, T alpha, T beta, T* to, int count) : IVectorKernel<T>
    {
        public void Run<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, T>
            where TVector : struct
        {
            int j = 0;
            for (; j + 4 <= count; j += 4)
                Four<TWidth, TVector>(j);
            for (; j < count; j++)
                One<TWidth, TVector>(j);
        }

        private void Four<TWidth, TVector>(int j)
            where TWidth : struct, IVectorWidth<TVector, T>
            where TVector : struct
        {
            T* r0 = right + j * stride,
                r1 = r0 + stride,
                r2 = r1 + stride,
                r3 = r2 + stride;
            TVector zero = TWidth.Broadcast(T.Zero),
                s0 = zero,
                s1 = zero,
                s2 = zero,
                s3 = zero,
                t0 = zero,
                t1 = zero,
                t2 = zero,
                t3 = zero;
            int width = TWidth.Count,
                p = 0;
            for (; p + 2 * width <= length; p += 2 * width)
            {
                TVector x = TWidth.Load(left + p),
                    y = TWidth.Load(left + p + width);
                s0 = TWidth.MultiplyAdd(x, TWidth.Load(r0 + p), s0);
                s1 = TWidth.MultiplyAdd(x, TWidth.Load(r1 + p), s1);
                s2 = TWidth.MultiplyAdd(x, TWidth.Load(r2 + p), s2);
                s3 = TWidth.MultiplyAdd(x, TWidth.Load(r3 + p), s3);
                t0 = TWidth.MultiplyAdd(y, TWidth.Load(r0 + p + width), t0);
                t1 = TWidth.MultiplyAdd(y, TWidth.Load(r1 + p + width), t1);
                t2 = TWidth.MultiplyAdd(y, TWidth.Load(r2 + p + width), t2);
                t3 = TWidth.MultiplyAdd(y, TWidth.Load(r3 + p + width), t3);
            }
            Finish<TWidth, TVector>(s0, t0, r0, p, j);
            Finish<TWidth, TVector>(s1, t1, r1, p, j + 1);
            Finish<TWidth, TVector>(s2, t2, r2, p, j + 2);
            Finish<TWidth, TVector>(s3, t3, r3, p, j + 3);
        }

        private void One<TWidth, TVector>(int j)
            where TWidth : struct, IVectorWidth<TVector, T>
            where TVector : struct
        {
            T* r = right + j * stride;
            TVector s = TWidth.Broadcast(T.Zero),
                t = s;
            int width = TWidth.Count,
                p = 0;
            for (; p + 2 * width <= length; p += 2 * width)
            {
                s = TWidth.MultiplyAdd(TWidth.Load(left + p), TWidth.Load(r + p), s);
                t = TWidth.MultiplyAdd(TWidth.Load(left + p + width), TWidth.Load(r + p + width), t);
            }
            Finish<TWidth, TVector>(s, t, r, p, j);
        }

        /// <summary>Joins both chains, adds what is left from some place on, and stores.</summary>
        private void Finish<TWidth, TVector>(TVector s, TVector t, T* r, int from, int j)
            where TWidth : struct, IVectorWidth<TVector, T>
            where TVector : struct
        {
            T sum = TWidth.Sum(TWidth.Add(s, t));
            ReadOnlySpan<T> rest = Bounds.Span(left, length)[from..],
                others = Bounds.Span(r, length)[from..];
            for (int p = 0; p < rest.Length; p++)
                sum += rest[p] * others[p];
            ref T result = ref Bounds.Span(to, count)[j];
            result = T.IsZero(beta) ? alpha * sum : alpha * sum + beta * result;
        }
    }
}
