using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>
/// A = Q T Qᵀ with tridiagonal T, for symmetric A [n, n] (Householder 1958). One walk over the matrix a step: the update of the step before
/// waits until the next reflection is known, for which one updated row is enough, and is applied while the next product A v is formed.
/// </summary>
internal sealed class Tridiagonalization<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // As in Bidiagonalization: what is not worth handing to another thread.
    private const int ParallelValues = 32 * 1024;

    private readonly int _n,
        _pitch;
    private readonly T[] _a,
        _product,
        _tau;
    private readonly Workers _workers;
    private T[] _v,
        _w,
        _nextV;

    /// <summary>Reads both triangles of a.</summary>
    public Tridiagonalization(ReadOnlySpan<T> a, int n, Workers workers)
    {
        (_n, _workers, _pitch) = (n, workers, Wide.Padded<T>(n));
        int padded = _pitch + 2 * RankTwoPass.Rows;
        _a = new T[padded * _pitch];
        for (int i = 0; i < n; i++)
            a.Slice(i * n, n).CopyTo(_a.AsSpan(i * _pitch));
        (_v, _w, _nextV, _product) = (new T[padded], new T[padded], new T[padded], new T[padded]);
        _tau = new T[Math.Max(0, n - 2)];
        (Diagonal, OffDiagonal) = (new T[n], new T[Math.Max(0, n - 1)]);
        for (int k = 0; k < n; k++)
            Step(k);
    }

    /// <summary>[n]</summary>
    public T[] Diagonal { get; }

    /// <summary>[n - 1]</summary>
    public T[] OffDiagonal { get; }

    /// <summary>Q, [n, n].</summary>
    public T[] FormQ() => HouseholderQr.FormBordered<T>(_a, _pitch, _n, _tau, _workers);

    private void Step(int k)
    {
        Span<T> row = _a.AsSpan(k * _pitch, _n);
        for (int c = k; c < _n; c++)
            row[c] -= _v[k] * _w[c] + _w[k] * _v[c];
        Diagonal[k] = row[k];
        if (k + 1 < _n)
            OffDiagonal[k] = row[k + 1];
        if (k + 2 >= _n)
            return;

        T square = T.Zero,
            dot = T.Zero;
        for (int c = k + 1; c < _n; c++)
            square += row[c] * row[c];
        (T tau, OffDiagonal[k], T factor) = Reflector.From(row[k + 1], square);
        _tau[k] = tau;
        _nextV.AsSpan(0, k + 1).Clear();
        _nextV[k + 1] = T.One;
        for (int c = k + 2; c < _n; c++)
            _nextV[c] = row[c] *= factor;
        Walk(k + 1);

        (_v, _nextV) = (_nextV, _v);
        // H A H = A - v wᵀ - w vᵀ with w = tau (A v) - (tau² vᵀ A v / 2) v.
        for (int c = k + 1; c < _n; c++)
            dot += _product[c] * _v[c];
        T half = tau * tau * dot / (T.One + T.One);
        _w.AsSpan(0, k + 1).Clear();
        for (int c = k + 1; c < _n; c++)
            _w[c] = tau * _product[c] - half * _v[c];
    }

    private void Walk(int first)
    {
        int left = first / Wide.VectorLength<T>() * Wide.VectorLength<T>(),
            columns = _pitch - left,
            rows = _n - first;
        int parts = (long)rows * columns < ParallelValues ? 1 : _workers.Count;
        int chunk = ((rows + parts - 1) / parts + RankTwoPass.Rows - 1) / RankTwoPass.Rows * RankTwoPass.Rows;
        if (parts == 1)
            Part(0);
        else
            _workers.For(parts, Part);

        void Part(int part)
        {
            int begin = first + part * chunk,
                count = Math.Min(chunk, (_n - begin + RankTwoPass.Rows - 1) / RankTwoPass.Rows * RankTwoPass.Rows);
            if (count <= 0)
                return;
            RankTwoPass.UpdateAndMultiply(
                _a.AsSpan(begin * _pitch + left),
                _pitch,
                columns,
                _v.AsSpan(begin, count),
                _w.AsSpan(left),
                _w.AsSpan(begin, count),
                _v.AsSpan(left),
                _nextV.AsSpan(left),
                _product.AsSpan(begin, count)
            );
        }
    }
}
