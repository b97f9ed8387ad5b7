using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Equations;

/// <summary>
/// C[i, j] = Σ A[rowsA[i] + columnsA[p]] B[rowsB[p] + columnsB[j]], by the kernel that suits the extents; or so many of these products,
/// whose values lie side by side everywhere, at once.
/// </summary>
internal sealed class Multiplication(AddressTable rowsA, AddressTable columnsA, AddressTable rowsB, AddressTable columnsB, int lanes)
{
    /// <summary>Rows or columns up to which a register tile would be mostly empty.</summary>
    private const int Thin = 2;

    /// <summary>Neighbours side by side from which vectors pay.</summary>
    private const int WorthVectors = 4;

    /// <summary>Values of an outer product up to which packing is not worth it.</summary>
    private const int SmallOuterProduct = 1 << 14;

    public int Count { get; } = rowsA.Count * columnsB.Count * lanes;

    public void Run<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, T beta, Span<T> c, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (lanes > 1)
        {
            AlongLanes(a, b, c);
            return;
        }
        bool hasFewRows = rowsA.Count <= Thin,
            hasFewColumns = columnsB.Count <= Thin;
        if ((hasFewRows || hasFewColumns) && Prefers(columnsA, rowsB, hasFewRows ? columnsB : rowsA))
            Dots(a, b, beta, c);
        else if (columnsA.Count == 1 && columnsB.Stride == 1 && Count <= SmallOuterProduct)
            OuterProduct(a, b, beta, c);
        else if (hasFewRows)
            Rows(a, columnsA, rowsA, b, beta, c);
        else if (columnsB.Count == 1)
            Rows(b, rowsB, columnsB, a, beta, c);
        else
            MatrixProduct.Multiply(a, rowsA, columnsA, b, rowsB, columnsB, beta, c, columnsB.Count, workers);
    }

    /// <summary>Whether to go along the sum rather than along the long side.</summary>
    private static bool Prefers(AddressTable one, AddressTable other, AddressTable side) =>
        Math.Min(one.MeanRun, other.MeanRun) >= WorthVectors && Math.Min(one.MeanRun, other.MeanRun) > side.MeanRun;

    private void Dots<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, T beta, Span<T> c)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < rowsA.Count; i++)
        for (int j = 0; j < columnsB.Count; j++)
        {
            T dot = ThinProduct.Dot(a[rowsA[i]..], columnsA, b[columnsB[j]..], rowsB);
            ref T sum = ref c[i * columnsB.Count + j];
            sum = T.IsZero(beta) ? dot : beta * sum + dot;
        }
    }

    private void AlongLanes<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> c)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < rowsA.Count; i++)
        for (int j = 0; j < columnsB.Count; j++)
        {
            Span<T> sums = c.Slice((i * columnsB.Count + j) * lanes, lanes);
            TensorPrimitives.Multiply(a.Slice(rowsA[i] + columnsA[0], lanes), b.Slice(rowsB[0] + columnsB[j], lanes), sums);
            for (int p = 1; p < columnsA.Count; p++)
                TensorPrimitives.MultiplyAdd(a.Slice(rowsA[i] + columnsA[p], lanes), b.Slice(rowsB[p] + columnsB[j], lanes), sums, sums);
        }
    }

    private void OuterProduct<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, T beta, Span<T> c)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ReadOnlySpan<T> row = b.Slice(rowsB[0] + columnsB[0], columnsB.Count);
        for (int i = 0; i < rowsA.Count; i++)
        {
            Span<T> sums = c.Slice(i * row.Length, row.Length);
            T factor = a[rowsA[i] + columnsA[0]];
            if (T.IsZero(beta))
                TensorPrimitives.Multiply(row, factor, sums);
            else
                TensorPrimitives.MultiplyAdd(row, factor, sums, sums);
        }
    }

    /// <summary>Each of a few vectors times the matrix.</summary>
    private void Rows<T>(ReadOnlySpan<T> few, AddressTable along, AddressTable vectors, ReadOnlySpan<T> matrix, T beta, Span<T> c)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (AddressTable shifts, AddressTable places) = along == columnsA ? (rowsB, columnsB) : (columnsA, rowsA);
        T[] weights = ArrayPool<T>.Shared.Rent(along.Count);
        for (int i = 0; i < vectors.Count; i++)
        {
            for (int p = 0; p < along.Count; p++)
                weights[p] = few[vectors[i] + along[p]];
            ThinProduct.Multiply(weights, matrix, shifts, places, beta, c.Slice(i * places.Count, places.Count));
        }
        ArrayPool<T>.Shared.Return(weights);
    }
}
