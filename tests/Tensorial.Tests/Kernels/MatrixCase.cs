using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Tests.Kernels;

/// <summary>Random matrices in memory that is larger than they are, and their product by three loops in double.</summary>
internal sealed class MatrixCase<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const double Guard = 77;

    private readonly int _m,
        _n,
        _k,
        _rowsC;
    private readonly (int Row, int Column) _stridesA,
        _stridesB;
    private readonly T[] _a,
        _b;
    private readonly double[] _sums,
        _magnitudes;

    public MatrixCase(int m, int n, int k, (int Row, int Column) stridesA, (int Row, int Column) stridesB, int seed = 1)
    {
        (_m, _n, _k, _stridesA, _stridesB, _rowsC) = (m, n, k, stridesA, stridesB, n + 3);
        Random random = new(seed);
        _a = Fill(random, m, k, stridesA);
        _b = Fill(random, k, n, stridesB);
        (_sums, _magnitudes) = (new double[m * n], new double[m * n]);
        for (int i = 0; i < m; i++)
        for (int p = 0; p < k; p++)
        for (int j = 0; j < n; j++)
        {
            double term = A(i, p) * double.CreateChecked(_b[p * stridesB.Row + j * stridesB.Column]);
            _sums[i * n + j] += term;
            _magnitudes[i * n + j] += Math.Abs(term);
        }
    }

    /// <summary>
    /// Multiplies and compares; each result may err by the machine's epsilon times the terms of its sum, however they are ordered.
    /// </summary>
    public T[] Check(VectorWidth width, double alpha, double beta, Workers workers)
    {
        T[] c = new T[_m * _rowsC];
        for (int i = 0; i < c.Length; i++)
            c[i] = T.CreateChecked(
                i % _rowsC >= _n ? Guard
                : beta == 0 ? double.NaN
                : Former(i / _rowsC, i % _rowsC)
            );
        MatrixProduct.Multiply(
            width,
            _m,
            _n,
            _k,
            T.CreateChecked(alpha),
            _a,
            _stridesA.Row,
            _stridesA.Column,
            _b,
            _stridesB.Row,
            _stridesB.Column,
            T.CreateChecked(beta),
            c,
            _rowsC,
            workers
        );

        double epsilon = double.CreateChecked(T.BitIncrement(T.One) - T.One);
        for (int i = 0; i < _m; i++)
        for (int j = 0; j < _rowsC; j++)
        {
            double got = double.CreateChecked(c[i * _rowsC + j]);
            if (j >= _n)
            {
                Assert.Equal(Guard, got);
                continue;
            }
            double former = beta == 0 ? 0 : beta * Former(i, j),
                wanted = alpha * _sums[i * _n + j] + former;
            double bound = epsilon * ((_k + 2) * Math.Abs(alpha) * _magnitudes[i * _n + j] + 2 * Math.Abs(former));
            Assert.True(
                Math.Abs(wanted - got) <= bound,
                $"{typeof(T).Name} {_m}×{_n}×{_k} {width} beta {beta}: C[{i}, {j}] is {got}, not {wanted} ± {bound}"
            );
        }
        return c;
    }

    private static double Former(int i, int j) => (i * 7 + j * 3) % 11 - 5;

    private double A(int i, int p) => double.CreateChecked(_a[i * _stridesA.Row + p * _stridesA.Column]);

    private static T[] Fill(Random random, int rows, int columns, (int Row, int Column) strides)
    {
        // Exactly as long as the matrix reaches: a kernel that reads further runs into the guard of the heap or the check at the door.
        int length = rows == 0 || columns == 0 ? 0 : (rows - 1) * strides.Row + (columns - 1) * strides.Column + 1;
        T[] values = new T[length];
        values.AsSpan().Fill(T.NaN);
        for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            values[i * strides.Row + j * strides.Column] = T.CreateChecked(2 * random.NextDouble() - 1);
        return values;
    }
}
