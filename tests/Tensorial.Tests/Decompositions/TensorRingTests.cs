using Tensorial.Decompositions;

namespace Tensorial.Tests.Decompositions;

public class TensorRingTests
{
    [Theory]
    [InlineData(new[] { 6, 5, 7 }, new[] { 2, 3, 2 })]
    [InlineData(new[] { 9, 8, 3, 3 }, new[] { 2, 3, 2, 3 })]
    [InlineData(new[] { 4, 5, 3, 4, 3 }, new[] { 2, 2, 2, 2, 2 })]
    public void A_tensor_made_of_a_ring_is_recovered(int[] extents, int[] ranks)
    {
        Tensor<double> tensor = Some.OfRank(TensorFormat.TensorRing(extents.Length), Shape.From(extents), [.. ranks], 1);

        Assert.InRange(
            TensorRing.Fit(tensor, RankChoice.From(ranks), options: new(Starts: 4, Sweeps: 2000, Tolerance: 0)).RelativeError,
            0,
            1e-4
        );
    }

    [Fact]
    public void Modes_may_come_in_any_order()
    {
        Tensor<double> tensor = Some.OfRank(TensorFormat.TensorRing(4, 1, 2, 3, 0), [9, 8, 3, 3], [2, 3, 2, 3], 2);

        Assert.InRange(
            TensorRing.Fit(tensor, RankChoice.From(2, 3, 2, 3), [1, 2, 3, 0], new(Starts: 4, Sweeps: 2000, Tolerance: 0)).RelativeError,
            0,
            1e-4
        );
    }

    [Fact]
    public void A_ring_whose_ends_need_no_bond_is_a_train()
    {
        Tensor<double> tensor = Some.Noise([8, 7, 6], 3);

        double ring = TensorRing.Fit(tensor, RankChoice.From(1, 4, 3), options: new(Sweeps: 0)).RelativeError;

        Assert.Equal(TensorTrain.Fit(tensor, RankChoice.From(4, 3)).RelativeError, ring, 1e-12);
    }

    [Fact]
    public void Least_squares_improve_on_singular_values()
    {
        Tensor<double> tensor = Some.Noise([16, 12, 3, 3], 4);
        TensorFactors<double> start = TensorRing.Fit(tensor, RankChoice.From(3, 4, 4, 4), options: new(Sweeps: 0));
        TensorFactors<double> fit = TensorRing.Fit(tensor, RankChoice.From(3, 4, 4, 4));

        Assert.InRange(fit.RelativeError, 0, start.RelativeError - 0.01);
        Assert.Equal(3 * 16 * 4 + 4 * 12 * 4 + 4 * 3 * 4 + 4 * 3 * 3, fit.Parameters);
    }

    [Fact]
    public void Single_precision_fits_nearly_as_well()
    {
        Tensor<double> tensor = Some.OfRank(TensorFormat.TensorRing(4), [12, 10, 3, 3], [2, 3, 3, 2], 5, 0.3);
        RankChoice ranks = RankChoice.From(2, 3, 3, 2);

        Assert.InRange(TensorRing.Fit(Some.Single(tensor), ranks).RelativeError, 0, 1.02 * TensorRing.Fit(tensor, ranks).RelativeError);
    }

    [Fact]
    public void Budgets_and_errors_are_kept()
    {
        Tensor<double> tensor = Some.OfRank(TensorFormat.TensorRing(4), [12, 10, 3, 3], [2, 3, 3, 2], 6, 0.1);

        Assert.InRange(TensorRing.Fit(tensor, new RankChoice.AtRate(0.3)).Rate, 0.2, 0.3);
        Assert.InRange(TensorRing.Fit(tensor, new RankChoice.WithinError(0.15)).RelativeError, 0.05, 0.15);
    }
}
