using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Tests.Kernels;

public class GemmTests
{
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 1, 1 }, { 1, 17, 3 }, { 8, 32, 16 }, { 7, 31, 5 }, { 9, 33, 257 }, { 64, 10, 64 }, { 1, 100, 300 }, { 300, 1, 20 },
        { 130, 70, 600 }, { 1030, 40, 9 }, { 5, 2100, 30 }, { 0, 3, 4 }, { 3, 0, 4 }, { 3, 4, 0 },
    };

    [Theory, MemberData(nameof(Shapes))]
    public void Agrees_with_three_loops_for_every_type_tile_and_stride(int m, int n, int k)
    {
        Check<float, WideTile>(m, n, k, 2e-4);
        Check<float, NarrowTile>(m, n, k, 2e-4);
        Check<double, WideTile>(m, n, k, 1e-12);
        Check<double, NarrowTile>(m, n, k, 1e-12);
    }

    [Fact]
    public void The_result_does_not_depend_on_the_threads()
    {
        using ThreadWorkers three = new(3);
        float[] a = Random<float>(150 * 300, 1), b = Random<float>(300 * 170, 2), one = new float[150 * 170], many = new float[150 * 170];
        Gemm.Multiply(150, 170, 300, 1, a, 300, 1, b, 170, 1, 0, one, 170, Workers.Serial);
        Gemm.Multiply(150, 170, 300, 1, a, 300, 1, b, 170, 1, 0, many, 170, three);
        Assert.Equal(one, many);
    }

    [Fact]
    public void A_matrix_that_does_not_lie_in_its_memory_is_refused() =>
        Assert.Throws<ArgumentException>(() => Gemm.Multiply(2, 2, 2, 1f, new float[3], 2, 1, new float[4], 2, 1, 0, new float[4], 2, Workers.Serial));

    private static void Check<T, TTile>(int m, int n, int k, double tolerance) where T : unmanaged, IBinaryFloatingPointIeee754<T> where TTile : struct, IGemmTile
    {
        using ThreadWorkers two = new(2);
        foreach (bool transposeA in new[] { false, true })
            foreach (bool transposeB in new[] { false, true })
                foreach ((double alpha, double beta) in new[] { (1.0, 0.0), (-0.5, 1.0), (2.0, 0.25) })
                {
                    (int ra, int ca) = transposeA ? (1, m + 2) : (k + 1, 1);
                    (int rb, int cb) = transposeB ? (1, k + 3) : (n, 1);
                    int rc = n + 1;
                    T[] a = Random<T>((m + 2) * (k + 2), 1), b = Random<T>((k + 3) * (n + 1), 2), c = Random<T>(m * rc + 1, 3);
                    if (beta == 0) c.AsSpan().Fill(T.NaN);
                    T[] expected = (T[])c.Clone();
                    for (int i = 0; i < m; i++)
                        for (int j = 0; j < n; j++)
                        {
                            double sum = 0;
                            for (int p = 0; p < k; p++) sum += double.CreateChecked(a[i * ra + p * ca]) * double.CreateChecked(b[p * rb + j * cb]);
                            double former = beta == 0 ? 0 : beta * double.CreateChecked(c[i * rc + j]);
                            expected[i * rc + j] = T.CreateChecked(alpha * sum + former);
                        }
                    Gemm.Multiply<T, TTile>(m, n, k, T.CreateChecked(alpha), a, ra, ca, b, rb, cb, T.CreateChecked(beta), c, rc, two);
                    for (int i = 0; i < c.Length; i++)
                    {
                        double wanted = double.CreateChecked(expected[i]), got = double.CreateChecked(c[i]);
                        Assert.True(wanted.Equals(got) || Math.Abs(wanted - got) <= tolerance * (1 + Math.Abs(wanted)), $"{typeof(TTile).Name} {i}: {wanted} {got}");
                    }
                }
    }

    private static T[] Random<T>(int count, int seed) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => T.CreateChecked(2 * random.NextDouble() - 1))];
    }
}
