using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>
/// A = L Lᵀ of a symmetric positive definite matrix, and what it solves. Blocks of columns at a time; the triangles on the diagonal are
/// inverted once, so that products do all the work but theirs.
/// </summary>
internal sealed class Cholesky<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Columns of a block: its triangle stays in the first-level cache.</summary>
    private const int Block = 32;

    private readonly T[] _l,
        _inverses;
    private readonly int _n;
    private readonly Workers _workers;

    /// <param name="a">The matrix [n, n], whose lower half becomes L.</param>
    /// <param name="n">Its order.</param>
    /// <param name="workers">Threads.</param>
    internal Cholesky(T[] a, int n, Workers workers)
    {
        (_l, _n, _workers) = (a, n, workers);
        _inverses = new T[(n + Block - 1) / Block * Block * Block];
        T[] panel = new T[n * Math.Min(Block, n)];
        for (int k = 0; k < n; k += Block)
        {
            int width = Math.Min(Block, n - k);
            if (k > 0)
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
            for (int row = k; row < k + width; row++)
                Eliminate(row, k);
            Invert(k, width);
            int below = k + width;
            if (below < n)
                TimesInverse(_l.AsSpan(below * n + k), n - below, k, width, panel, isTransposed: true);
        }
    }

    /// <summary>X with X A = B, for rows B [m, n]; B is overwritten by X.</summary>
    public void SolveRows(Span<T> b)
    {
        if (_n == 0)
            return;
        int m = b.Length / _n,
            last = (_n - 1) / Block * Block;
        T[] panel = new T[m * Math.Min(Block, _n)];
        for (int k = 0; k < _n; k += Block)
        {
            int width = Math.Min(Block, _n - k);
            if (k > 0)
                MatrixProduct.Multiply<T>(m, width, k, -T.One, b, _n, 1, _l.AsSpan(k * _n), 1, _n, T.One, b[k..], _n, _workers);
            TimesInverse(b[k..], m, k, width, panel, isTransposed: true);
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
            TimesInverse(b[k..], m, k, width, panel, isTransposed: false);
        }
    }

    /// <summary>Row <paramref name="row"/> of the triangle on the diagonal that begins at <paramref name="first"/>.</summary>
    private void Eliminate(int row, int first)
    {
        Span<T> x = _l.AsSpan(row * _n + first, row + 1 - first);
        for (int j = first; j <= row; j++)
        {
            T value = x[j - first] - TensorPrimitives.Dot<T>(x[..(j - first)], _l.AsSpan(j * _n + first, j - first));
            if (j < row)
            {
                x[j - first] = value * _inverses[Diagonal(j)];
                continue;
            }
            if (!(value > T.Zero))
                throw new NumericalException($"A matrix of order {_n} is not positive definite: pivot {j} is {value:G3}.");
            T pivot = T.Sqrt(value);
            (x[j - first], _inverses[Diagonal(j)]) = (pivot, T.One / pivot);
        }
    }

    /// <summary>The inverse of the triangle at k, whose diagonal is there: row i is -L⁻¹ᵢᵢ Σⱼ Lᵢⱼ (row j), of the rows j before it.</summary>
    private void Invert(int k, int width)
    {
        Span<T> inverse = _inverses.AsSpan(k * Block, Block * Block);
        for (int i = 1; i < width; i++)
        {
            Span<T> row = inverse.Slice(i * Block, i);
            for (int j = 0; j < i; j++)
                TensorPrimitives.MultiplyAdd<T>(inverse.Slice(j * Block, j + 1), _l[(k + i) * _n + k + j], row[..(j + 1)], row[..(j + 1)]);
            TensorPrimitives.Multiply<T>(row, -inverse[i * Block + i], row);
        }
    }

    /// <summary>Columns of rows [m, …], as many as the block at k has, times its inverse or that transposed.</summary>
    private void TimesInverse(Span<T> rows, int m, int k, int width, Span<T> panel, bool isTransposed)
    {
        for (int row = 0; row < m; row++)
            rows.Slice(row * _n, width).CopyTo(panel[(row * width)..]);
        (int down, int right) = isTransposed ? (1, Block) : (Block, 1);
        MatrixProduct.Multiply<T>(
            m,
            width,
            width,
            T.One,
            panel,
            width,
            1,
            _inverses.AsSpan(k * Block),
            down,
            right,
            T.Zero,
            rows,
            _n,
            _workers
        );
    }

    /// <summary>Where the inverse of the triangle that column j is in has its diagonal.</summary>
    private static int Diagonal(int j) => j / Block * Block * Block + j % Block * (Block + 1);
}

/// <inheritdoc cref="Cholesky{T}"/>
internal static class Cholesky
{
    /// <summary>Factors a matrix [n, n] given row after row; only its lower half is read.</summary>
    /// <exception cref="NumericalException">It is not positive definite.</exception>
    public static Cholesky<T> Of<T>(ReadOnlySpan<T> a, int n, Workers? workers = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => new(a[..(n * n)].ToArray(), n, workers ?? Workers.Serial);

    /// <summary>
    /// Factors a matrix that is positive semidefinite up to rounding: where it is singular, A + ridge · I with a ridge that begins at some
    /// epsilons of the mean diagonal and grows tenfold until the factors exist.
    /// </summary>
    /// <param name="a">The matrix [n, n], row after row; only its lower half is read.</param>
    /// <param name="n">Its order.</param>
    /// <param name="ridge">Where the ridge begins, as a part of the mean diagonal; 0 to try without one first.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="memory">n · n numbers to factor in, for those who solve again and again; null for fresh ones.</param>
    /// <exception cref="NumericalException">No ridge helps: the matrix holds values that are not finite.</exception>
    public static Cholesky<T> OfRegularised<T>(ReadOnlySpan<T> a, int n, double ridge = 0, Workers? workers = null, T[]? memory = null)
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
        T[] ridged = memory ?? new T[n * n];
        for (double own = ridge; own <= 10; own = Math.Max(10 * own, least))
        {
            a[..(n * n)].CopyTo(ridged);
            T added = T.CreateChecked(own * unit);
            for (int k = 0; k < n; k++)
                ridged[k * n + k] = a[k * n + k] + added;
            try
            {
                return new(ridged, n, workers ?? Workers.Serial);
            }
            catch (NumericalException)
            {
                // The next ridge is larger.
            }
        }
        throw new NumericalException($"A matrix of order {n} stays singular whatever is added to its diagonal.");
    }
}
