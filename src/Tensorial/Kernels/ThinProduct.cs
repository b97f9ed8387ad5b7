using System.Numerics;
using System.Numerics.Tensors;

namespace Tensorial.Kernels;

/// <summary>
/// Products of a vector and a matrix that is a tensor: sums of shifted rows, as in depthwise convolutions, where packing would cost more
/// than it saves.
/// </summary>
internal static unsafe class ThinProduct
{
    /// <summary>c[j] = Σₚ w[p] · x[rows[p] + columns[j]] + beta · c[j].</summary>
    public static void Multiply<T>(ReadOnlySpan<T> w, ReadOnlySpan<T> x, AddressTable rows, AddressTable columns, T beta, Span<T> c)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if ((long)rows.Last + columns.Last >= x.Length || w.Length < rows.Count || c.Length < columns.Count)
            throw new ArgumentException("A table reaches beyond its memory.");
        rows = rows.WithOffsets();
        fixed (
            T* weights = w,
                matrix = x,
                result = c
        )
            using (Bounds.Know(weights, w.Length, matrix, x.Length, result, c.Length))
                fixed (int* shifts = rows.Offsets)
                    VectorWidths.Best.Run<Sums<T>, T>(new(weights, shifts, rows.Count, matrix, columns, beta, result));
    }

    /// <summary>Σₚ x[shift + columns[p]] · y[p] with y one after another where the columns lie side by side.</summary>
    public static T Dot<T>(ReadOnlySpan<T> x, AddressTable columns, ReadOnlySpan<T> y, AddressTable others)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T sum = T.Zero;
        for (int p = 0; p < columns.Count; )
        {
            int run = Math.Min(columns.RunAt(p), others.RunAt(p));
            sum += run == 1 ? x[columns[p]] * y[others[p]] : TensorPrimitives.Dot(x.Slice(columns[p], run), y.Slice(others[p], run));
            p += run;
        }
        return sum;
    }

    private readonly struct Sums<T>(T* weights, int* shifts, int count, T* matrix, AddressTable columns, T beta, T* result)
        : IVectorKernel<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public void Run<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, T>
            where TVector : struct
        {
            for (int j = 0; j < columns.Count; )
            {
                int run = columns.RunAt(j);
                T* source = matrix + columns[j],
                    to = result + j;
                j += run;
                for (; run >= 4 * TWidth.Count; run -= 4 * TWidth.Count, source += 4 * TWidth.Count, to += 4 * TWidth.Count)
                    Four<TWidth, TVector>(source, to);
                for (; run >= TWidth.Count; run -= TWidth.Count, source += TWidth.Count, to += TWidth.Count)
                    One<TWidth, TVector>(source, to);
                for (; run > 0; run--, source++, to++)
                {
                    T sum = T.IsZero(beta) ? T.Zero : beta * *to;
                    for (int p = 0; p < count; p++)
                        sum += weights[p] * source[shifts[p]];
                    *to = sum;
                }
            }
        }

        private void One<TWidth, TVector>(T* source, T* to)
            where TWidth : struct, IVectorWidth<TVector, T>
            where TVector : struct
        {
            TVector sum = Start<TWidth, TVector>(to);
            for (int p = 0; p < count; p++)
                sum = TWidth.MultiplyAdd(TWidth.Spread(weights + p), TWidth.Load(source + shifts[p]), sum);
            TWidth.Store(sum, to);
        }

        private void Four<TWidth, TVector>(T* source, T* to)
            where TWidth : struct, IVectorWidth<TVector, T>
            where TVector : struct
        {
            int width = TWidth.Count;
            TVector s0 = Start<TWidth, TVector>(to),
                s1 = Start<TWidth, TVector>(to + width),
                s2 = Start<TWidth, TVector>(to + 2 * width),
                s3 = Start<TWidth, TVector>(to + 3 * width);
            for (int p = 0; p < count; p++)
            {
                TVector w = TWidth.Spread(weights + p);
                T* x = source + shifts[p];
                s0 = TWidth.MultiplyAdd(w, TWidth.Load(x), s0);
                s1 = TWidth.MultiplyAdd(w, TWidth.Load(x + width), s1);
                s2 = TWidth.MultiplyAdd(w, TWidth.Load(x + 2 * width), s2);
                s3 = TWidth.MultiplyAdd(w, TWidth.Load(x + 3 * width), s3);
            }
            TWidth.Store(s0, to);
            TWidth.Store(s1, to + width);
            TWidth.Store(s2, to + 2 * width);
            TWidth.Store(s3, to + 3 * width);
        }

        private TVector Start<TWidth, TVector>(T* to)
            where TWidth : struct, IVectorWidth<TVector, T>
            where TVector : struct => T.IsZero(beta) ? TWidth.Broadcast(T.Zero) : TWidth.Multiply(TWidth.Broadcast(beta), TWidth.Load(to));
    }
}
