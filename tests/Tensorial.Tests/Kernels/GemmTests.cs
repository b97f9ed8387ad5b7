using FsCheck;
using FsCheck.Fluent;
using Tensorial.Kernels;

namespace Tensorial.Tests.Kernels;

public class GemmTests
{
    private static readonly VectorWidth[] Widths = Enum.GetValues<VectorWidth>();

    /// <summary>
    /// Nothing, single rows, columns and terms, odd extents around the tiles of all widths, thin and tall ones, more than a block deep.
    /// </summary>
    public static TheoryData<int, int, int> Shapes =>
        new()
        {
            { 0, 3, 4 },
            { 3, 0, 4 },
            { 3, 4, 0 },
            { 1, 1, 1 },
            { 1, 1, 700 },
            { 1, 17, 3 },
            { 2, 31, 9 },
            { 3, 33, 65 },
            { 4, 8, 4 },
            { 5, 5, 5 },
            { 7, 31, 5 },
            { 8, 32, 16 },
            { 13, 47, 10 },
            { 14, 32, 256 },
            { 15, 33, 257 },
            { 29, 65, 31 },
            { 64, 10, 64 },
            { 1, 100, 300 },
            { 300, 1, 20 },
            { 100, 2, 300 },
            { 400, 3, 33 },
            { 2, 300, 513 },
            { 16, 200, 100 },
            { 200, 16, 100 },
            { 57, 91, 600 },
        };

    [Theory, MemberData(nameof(Shapes))]
    public void Agrees_with_three_loops_at_every_width_stride_and_factor(int m, int n, int k)
    {
        Check<float>(m, n, k);
        Check<double>(m, n, k);
    }

    [Fact]
    public void Agrees_with_three_loops_beyond_a_block_of_rows_and_one_of_columns()
    {
        using ThreadWorkers two = new(2);
        new MatrixCase<float>(3100, 9, 70, (70, 1), (9, 1)).Check(VectorWidths.Best, 1, 0, two);
        new MatrixCase<double>(1570, 9, 300, (300, 1), (9, 1)).Check(VectorWidths.Best, 1, 0.5, two);
        new MatrixCase<float>(9, 4200, 70, (70, 1), (4200, 1)).Check(VectorWidths.Best, 1, 0, two);
        new MatrixCase<double>(9, 2100, 300, (300, 1), (2100, 1)).Check(VectorWidths.Best, 1, 0, two);
    }

    [Fact]
    public void Agrees_with_three_loops_for_random_extents()
    {
        using ThreadWorkers two = new(2);
        Gen<int> extent = Gen.Choose(1, 90);
        Prop.ForAll(
                (from m in extent from n in extent from k in Gen.Choose(0, 400) select (m, n, k)).ToArbitrary(),
                shape =>
                {
                    foreach (VectorWidth width in Widths)
                        new MatrixCase<float>(shape.m, shape.n, shape.k, (shape.k, 1), (1, shape.k)).Check(width, 1, 0, two);
                }
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(25));
    }

    [Fact]
    public void Results_have_the_same_bits_for_any_number_of_threads()
    {
        using ThreadWorkers three = new(3);
        foreach ((int m, int n, int k) in new[] { (150, 170, 300), (3, 500, 300), (500, 3, 300), (16, 900, 64) })
        {
            MatrixCase<float> product = new(m, n, k, (k, 1), (n, 1)),
                transposed = new(m, n, k, (k, 1), (1, k));
            Assert.Equal(product.Check(VectorWidths.Best, 1, 0, Workers.Serial), product.Check(VectorWidths.Best, 1, 0, three));
            Assert.Equal(transposed.Check(VectorWidths.Best, 1, 0, Workers.Serial), transposed.Check(VectorWidths.Best, 1, 0, three));
        }
    }

    [Fact]
    public void Infinities_and_NaN_in_a_row_reach_that_row_only()
    {
        float[] a = [1, 2, float.NaN, 4, 5, 6],
            b = [1, 2, 3, 4],
            c = new float[6];
        MatrixProduct.Multiply(3, 2, 2, 1f, a, 2, 1, b, 2, 1, 0f, c, 2, Workers.Serial);
        Assert.Equal([7f, 10f, float.NaN, float.NaN, 23f, 34f], c);
    }

    [Theory]
    [InlineData(3, 4, 4)]
    [InlineData(4, 3, 4)]
    [InlineData(4, 4, 3)]
    public void A_matrix_that_does_not_lie_in_its_memory_is_refused(int a, int b, int c) =>
        Assert.Throws<ArgumentException>(() =>
            MatrixProduct.Multiply(2, 2, 2, 1f, new float[a], 2, 1, new float[b], 2, 1, 0, new float[c], 2, Workers.Serial)
        );

    private static void Check<T>(int m, int n, int k)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        using ThreadWorkers two = new(2);
        (int, int)[] layoutsA = [(k + 1, 1), (1, m + 2), (2 * k, 2)],
            layoutsB = [(n, 1), (1, k + 3), (2 * n, 2)];
        foreach ((int, int) stridesA in layoutsA)
        foreach ((int, int) stridesB in layoutsB)
        {
            MatrixCase<T> product = new(m, n, k, stridesA, stridesB);
            foreach (VectorWidth width in Widths)
            foreach ((double alpha, double beta) in new[] { (1.0, 0.0), (-0.5, 1.0), (2.0, 0.25), (0.0, 0.0) })
                product.Check(width, alpha, beta, two);
        }
    }
}
