using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.LinearAlgebra;

/// <summary>A = V diag(λ) Vᵀ for a symmetric matrix [n, n]: λ ascends, the columns of V [n, n] are orthonormal.</summary>
public sealed record SymmetricEigen<T>(T[] Values, Tensor<T> Vectors) where T : unmanaged, IBinaryFloatingPointIeee754<T>;

/// <summary>Eigenvalues and eigenvectors of symmetric matrices, in float or double. Only the lower triangle is read.</summary>
public static class SymmetricEigen
{
    private const int MaximalSweeps = 60;

    /// <summary>All eigenvalues and eigenvectors.</summary>
    /// <exception cref="ShapeException">The tensor is not a square matrix.</exception>
    /// <exception cref="NumericalException">A value is NaN or infinite.</exception>
    public static SymmetricEigen<T> Of<T>(Tensor<T> a, Workers? workers = null) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int n, int columns) = Matrix.Extents(a);
        if (n != columns) throw new ShapeException($"Eigenvalues are those of a square matrix, not of a {a.Shape} one.");
        Tensor<T> work = a.Clone(), v = Matrix.Identity<T>(n);
        Span<T> values = work.Values;
        for (int i = 0; i < n; i++)
            for (int j = i + 1; j < n; j++)
                values[i * n + j] = values[j * n + i];
        int exponent = Scaling.Normalize(values);

        for (int sweep = 0; Sweep(values, v.Values, n); sweep++)
            if (sweep == MaximalSweeps) throw new NumericalException($"Jacobi rotations did not converge on a {n}×{n} matrix in {MaximalSweeps} sweeps.");

        T[] diagonal = new T[n];
        for (int i = 0; i < n; i++) diagonal[i] = values[i * n + i];
        int[] order = [.. Enumerable.Range(0, n).OrderBy(i => diagonal[i])];
        Tensor<T> vectors = new([n, n]);
        for (int k = 0; k < n; k++)
            for (int i = 0; i < n; i++)
                vectors.Values[i * n + k] = v.Values[order[k] * n + i];
        T[] eigenvalues = [.. order.Select(i => diagonal[i])];
        Scaling.Multiply<T>(eigenvalues, exponent);
        return new(eigenvalues, vectors);
    }

    private static bool Sweep<T>(Span<T> a, Span<T> v, int n) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T epsilon = T.BitIncrement(T.One) - T.One, norm = T.Zero;
        foreach (T value in a) norm += value * value;
        T negligible = epsilon * epsilon * norm / T.CreateChecked(n);
        bool rotated = false;
        for (int p = 0; p < n; p++)
            for (int q = p + 1; q < n; q++)
            {
                T off = a[p * n + q];
                if (off * off <= negligible) continue;
                rotated = true;
                T zeta = (a[q * n + q] - a[p * n + p]) / (off + off);
                T tangent = (zeta < T.Zero ? -T.One : T.One) / (T.Abs(zeta) + T.Hypot(T.One, zeta));
                T c = T.One / T.Hypot(T.One, tangent), s = c * tangent;
                for (int k = 0; k < n; k++) (a[k * n + p], a[k * n + q]) = (c * a[k * n + p] - s * a[k * n + q], s * a[k * n + p] + c * a[k * n + q]);
                for (int k = 0; k < n; k++) (a[p * n + k], a[q * n + k]) = (c * a[p * n + k] - s * a[q * n + k], s * a[p * n + k] + c * a[q * n + k]);
                for (int k = 0; k < n; k++) (v[p * n + k], v[q * n + k]) = (c * v[p * n + k] - s * v[q * n + k], s * v[p * n + k] + c * v[q * n + k]);
            }
        return rotated;
    }
}
