using Tensorial.Decompositions;

namespace Tensorial.Tests.Decompositions;

public class FoldingTests
{
    [Theory]
    [InlineData(64, 3, "4·4·4")]
    [InlineData(64, 2, "8·8")]
    [InlineData(32, 3, "2·4·4")]
    [InlineData(48, 2, "6·8")]
    [InlineData(512, 3, "8·8·8")]
    [InlineData(10, 2, "2·5")]
    [InlineData(13, 2, "2·7")]
    [InlineData(97, 2, "7·14")]
    [InlineData(3, 3, "1·1·3")]
    [InlineData(1, 2, "1·1")]
    public void Channels_split_into_factors_as_equal_as_they_allow(int extent, int order, string parts) =>
        Assert.Equal(parts, string.Join('·', Folding.From([extent, 1], order, 1).Parts[0]));

    [Fact]
    public void Folding_is_undone()
    {
        Tensor<double> kernel = Some.Noise([13, 11, 3, 2], 1);
        Folding folding = Folding.From(kernel.Shape, 2);

        Tensor<double> folded = folding.Fold(kernel);

        Assert.True(folding.Padded[0] > 13);
        Assert.Equal(folding.Folded, folded.Shape);
        Assert.Equal(Some.Norm(kernel), Some.Norm(folded), 12);
        Assert.Equal(kernel.Values.ToArray(), folding.Unfold(folded).Values.ToArray());
    }

    [Fact]
    public void The_first_part_counts_slowest()
    {
        Tensor<double> vector = new([6], new double[] { 0, 1, 2, 3, 4, 5 });
        Tensor<double> folded = Folding.From(vector.Shape, 2, 1).Fold(vector);

        Assert.Equal([2, 3], folded.Shape);
        Assert.Equal(4, folded.Values[1 * 3 + 1]);
    }
}
