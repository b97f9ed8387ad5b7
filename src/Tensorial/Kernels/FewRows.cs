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

    private void Dots(int row, int first, int count)
    {
        ReadOnlySpan<T> left = Bounds.Span(a + (nint)row * rowStrideA, product.K);
        Span<T> to = Bounds.Span(product.At(row, first), count);
        for (int j = 0; j < count; j++)
        {
            T sum = product.Alpha * TensorPrimitives.Dot(left, Bounds.Span(b + (nint)(first + j) * columnStrideB, product.K));
            to[j] = T.IsZero(product.Beta) ? sum : sum + product.Beta * to[j];
        }
    }

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
}
