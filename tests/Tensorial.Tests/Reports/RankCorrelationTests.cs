using Tensorial.Reports;

namespace Tensorial.Tests.Reports;

public class RankCorrelationTests
{
    /// <summary>Without equal values the textbook's short form holds: 1 - 6 Σ d² / (n (n² - 1)), d the differences of the ranks.</summary>
    [Fact]
    public void Without_ties_it_is_the_short_form()
    {
        Random random = new(1);
        for (int n = 3; n < 40; n++)
        {
            int[] order = [.. Enumerable.Range(0, n)];
            random.Shuffle(order);
            double squares = order.Select((rank, place) => (double)(rank - place) * (rank - place)).Sum();
            double expected = 1 - (6 * squares / (n * ((double)n * n - 1)));
            Assert.Equal(
                expected,
                RankCorrelation.Of([.. Enumerable.Range(0, n)], [.. order.Select(static rank => Math.Pow(2, rank))])!.Value,
                1e-12
            );
        }
    }

    /// <summary>Hours of television against intelligence, the example of the literature: -29 / 165.</summary>
    [Fact]
    public void A_published_example()
    {
        double[] x = [106, 100, 86, 101, 99, 103, 97, 113, 112, 110],
            y = [7, 27, 2, 50, 28, 29, 20, 12, 6, 17];
        Assert.Equal(-29.0 / 165, RankCorrelation.Of(x, y)!.Value, 1e-12);
    }

    [Fact]
    public void Equal_values_share_the_mean_of_their_ranks() =>
        // Ranks 1, 2½, 2½, 4 against 1, 2, 3, 4.
        Assert.Equal(4.5 / Math.Sqrt(4.5 * 5), RankCorrelation.Of([1, 2, 2, 3], [10, 20, 30, 40])!.Value, 1e-12);

    [Fact]
    public void Nothing_is_said_of_two_pairs_or_of_a_constant()
    {
        Assert.Null(RankCorrelation.Of([1, 2], [1, 2]));
        Assert.Null(RankCorrelation.Of([1, 2, 3], [5, 5, 5]));
    }
}
