using System.Collections.Immutable;
using Tensorial.Decompositions;
using Tensorial.LinearAlgebra;

namespace Tensorial.Tests.Decompositions;

/// <summary>
/// Laws of the formats that singular values rule: Tucker, tensor train, and with it the truncated singular value decomposition.
/// </summary>
public class SpectralFitTests
{
    private static readonly Shape Small = [7, 6, 3, 4];

    public static TheoryData<string> Formats => ["tucker", "tucker2", "tt", "chain"];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Full_rank_reconstructs(string name)
    {
        Tensor<double> tensor = Some.Noise(Small, 1);
        TensorFactors<double> fit = Fit(tensor, name, new RankChoice.Given(TensorFormatTests.Named(name).MaxRanks(Small)));

        Assert.InRange(Some.Distance(tensor, fit.Reconstruct()), 0, 1e-13);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_tensor_made_of_few_ranks_is_recovered_and_its_ranks_are_found(string name)
    {
        TensorFormat format = TensorFormatTests.Named(name);
        ImmutableArray<int> ranks = [.. format.MaxRanks(Small).Select(static most => Math.Min(2, most))];
        Tensor<double> tensor = Some.OfRank(format, Small, ranks, 2);

        TensorFactors<double> given = Fit(tensor, name, new RankChoice.Given(ranks)),
            found = Fit(tensor, name, new RankChoice.WithinError(1e-9));

        Assert.InRange(given.RelativeError, 0, 1e-12);
        Assert.Equal(string.Join('×', ranks), string.Join('×', found.Ranks));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void The_error_asked_for_is_kept_and_the_budget_too(string name)
    {
        Tensor<double> tensor = Some.OfRank(
            TensorFormatTests.Named(name),
            [16, 12, 3, 3],
            [.. TensorFormatTests.Named(name).MaxRanks([16, 12, 3, 3]).Select(static most => Math.Min(3, most))],
            3,
            0.3
        );
        long before = tensor.Shape.ElementCount / 2;
        foreach (double error in (double[])[0.35, 0.6, 0.8])
        {
            TensorFactors<double> fit = Fit(tensor, name, new RankChoice.WithinError(error));
            Assert.InRange(fit.RelativeError, error / 4, error);
            Assert.InRange(fit.Parameters, 1, before);
            before = fit.Parameters;
        }
        foreach (double rate in (double[])[0.1, 0.3, 0.7])
        {
            TensorFactors<double> fit = Fit(tensor, name, new RankChoice.AtRate(rate));
            Assert.InRange(fit.Rate, rate / 2, rate);
            Assert.Equal(fit.Factors.Sum(static factor => factor.Shape.ElementCount), fit.Parameters);
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Single_precision_fits_as_well(string name)
    {
        Tensor<double> tensor = Some.Noise([9, 8, 3, 3], 4);
        RankChoice choice = new RankChoice.Given([
            .. TensorFormatTests.Named(name).MaxRanks([9, 8, 3, 3]).Select(static most => (most + 1) / 2),
        ]);

        TensorFactors<double> wide = Fit(tensor, name, choice);
        TensorFactors<float> narrow = Fit(Some.Single(tensor), name, choice);

        Assert.Equal(wide.RelativeError, narrow.RelativeError, 1e-5);
    }

    [Fact]
    public void A_train_of_two_cores_is_the_truncated_decomposition()
    {
        Tensor<double> matrix = Some.Noise([20, 30], 5);
        double[] values = Svd.Values(matrix);
        for (int rank = 1; rank <= 20; rank += 6)
        {
            double dropped = values[rank..].Sum(static value => value * value) / values.Sum(static value => value * value);
            Assert.Equal(dropped, Math.Pow(TensorTrain.Fit(matrix, RankChoice.From(rank)).RelativeError, 2), 1e-12);
        }
    }

    /// <summary>The factors of Tucker are orthonormal, so the core keeps what the error lacks.</summary>
    [Fact]
    public void Error_and_energy_kept_add_up()
    {
        Tensor<double> tensor = Some.Noise(Small, 6);
        TensorFactors<double> fit = Tucker.Fit(tensor, RankChoice.From(3, 3, 2, 2));

        Assert.Equal(1, Math.Pow(fit.RelativeError, 2) + Math.Pow(Some.Norm(fit.Factors[0]) / Some.Norm(tensor), 2), 1e-12);
    }

    [Fact]
    public void Orthogonal_iteration_lowers_the_error()
    {
        Tensor<double> tensor = Some.OfRank(TensorFormat.Tucker(3), [12, 11, 10], [4, 4, 4], 7, 2);

        double start = Tucker.Fit(tensor, RankChoice.From(3, 3, 3), options: new(Sweeps: 0)).RelativeError;
        double end = Tucker.Fit(tensor, RankChoice.From(3, 3, 3)).RelativeError;

        Assert.InRange(end, 0, start - 1e-4);
    }

    /// <summary>
    /// Each cut drops at most what the tensor's own unfolding has beyond the rank, so the sum over cuts bounds the error.
    /// </summary>
    [Fact]
    public void The_error_of_a_train_is_bounded_by_the_tails_of_its_cuts()
    {
        Tensor<double> tensor = Some.OfRank(TensorFormat.TensorTrain(4), Small, [2, 3, 2], 8, 0.3);
        double tails = 0;
        foreach ((int end, int rank) in (ReadOnlySpan<(int, int)>)[(1, 2), (2, 3), (3, 2)])
        {
            int rows = Small.ElementCountOf(0, end);
            tails += Svd.Values(tensor.As([rows, Small.ElementCount / rows]))[rank..].Sum(static value => value * value);
        }

        Assert.InRange(
            Math.Pow(TensorTrain.Fit(tensor, RankChoice.From(2, 3, 2)).RelativeError * Some.Norm(tensor), 2),
            tails / 3 * (1 - 1e-12),
            tails * (1 + 1e-12)
        );
    }

    [Fact]
    public void The_data_show_planted_ranks()
    {
        Tensor<double> tensor = Some.OfRank(TensorFormat.Tucker(4, 0, 1), [40, 32, 3, 3], [5, 4], 9, 0.2);

        Assert.Equal("5×4", string.Join('×', Tucker.Fit(tensor, new RankChoice.ByData(), [0, 1]).Ranks));
    }

    [Fact]
    public void Zeros_have_no_error() =>
        Assert.Equal(0, TensorTrain.Fit(new Tensor<double>(Small), RankChoice.From(1, 1, 1)).RelativeError);

    [Fact]
    public void A_factorization_says_what_it_is()
    {
        TensorFactors<double> fit = TensorTrain.Fit(Some.OfRank(TensorFormat.TensorTrain(2), [30, 20], [4], 10), RankChoice.From(4));

        Assert.Equal("tt 4: 600 -> 200 parameters (0.33), relative error 0.0000", fit.ToString());
    }

    [Fact]
    public void What_cannot_be_fitted_is_refused_with_the_numbers()
    {
        Tensor<double> tensor = Some.Noise(Small, 11);

        Assert.Contains("1 to 7×12×4", Assert.Throws<BadInputException>(() => TensorTrain.Fit(tensor, RankChoice.From(8, 1, 1))).Message);
        Assert.Contains(
            "takes 3 ranks, not 2",
            Assert.Throws<BadInputException>(() => TensorTrain.Fit(tensor, RankChoice.From(1, 1))).Message
        );
        Assert.Throws<BadInputException>(() => TensorTrain.Fit(tensor, new RankChoice.AtRate(0)));
        Assert.Throws<BadInputException>(() => TensorTrain.Fit(tensor, new RankChoice.WithinError(double.NaN)));
        tensor.Values[3] = double.NaN;
        Assert.Throws<NumericalException>(() => Tucker.Fit(tensor, RankChoice.From(1, 1, 1, 1)));
    }

    private static TensorFactors<T> Fit<T>(Tensor<T> tensor, string name, RankChoice ranks)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T> =>
        name switch
        {
            "tucker" => Tucker.Fit(tensor, ranks),
            "tucker2" => Tucker.Fit(tensor, ranks, [0, 1]),
            "tt" => TensorTrain.Fit(tensor, ranks),
            _ => TensorTrain.Fit(tensor, ranks, [1, 2, 3, 0]),
        };
}
