using System.Numerics;

namespace Tensorial.Kernels;

/// <summary>The product of two matrices, float or double, blocked for the caches and shared out over threads.</summary>
internal static unsafe class MatrixProduct
{
    /// <summary>C = alpha A B + beta C.</summary>
    /// <param name="m">Rows of A and C.</param>
    /// <param name="n">Columns of B and C.</param>
    /// <param name="k">Columns of A, rows of B.</param>
    /// <param name="alpha">Factor of the product.</param>
    /// <param name="a">A[i, p] at i · rowStrideA + p · columnStrideA, so that a transposed operand is a matter of strides.</param>
    /// <param name="rowStrideA">Numbers from one row of A to the next.</param>
    /// <param name="columnStrideA">Numbers from one column of A to the next.</param>
    /// <param name="b">B[p, j] at p · rowStrideB + j · columnStrideB.</param>
    /// <param name="rowStrideB">Numbers from one row of B to the next.</param>
    /// <param name="columnStrideB">Numbers from one column of B to the next.</param>
    /// <param name="beta">Factor of what C held; 0 overwrites even NaN.</param>
    /// <param name="c">C[i, j] at i · rowStrideC + j. Overlaps neither A nor B.</param>
    /// <param name="rowStrideC">Numbers from one row of C to the next, at least n.</param>
    /// <param name="workers">Threads. The result does not depend on their number.</param>
    /// <exception cref="ArgumentException">A matrix does not lie within its memory.</exception>
    public static void Multiply<T>(
        int m,
        int n,
        int k,
        T alpha,
        ReadOnlySpan<T> a,
        int rowStrideA,
        int columnStrideA,
        ReadOnlySpan<T> b,
        int rowStrideB,
        int columnStrideB,
        T beta,
        Span<T> c,
        int rowStrideC,
        Workers workers
    )
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Multiply(
            VectorWidths.Best,
            m,
            n,
            k,
            alpha,
            a,
            rowStrideA,
            columnStrideA,
            b,
            rowStrideB,
            columnStrideB,
            beta,
            c,
            rowStrideC,
            workers
        );

    /// <summary>As the public product, at a given width.</summary>
    internal static void Multiply<T>(
        VectorWidth width,
        int m,
        int n,
        int k,
        T alpha,
        ReadOnlySpan<T> a,
        int rowStrideA,
        int columnStrideA,
        ReadOnlySpan<T> b,
        int rowStrideB,
        int columnStrideB,
        T beta,
        Span<T> c,
        int rowStrideC,
        Workers workers
    )
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (m == 0 || n == 0)
            return;
        Check(m, k, rowStrideA, columnStrideA, a.Length, nameof(a));
        Check(k, n, rowStrideB, columnStrideB, b.Length, nameof(b));
        Check(m, n, rowStrideC, 1, c.Length, nameof(c));
        fixed (
            T* left = a,
                right = b,
                result = c
        )
            using (Bounds.Know(left, a.Length, right, b.Length, result, c.Length))
            {
                Product<T> product = new(m, n, k, alpha, beta, result, rowStrideC, workers);
                FewRows<T> few = new(product, left, rowStrideA, columnStrideA, right, rowStrideB, columnStrideB);
                if (k == 0 || T.IsZero(alpha))
                    product.Scale();
                else if (few.IsSuitable)
                    few.Run();
                else
                    width.Run<PackedProduct<T, Strided<T>, Strided<T>>, T>(
                        new(product, new(left, rowStrideA, columnStrideA), new(right, columnStrideB, rowStrideB))
                    );
            }
    }

    /// <summary>
    /// C = A B + beta C for operands that are tensors: A[i, p] at rowsA[i] + columnsA[p], B[p, j] at rowsB[p] + columnsB[j]; C as above.
    /// </summary>
    internal static void Multiply<T>(
        ReadOnlySpan<T> a,
        AddressTable rowsA,
        AddressTable columnsA,
        ReadOnlySpan<T> b,
        AddressTable rowsB,
        AddressTable columnsB,
        T beta,
        Span<T> c,
        int rowStrideC,
        Workers workers
    )
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int m, int n, int k) = (rowsA.Count, columnsB.Count, columnsA.Count);
        if (m == 0 || n == 0)
            return;
        if ((long)rowsA.Last + columnsA.Last >= a.Length || (long)rowsB.Last + columnsB.Last >= b.Length)
            throw new ArgumentException("A table reaches beyond its memory.");
        Check(m, n, rowStrideC, 1, c.Length, nameof(c));
        bool isEvenA = rowsA.IsEven && columnsA.IsEven,
            isEvenB = rowsB.IsEven && columnsB.IsEven;
        if (!isEvenA)
            (rowsA, columnsA) = (rowsA.WithOffsets(), columnsA.WithOffsets());
        if (!isEvenB)
            (rowsB, columnsB) = (rowsB.WithOffsets(), columnsB.WithOffsets());
        fixed (
            T* left = a,
                right = b,
                result = c
        )
            using (Bounds.Know(left, a.Length, right, b.Length, result, c.Length))
                fixed (
                    int* vectorsA = rowsA.Offsets,
                        runsA = rowsA.Runs,
                        depthsA = columnsA.Offsets,
                        vectorsB = columnsB.Offsets,
                        runsB = columnsB.Runs,
                        depthsB = rowsB.Offsets
                )
                {
                    Product<T> product = new(m, n, k, T.One, beta, result, rowStrideC, workers);
                    Strided<T> evenA = new(left, rowsA.Stride, columnsA.Stride),
                        evenB = new(right, columnsB.Stride, rowsB.Stride);
                    Scattered<T> freeA = new(left, vectorsA, runsA, depthsA),
                        freeB = new(right, vectorsB, runsB, depthsB);
                    if (k == 0)
                        product.Scale();
                    else if (isEvenA && isEvenB)
                        Run(product, evenA, evenB);
                    else if (isEvenA)
                        Run(product, evenA, freeB);
                    else if (isEvenB)
                        Run(product, freeA, evenB);
                    else
                        Run(product, freeA, freeB);
                }
    }

    private static void Run<T, TLeft, TRight>(Product<T> product, TLeft left, TRight right)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TLeft : struct, IOperand<T>
        where TRight : struct, IOperand<T> => VectorWidths.Best.Run<PackedProduct<T, TLeft, TRight>, T>(new(product, left, right));

    private static void Check(int rows, int columns, int rowStride, int columnStride, int length, string name)
    {
        long last = rows == 0 || columns == 0 ? -1 : (long)(rows - 1) * rowStride + (long)(columns - 1) * columnStride;
        if (rows < 0 || columns < 0 || rowStride < 0 || columnStride < 0 || last >= length)
            throw new ArgumentException(
                $"A matrix {rows}×{columns} with strides {rowStride} and {columnStride} does not lie in {length} values.",
                name
            );
    }
}
