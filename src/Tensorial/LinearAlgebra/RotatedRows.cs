using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>
/// Rows that wait for rotations. An implicit QR iteration finds its rotations one by one on a few scalars; here they are gathered and
/// applied many chains at a time, strip of columns by strip, so that a strip stays in the cache and strips go to different threads.
/// </summary>
internal sealed class RotatedRows<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int _rows,
        _columns,
        _pitch;
    private readonly T[] _values;
    private readonly Workers _workers;
    private readonly List<Chain> _chains = [];
    private int _waiting;

    /// <summary>Of a matrix [rows, columns], which is copied; with <paramref name="transpose"/> the matrix is [columns, rows].</summary>
    public RotatedRows(ReadOnlySpan<T> matrix, int rows, int columns, bool transpose, Workers workers)
    {
        (_rows, _columns, _workers) = (rows, columns, workers);
        int strip = RotationChain.Columns<T>();
        _pitch = (columns + strip - 1) / strip * strip;
        _values = new T[rows * _pitch];
        if (transpose)
            Transposition.Copy(matrix, rows, columns, rows, _values, _pitch);
        else
            for (int i = 0; i < rows; i++)
                matrix.Slice(i * columns, columns).CopyTo(Row(i));
    }

    private readonly record struct Chain(int First, int Step, T[] Cosines, T[] Sines);

    /// <summary>Row i; call <see cref="Flush"/> first.</summary>
    public Span<T> Row(int i) => _values.AsSpan(i * _pitch, _columns);

    /// <summary>
    /// For k = 0, 1, …, with i = first + k step and j = i + step: (row_i, row_j) ← (c_k row_i + s_k row_j, c_k row_j - s_k row_i). The step
    /// is 1 or -1.
    /// </summary>
    public void Rotate(int first, int step, ReadOnlySpan<double> cosines, ReadOnlySpan<double> sines)
    {
        T[] c = new T[cosines.Length],
            s = new T[sines.Length];
        for (int k = 0; k < c.Length; k++)
            (c[k], s[k]) = (T.CreateTruncating(cosines[k]), T.CreateTruncating(sines[k]));
        _chains.Add(new(first, step, c, s));
        _waiting += c.Length;
        // Some forty full chains: enough to pay for bringing a strip into the cache.
        if (_waiting > 40 * _rows)
            Flush();
    }

    public void Flush()
    {
        int strip = RotationChain.Columns<T>(),
            strips = _pitch / strip;
        // A strip is written by one body and the order within it is fixed: the bits do not depend on the number of threads.
        _workers.For(
            strips,
            index =>
            {
                foreach ((int first, int step, T[] cosines, T[] sines) in _chains)
                    RotationChain.Apply(_values, first * _pitch + index * strip, step * _pitch, cosines, sines);
            }
        );
        _chains.Clear();
        _waiting = 0;
    }
}
