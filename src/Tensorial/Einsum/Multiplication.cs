using System.Buffers;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Einsum;

/// <summary>C[i, j] = Σ A[rowsA[i] + columnsA[p]] B[rowsB[p] + columnsB[j]], by the kernel that suits the extents.</summary>
internal sealed class Multiplication(AddressTable rowsA, AddressTable columnsA, AddressTable rowsB, AddressTable columnsB)
{
    /// <summary>Rows or columns up to which a register tile would be mostly empty.</summary>
    private const int Thin = 2;

    /// <summary>Neighbours side by side from which vectors pay.</summary>
    private const int WorthVectors = 4;

    public int Count { get; } = rowsA.Count * columnsB.Count;

    public void Run<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, T beta, Span<T> c, Workers workers) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        bool hasFewRows = rowsA.Count <= Thin, hasFewColumns = columnsB.Count <= Thin;
        if ((hasFewRows || hasFewColumns) && Prefers(columnsA, rowsB, hasFewRows ? columnsB : rowsA)) Dots(a, b, beta, c);
        else if (hasFewRows) Rows(a, columnsA, rowsA, b, beta, c);
        else if (columnsB.Count == 1) Rows(b, rowsB, columnsB, a, beta, c);
        else Gemm.Multiply(a, rowsA, columnsA, b, rowsB, columnsB, beta, c, columnsB.Count, workers);
    }

    /// <summary>Whether to go along the sum rather than along the long side.</summary>
    private static bool Prefers(AddressTable one, AddressTable other, AddressTable side) =>
        Math.Min(one.MeanRun, other.MeanRun) >= WorthVectors && Math.Min(one.MeanRun, other.MeanRun) > side.MeanRun;

    private void Dots<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, T beta, Span<T> c) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < rowsA.Count; i++)
            for (int j = 0; j < columnsB.Count; j++)
            {
                T dot = ThinProduct.Dot(a[rowsA[i]..], columnsA, b[columnsB[j]..], rowsB);
                ref T sum = ref c[i * columnsB.Count + j];
                sum = T.IsZero(beta) ? dot : beta * sum + dot;
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
            for (int p = 0; p < along.Count; p++) weights[p] = few[vectors[i] + along[p]];
            ThinProduct.Multiply(weights, matrix, shifts, places, beta, c.Slice(i * places.Count, places.Count));
        }
        ArrayPool<T>.Shared.Return(weights);
    }
}
