using System.Numerics.Tensors;

namespace Tensorial.LinearAlgebra;

/// <summary>A = L Lᵀ of a symmetric positive definite matrix, and what it solves.</summary>
public sealed class Cholesky
{
    private readonly double[] _l;
    private readonly int _n;

    private Cholesky(double[] l, int n) => (_l, _n) = (l, n);

    /// <summary>Factors a matrix [n, n] given row after row; only its lower half is read.</summary>
    /// <exception cref="NumericalException">It is not positive definite.</exception>
    public static Cholesky Of(ReadOnlySpan<double> a, int n)
    {
        double[] l = a.ToArray();
        for (int j = 0; j < n; j++)
        {
            Span<double> row = l.AsSpan(j * n, n);
            double pivot = row[j] - TensorPrimitives.SumOfSquares<double>(row[..j]);
            if (!(pivot > 0)) throw new NumericalException($"A matrix of order {n} is not positive definite: pivot {j} is {pivot:G3}.");
            row[j] = Math.Sqrt(pivot);
            double inverse = 1 / row[j];
            for (int i = j + 1; i < n; i++)
                l[i * n + j] = (l[i * n + j] - TensorPrimitives.Dot<double>(l.AsSpan(i * n, j), row[..j])) * inverse;
        }
        return new(l, n);
    }

    /// <summary>X with X A = B, for rows B [m, n]; B is overwritten by X.</summary>
    public void SolveRows(Span<double> b)
    {
        for (int at = 0; at < b.Length; at += _n)
        {
            Span<double> x = b.Slice(at, _n);
            for (int i = 0; i < _n; i++)
                x[i] = (x[i] - TensorPrimitives.Dot<double>(_l.AsSpan(i * _n, i), x[..i])) / _l[i * _n + i];
            for (int i = _n - 1; i >= 0; i--)
            {
                double value = x[i] /= _l[i * _n + i];
                TensorPrimitives.MultiplyAdd<double>(_l.AsSpan(i * _n, i), -value, x[..i], x[..i]);
            }
        }
    }
}
