using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>
/// A = Q B Pᵀ with upper bidiagonal B (Golub and Kahan 1965), for A [m, n], m ≥ n. Reads the matrix once and rewrites it once per column,
/// where the textbook reads it twice and rewrites it twice: both rank-one updates of a step wait for the same walk, which also sums what
/// the next column needs.
/// </summary>
/// <remarks>Bound by memory once the matrix leaves the cache; for values alone of large matrices <see cref="BandReduction"/> is
/// faster.</remarks>
internal sealed class Bidiagonalization<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // A walk shorter than this many values costs less than handing half of it to another thread.
    private const int ParallelValues = 32 * 1024;

    private readonly int _m,
        _n,
        _pitch;
    private readonly T[] _a,
        _v,
        _z,
        _y,
        _w,
        _u,
        _sums,
        _tauLeft,
        _tauRight;
    private readonly T[][] _partialSums;
    private readonly Workers _workers;

    public Bidiagonalization(ReadOnlySpan<T> a, int m, int n, int stride, Workers workers)
    {
        (_m, _n, _workers) = (m, n, workers);
        _pitch = Wide.Padded<T>(n);
        int paddedRows = m + 2 * RankTwoPass.Rows;
        _a = new T[paddedRows * _pitch];
        for (int i = 0; i < m; i++)
            a.Slice(i * stride, n).CopyTo(_a.AsSpan(i * _pitch));
        (_v, _z, _y) = (new T[paddedRows], new T[paddedRows], new T[paddedRows]);
        (_w, _u, _sums) = (new T[_pitch], new T[_pitch], new T[_pitch]);
        (_tauLeft, _tauRight) = (new T[n], new T[Math.Max(0, n - 2)]);
        _partialSums = [.. Enumerable.Range(0, workers.Count).Select(_ => new T[_pitch])];
        (Diagonal, SuperDiagonal) = (new T[n], new T[Math.Max(0, n - 1)]);
        Reduce();
    }

    /// <summary>[n]</summary>
    public T[] Diagonal { get; }

    /// <summary>[n - 1]</summary>
    public T[] SuperDiagonal { get; }

    /// <summary>The first n columns of Q, [m, n].</summary>
    public T[] FormQ()
    {
        T[] q = new T[_m * _n];
        HouseholderQr.FormQ<T>(_a, _pitch, _m, _tauLeft, q, _n, _workers);
        return q;
    }

    /// <summary>P, [n, n]. Its first column is that of the identity.</summary>
    public T[] FormP() => HouseholderQr.FormBordered<T>(_a, _pitch, _n, _tauRight, _workers);

    private void Reduce()
    {
        Walk(0, 0, products: false);
        for (int k = 0; k < _n; k++)
        {
            Span<T> top = _a.AsSpan(k * _pitch, _pitch);
            (_tauLeft[k], T beta, T factor) = Reflector.From(top[k], _sums[k]);
            for (int c = 0; c < _pitch; c++)
                _w[c] = c <= k ? T.Zero : _tauLeft[k] * (_sums[c] - beta * top[c]) * factor;
            Diagonal[k] = beta;
            for (int c = k + 1; c < _n; c++)
                top[c] -= _w[c];
            for (int r = k + 1; r < _m; r++)
                _v[r] = _a[r * _pitch + k] *= factor;
            if (k + 1 == _n)
                break;

            T tau = T.Zero,
                dot = T.Zero;
            _u.AsSpan(0, k + 1).Clear();
            if (k + 2 < _n)
            {
                T square = T.Zero;
                for (int c = k + 1; c < _n; c++)
                    square += top[c] * top[c];
                (tau, SuperDiagonal[k], factor) = Reflector.From(top[k + 1], square);
                _tauRight[k] = tau;
                _u[k + 1] = T.One;
                for (int c = k + 2; c < _n; c++)
                    _u[c] = top[c] *= factor;
                for (int c = k + 1; c < _n; c++)
                    dot += _w[c] * _u[c];
                Walk(k + 1, k + 1, products: true);
            }
            else
            {
                SuperDiagonal[k] = top[k + 1];
                _u[k + 1] = T.Zero;
            }
            // (A - v wᵀ) u = A u - v (wᵀ u)
            for (int r = k + 1; r < _m; r++)
                _z[r] = tau * (_y[r] - _v[r] * dot);
            Walk(k + 1, k + 1, products: false);
        }
    }

    /// <summary>
    /// Over rows from <paramref name="first"/> on: y = A u, or the update by v, w, z, u with the sums for column <paramref name="column"/>.
    /// </summary>
    private void Walk(int first, int column, bool products)
    {
        int left = column / Wide.VectorLength<T>() * Wide.VectorLength<T>(),
            columns = _pitch - left,
            rows = Math.Max(0, _m - first);
        int parts = (long)rows * columns < ParallelValues ? 1 : _workers.Count;
        int chunk = (rows + parts - 1) / parts;
        chunk = (chunk + RankTwoPass.Rows - 1) / RankTwoPass.Rows * RankTwoPass.Rows;
        if (parts == 1)
            Part(0);
        else
            _workers.For(parts, Part);
        if (products)
            return;
        Span<T> sums = _sums.AsSpan(left);
        _partialSums[0].AsSpan(left).CopyTo(sums);
        for (int part = 1; part < parts; part++)
            System.Numerics.Tensors.TensorPrimitives.Add(sums, _partialSums[part].AsSpan(left), sums);

        void Part(int part)
        {
            int begin = first + part * chunk,
                count = Math.Min(chunk, (_m - begin + RankTwoPass.Rows - 1) / RankTwoPass.Rows * RankTwoPass.Rows);
            Span<T> target = _partialSums[part].AsSpan(left);
            target.Clear();
            if (count <= 0)
                return;
            Span<T> a = _a.AsSpan(begin * _pitch + left);
            if (products)
                RankTwoPass.Products(a, _pitch, columns, _u.AsSpan(left), _y.AsSpan(begin, count));
            else
                RankTwoPass.UpdateAndSum(
                    a,
                    _pitch,
                    columns,
                    _v.AsSpan(begin, count),
                    _w.AsSpan(left),
                    _z.AsSpan(begin, count),
                    _u.AsSpan(left),
                    column - left,
                    target
                );
        }
    }
}
