using System.Numerics;
using System.Numerics.Tensors;

namespace Tensorial.Kernels;

/// <summary>What a matrix product is to do with its sums: C = alpha · sums + beta · C, for C [m, n] and sums over k terms.</summary>
internal readonly unsafe struct Product<T>(int m, int n, int k, T alpha, T beta, T* c, nint rowStride, Workers workers)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Below this many multiplications a second thread takes longer to come than the work does: some 5 µs.</summary>
    private const long WorthSharing = 1 << 18;

    public int M => m;

    public int N => n;

    public int K => k;

    public T Alpha => alpha;

    public T Beta => beta;

    public nint RowStride => rowStride;

    public Workers Workers { get; } = (long)m * n * k < WorthSharing ? Workers.Serial : workers;

    public T* At(int row, int column) => c + row * rowStride + column;

    /// <summary>C = beta C.</summary>
    public void Scale()
    {
        for (int row = 0; row < m; row++)
        {
            Span<T> values = Bounds.Span(At(row, 0), n);
            if (T.IsZero(beta))
                values.Clear();
            else
                TensorPrimitives.Multiply(values, beta, values);
        }
    }
}
