using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Einsum;

/// <summary>C = alpha A B + beta C over strided operands.</summary>
internal static class Products
{
    public static void Multiply<T>(
        int m, int n, int k, T alpha, ReadOnlySpan<T> a, int rowStrideA, int columnStrideA,
        ReadOnlySpan<T> b, int rowStrideB, int columnStrideB, T beta, Span<T> c, int rowStrideC, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] row = new T[n];
        for (int i = 0; i < m; i++)
        {
            Span<T> target = c.Slice(i * rowStrideC, n);
            if (T.IsZero(beta)) target.Clear();
            else TensorPrimitives.Multiply(target, beta, target);
            for (int p = 0; p < k; p++)
            {
                T factor = alpha * a[i * rowStrideA + p * columnStrideA];
                for (int j = 0; j < n; j++) row[j] = b[p * rowStrideB + j * columnStrideB];
                TensorPrimitives.MultiplyAdd(row, factor, target, target);
            }
        }
    }
}
