using System.Collections.Immutable;
using Tensorial.Decompositions;

namespace Tensorial.Tests.Decompositions;

public class TensorFormatTests
{
    [Theory]
    [InlineData("cp", "aA,bA,cA,dA->abcd")]
    [InlineData("tucker", "ABCD,aA,bB,cC,dD->abcd")]
    [InlineData("tucker2", "ABcd,aA,bB->abcd")]
    [InlineData("tt", "aA,AbB,BcC,Cd->abcd")]
    [InlineData("chain", "bA,AcB,BdC,Ca->abcd")]
    [InlineData("tr", "AaB,BbC,CcD,DdA->abcd")]
    public void A_format_is_an_equation(string name, string equation) => Assert.Equal(equation, Named(name).Equation.ToString());

    /// <summary>Largest ranks by hand for 6×5×2×3: what both sides of a cut span.</summary>
    [Theory]
    [InlineData("cp", "30")]
    [InlineData("tucker", "6×5×2×3")]
    [InlineData("tucker2", "6×5")]
    [InlineData("tt", "6×6×3")]
    [InlineData("chain", "5×10×6")]
    [InlineData("tr", "6×10×6×10")]
    public void Ranks_end_where_a_cut_does(string name, string most) =>
        Assert.Equal(most, string.Join('×', Named(name).MaxRanks([6, 5, 2, 3])));

    /// <summary>Parameters by the formulas of the literature for 6×5×2×3 at ranks 2, 3, ...</summary>
    [Theory]
    [InlineData("cp", 2, 2 * (6 + 5 + 2 + 3))]
    [InlineData("tucker2", 2, 6 * 2 + 5 * 3 + 2 * 3 * 2 * 3)]
    [InlineData("tt", 2, 6 * 2 + 2 * 5 * 3 + 3 * 2 * 4 + 4 * 3)]
    [InlineData("tr", 2, 2 * 6 * 3 + 3 * 5 * 4 + 4 * 2 * 5 + 5 * 3 * 2)]
    public void Parameters_are_the_lengths_of_the_factors(string name, int first, long parameters)
    {
        TensorFormat format = Named(name);
        int[] ranks = [.. Enumerable.Range(first, format.Bonds.Length)];

        Assert.Equal(parameters, format.Parameters([6, 5, 2, 3], ranks));
    }

    [Fact]
    public void A_budget_is_kept_and_one_rank_more_would_break_it()
    {
        foreach (string name in (string[])["cp", "tucker", "tucker2", "tt", "chain", "tr"])
        foreach (double rate in (double[])[0.05, 0.1, 0.25, 0.5, 0.9])
        {
            TensorFormat format = Named(name);
            Shape shape = [24, 18, 3, 3];
            long budget = (long)(rate * shape.ElementCount);
            ImmutableArray<int> ranks = format.RanksWithin(shape, budget),
                most = format.MaxRanks(shape);

            Assert.True(format.Parameters(shape, ranks.AsSpan()) <= budget, $"{name} {rate}");
            for (int bond = 0; bond < ranks.Length; bond++)
                Assert.True(
                    ranks[bond] == most[bond] || format.Parameters(shape, ranks.SetItem(bond, ranks[bond] + 1).AsSpan()) > budget,
                    $"{name} {rate} bond {bond}"
                );
        }
    }

    [Fact]
    public void Even_a_hopeless_budget_gets_ranks_of_one() =>
        Assert.Equal("1×1×1", string.Join('×', Named("tt").RanksWithin([24, 18, 3, 3], 1)));

    [Theory]
    [InlineData(new[] { 0, 0 })]
    [InlineData(new[] { 4 })]
    public void Modes_are_named_once(int[] modes) => Assert.Throws<BadInputException>(() => TensorFormat.Tucker(4, modes));

    [Fact]
    public void A_chain_names_every_mode() =>
        Assert.Contains("0, 1, 1", Assert.Throws<BadInputException>(() => TensorFormat.TensorTrain(3, 0, 1, 1)).Message);

    internal static TensorFormat Named(string name) =>
        name switch
        {
            "cp" => TensorFormat.Cp(4),
            "tucker" => TensorFormat.Tucker(4),
            "tucker2" => TensorFormat.Tucker(4, 0, 1),
            "tt" => TensorFormat.TensorTrain(4),
            "chain" => TensorFormat.TensorTrain(4, 1, 2, 3, 0),
            _ => TensorFormat.TensorRing(4),
        };
}
