using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>
/// A = L Lᵀ of a symmetric positive definite matrix, and what it solves. Blocks of columns at a time, so that products do the work.
/// </summary>
internal sealed class Cholesky<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Columns of a block: its triangle stays in the first-level cache.</summary>
    private const int Block = 32;

    private readonly T[] _l;
    private readonly int _n;
    private readonly Workers _workers;

    internal Cholesky(ReadOnlySpan<T> a, int n, Workers workers)
    {
        (_l, _n, _workers) = (a[..(n * n)].ToArray(), n, workers);
        for (int k = 0; k < n; k += Block)
        {
            int width = Math.Min(Block, n - k);
            MatrixProduct.Multiply<T>(
                n - k,
                width,
                k,
                -T.One,
                _l.AsSpan(k * n),
                n,
                1,
                _l.AsSpan(k * n),
                1,
                n,
                T.One,
                _l.AsSpan(k * n + k),
                n,
                workers
            );
            for (int row = k; row < n; row++)
                Eliminate(row, k, Math.Min(k + width, row + 1));
        }
    }

    /// <summary>X with X A = B, for rows B [m, n]; B is overwritten by X.</summary>
    public void SolveRows(Span<T> b)
    {
        int m = _n == 0 ? 0 : b.Length / _n,
            last = (_n - 1) / Block * Block;
        for (int k = 0; k < _n; k += Block)
        {
            int width = Math.Min(Block, _n - k);
            if (k > 0)
                MatrixProduct.Multiply<T>(m, width, k, -T.One, b, _n, 1, _l.AsSpan(k * _n), 1, _n, T.One, b[k..], _n, _workers);
            for (int row = 0; row < m; row++)
                Forward(b.Slice(row * _n + k, width), k);
        }
        for (int k = last; k >= 0; k -= Block)
        {
            int width = Math.Min(Block, _n - k),
                done = k + width;
            if (done < _n)
                MatrixProduct.Multiply<T>(
                    m,
                    width,
                    _n - done,
                    -T.One,
                    b[done..],
                    _n,
                    1,
                    _l.AsSpan(done * _n + k),
                    _n,
                    1,
                    T.One,
                    b[k..],
                    _n,
                    _workers
                );
            for (int row = 0; row < m; row++)
                Backward(b.Slice(row * _n + k, width), k);
        }
    }

    /// <summary>Row <paramref name="row"/> of L in the columns from <paramref name="first"/> to before <paramref name="end"/>.</summary>
    private void Eliminate(int row, int first, int end)
    {
        Span<T> x = _l.AsSpan(row * _n + first, end - first);
        for (int j = first; j < end; j++)
        {
            T value = x[j - first] - TensorPrimitives.Dot<T>(x[..(j - first)], _l.AsSpan(j * _n + first, j - first));
            if (j < row)
            {
                x[j - first] = value / _l[j * _n + j];
                continue;
            }
            if (!(value > T.Zero))
                throw new NumericalException($"A matrix of order {_n} is not positive definite: pivot {j} is {value:G3}.");
            x[j - first] = T.Sqrt(value);
        }
    }

    private void Forward(Span<T> x, int first)
    {
        for (int i = 0; i < x.Length; i++)
        {
            int at = (first + i) * _n + first;
            x[i] = (x[i] - TensorPrimitives.Dot<T>(_l.AsSpan(at, i), x[..i])) / _l[at + i];
        }
    }

    private void Backward(Span<T> x, int first)
    {
        for (int i = x.Length - 1; i >= 0; i--)
        {
            int at = (first + i) * _n + first;
            T value = x[i] /= _l[at + i];
            TensorPrimitives.MultiplyAdd<T>(_l.AsSpan(at, i), -value, x[..i], x[..i]);
        }
    }
}

/// <inheritdoc cref="Cholesky{T}"/>
internal static class Cholesky
{
    /// <summary>Factors a matrix [n, n] given row after row; only its lower half is read.</summary>
    /// <exception cref="NumericalException">It is not positive definite.</exception>
    public static Cholesky<T> Of<T>(ReadOnlySpan<T> a, int n, Workers? workers = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => new(a, n, workers ?? Workers.Serial);

    /// <summary>
    /// Factors a matrix that is positive semidefinite up to rounding: where it is singular, A + ridge · I with a ridge that begins at some
    /// epsilons of the mean diagonal and grows tenfold until the factors exist.
    /// </summary>
    /// <param name="a">The matrix [n, n], row after row; only its lower half is read.</param>
    /// <param name="n">Its order.</param>
    /// <param name="ridge">Where the ridge begins, as a part of the mean diagonal; 0 to try without one first.</param>
    /// <param name="workers">Threads.</param>
    /// <exception cref="NumericalException">No ridge helps: the matrix holds values that are not finite.</exception>
    public static Cholesky<T> OfRegularised<T>(ReadOnlySpan<T> a, int n, double ridge = 0, Workers? workers = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double mean = 0;
        for (int k = 0; k < n; k++)
            mean += Math.Abs(double.CreateChecked(a[k * n + k])) / n;
        if (!double.IsFinite(mean))
            throw new NumericalException($"A matrix of order {n} holds values that are not finite.");
        // A diagonal of nothing, as of inputs that never change, is solved as the identity.
        double unit = mean > 0 ? mean : 1,
            least = typeof(T) == typeof(float) ? 1e-6 : 1e-12;
        T[] ridged = a[..(n * n)].ToArray();
        for (double own = ridge; own <= 10; own = Math.Max(10 * own, least))
        {
            T added = T.CreateChecked(own * unit);
            for (int k = 0; k < n; k++)
                ridged[k * n + k] = a[k * n + k] + added;
            try
            {
                return Of<T>(ridged, n, workers);
            }
            catch (NumericalException)
            {
                // The next ridge is larger.
            }
        }
        throw new NumericalException($"A matrix of order {n} stays singular whatever is added to its diagonal.");
    }
}
