using Tensorial.Decompositions;
using Tensorial.LinearAlgebra;

namespace Tensorial.Tests.Decompositions;

public class EvbmfTests
{
    [Theory]
    [InlineData(64, 576, 10)]
    [InlineData(576, 64, 10)]
    [InlineData(100, 100, 30)]
    [InlineData(40, 50, 5)]
    [InlineData(64, 576, 0)]
    public void Planted_ranks_are_found_and_so_is_the_noise(int rows, int columns, int rank)
    {
        Tensor<double> matrix = Some.Noise([rows, columns], 1);
        if (rank > 0)
        {
            Tensor<double> signal = Some.OfRank(TensorFormat.TensorTrain(2), [rows, columns], [rank], 2);
            for (int k = 0; k < matrix.Shape.ElementCount; k++)
                matrix.Values[k] = 0.5 * matrix.Values[k] + signal.Values[k];
        }

        Evbmf found = Evbmf.From(Svd.Values(matrix), rows, columns);

        Assert.Equal(rank, found.Rank);
        // Planted components carry noise of their own, which the estimate cannot tell from the rest.
        Assert.InRange(found.NoiseVariance / (rank > 0 ? 0.25 : 1), 0.95, 1.25);
    }

    [Fact]
    public void Scale_does_not_matter()
    {
        double[] values = Svd.Values(Some.OfRank(TensorFormat.TensorTrain(2), [30, 40], [6], 3, 0.3));

        Assert.Equal(Evbmf.From(values, 30, 40).Rank, Evbmf.From([.. values.Select(static value => 1e-20 * value)], 30, 40).Rank);
    }

    [Fact]
    public void A_matrix_of_zeros_has_no_rank() => Assert.Equal(new(0, 0), Evbmf.From(new double[5], 5, 9));

    [Fact]
    public void Every_singular_value_is_needed() => Assert.Throws<ShapeException>(() => Evbmf.From([3, 2], 5, 9));
}
