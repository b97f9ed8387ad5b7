using Tensorial.LinearAlgebra;

namespace Tensorial.Tests.LinearAlgebra;

/// <summary>Equations that data leave singular are solved all the same.</summary>
public class RegularisedCholeskyTests
{
    /// <summary>x xᵀ of a single image, at any scale: solved as the plain product says, up to the ridge.</summary>
    [Theory]
    [InlineData(1.0), InlineData(1e-12), InlineData(1e12)]
    public void A_matrix_of_rank_one_is_solved(double scale)
    {
        const int n = 20;
        double[] x = [.. Enumerable.Range(0, n).Select(static k => Math.Sin(k + 1))],
            a = new double[n * n],
            right = new double[n];
        for (int row = 0; row < n; row++)
        for (int column = 0; column < n; column++)
            a[row * n + column] = scale * x[row] * x[column];
        // The right-hand side of weights of ones.
        for (int column = 0; column < n; column++)
            right[column] = x.Sum() * scale * x[column];
        double[] solution = [.. right];
        Cholesky.OfRegularised<double>(a, n).SolveRows(solution);
        for (int column = 0; column < n; column++)
        {
            double product = 0;
            for (int row = 0; row < n; row++)
                product += solution[row] * a[row * n + column];
            Assert.Equal(right[column], product, 1e-3 * scale * n);
        }
    }

    [Fact]
    public void A_matrix_of_zeros_is_solved_as_the_identity_and_one_without_numbers_refused()
    {
        double[] right = [0, 0, 0];
        Cholesky.OfRegularised<double>(new double[9], 3).SolveRows(right);
        Assert.Equal([0, 0, 0], right);
        Assert.Throws<NumericalException>(static () => Cholesky.OfRegularised<double>([double.NaN, 0, 0, 1], 2));
    }
}
