using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>
/// A product of reflections H_1 … H_b = I - V T Vᵀ with upper triangular T (Schreiber and Van Loan, SIAM J. Sci. Stat. Comput. 10, 1989),
/// so that b of them are applied as two matrix products. Holds its buffers, to be filled again for the next panel.
/// </summary>
internal sealed class BlockReflector<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T[] _v,
        _t,
        _tau;
    private readonly Workers _workers;

    public BlockReflector(int maximalRows, int maximalWidth, Workers workers)
    {
        Pitch = Wide.Padded<T>(maximalWidth);
        _v = new T[maximalRows * Pitch];
        _t = new T[Pitch * Pitch];
        _tau = new T[Pitch];
        _workers = workers;
    }

    /// <summary>Columns of a panel: 32, or what the panel's kernel can hold.</summary>
    public static int Width => Math.Min(32, ReflectorPanel.MaximalWidth<T>());

    public int Rows { get; private set; }

    /// <summary>Number of reflections, b.</summary>
    public int Count { get; private set; }

    /// <summary>Distance between the rows of <see cref="V"/>.</summary>
    public int Pitch { get; }

    /// <summary>[Rows, Count], unit lower trapezoidal.</summary>
    public ReadOnlySpan<T> V => _v.AsSpan(0, Rows * Pitch);

    /// <summary>[Count, Count] at the same pitch as <see cref="V"/>.</summary>
    public ReadOnlySpan<T> Triangle => _t;

    /// <summary>
    /// Factors the panel at the start of <paramref name="a"/> and leaves R on and above its diagonal, the vectors below it. Returns the
    /// scalars tau.
    /// </summary>
    public ReadOnlySpan<T> Factor(Span<T> a, int stride, int rows, int width)
    {
        Load(a, stride, rows, width);
        ReflectorPanel.Factor(_v, rows, width, Pitch, _tau);
        for (int r = 0; r < rows; r++)
            _v.AsSpan(r * Pitch, width).CopyTo(a[(r * stride)..]);
        Complete();
        return _tau.AsSpan(0, Count);
    }

    /// <summary>
    /// As <see cref="Factor"/> for the transpose of the panel [width, rows] at the start of <paramref name="a"/>: A = L Qᵀ. Only L is
    /// written back, with zeros right of it.
    /// </summary>
    public void FactorTransposed(Span<T> a, int stride, int rows, int width)
    {
        Count = Math.Min(rows, width);
        Rows = rows;
        Clear();
        Transposition.Copy(a, stride, width, rows, _v, Pitch);
        ReflectorPanel.Factor(_v, rows, width, Pitch, _tau);
        for (int k = 0; k < width; k++)
        for (int r = 0; r < rows; r++)
            a[k * stride + r] = r <= k ? _v[r * Pitch + k] : T.Zero;
        Complete();
    }

    /// <summary>
    /// Takes reflections found earlier: vectors below the diagonal at the start of <paramref name="a"/>, and their scalars.
    /// </summary>
    public void Recall(ReadOnlySpan<T> a, int stride, int rows, ReadOnlySpan<T> tau)
    {
        Load(a, stride, rows, tau.Length);
        tau.CopyTo(_tau);
        Complete();
    }

    /// <summary>C ← Qᵀ C, with C [Rows, columns].</summary>
    public void ApplyTransposed(Span<T> c, int stride, int columns) => Apply(c, stride, columns, 1, Pitch);

    /// <summary>C ← Q C, with C [Rows, columns].</summary>
    public void Apply(Span<T> c, int stride, int columns) => Apply(c, stride, columns, Pitch, 1);

    private void Apply(Span<T> c, int stride, int columns, int rowStrideT, int columnStrideT)
    {
        if (columns == 0)
            return;
        T[] products = new T[Count * columns],
            weighted = new T[Count * columns];
        MatrixProduct.Multiply(Count, columns, Rows, T.One, V, 1, Pitch, c, stride, 1, T.Zero, products, columns, _workers);
        MatrixProduct.Multiply(
            Count,
            columns,
            Count,
            T.One,
            _t,
            rowStrideT,
            columnStrideT,
            products,
            columns,
            1,
            T.Zero,
            weighted,
            columns,
            _workers
        );
        MatrixProduct.Multiply(Rows, columns, Count, -T.One, V, Pitch, 1, weighted, columns, 1, T.One, c, stride, _workers);
    }

    private void Load(ReadOnlySpan<T> a, int stride, int rows, int width)
    {
        Rows = rows;
        Count = Math.Min(rows, width);
        Clear();
        for (int r = 0; r < rows; r++)
            a.Slice(r * stride, width).CopyTo(_v.AsSpan(r * Pitch));
    }

    private void Clear() => _v.AsSpan(0, Rows * Pitch).Clear();

    /// <summary>
    /// Makes V explicit (ones and zeros on and above the diagonal) and T from it, column after column: T_j = -tau_j T (Vᵀ v_j).
    /// </summary>
    private void Complete()
    {
        for (int r = 0; r < Math.Min(Rows, Pitch); r++)
        {
            _v.AsSpan(r * Pitch + r, Pitch - r).Clear();
            if (r < Count)
                _v[r * Pitch + r] = T.One;
        }
        if (Count < Pitch && Rows > Count)
            for (int r = Count; r < Rows; r++)
                _v.AsSpan(r * Pitch + Count, Pitch - Count).Clear();

        T[] gram = new T[Count * Count];
        MatrixProduct.Multiply<T>(Count, Count, Rows, T.One, V, 1, Pitch, V, Pitch, 1, T.Zero, gram, Count, Workers.Serial);
        _t.AsSpan().Clear();
        for (int j = 0; j < Count; j++)
        {
            for (int i = 0; i < j; i++)
            {
                T sum = T.Zero;
                for (int k = i; k < j; k++)
                    sum += _t[i * Pitch + k] * gram[k * Count + j];
                _t[i * Pitch + j] = -_tau[j] * sum;
            }
            _t[j * Pitch + j] = _tau[j];
        }
    }
}
