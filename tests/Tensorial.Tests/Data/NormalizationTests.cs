using Tensorial.Data;

namespace Tensorial.Tests.Data;

public class NormalizationTests
{
    [Theory]
    [InlineData("none", "none")]
    [InlineData("ImageNet", "imagenet")]
    [InlineData(" cifar10 ", "cifar10")]
    [InlineData(".485,.456,.406,.229,.224,.225", "imagenet")]
    [InlineData("0.5, 0.25", "0.5,0.25")]
    public void A_text_is_read_and_written(string text, string written)
    {
        Normalization normalization = Normalization.Parse(text);
        Assert.Equal(written, normalization.ToString());
        Assert.Equal(normalization, Normalization.Parse(written));
        Assert.Equal(normalization.GetHashCode(), Normalization.Parse(written).GetHashCode());
    }

    [Theory]
    [InlineData("", "'' is not a number")]
    [InlineData("imagnet", "'imagnet' is not a number")]
    [InlineData(".5,x", "'x' is not a number")]
    [InlineData("1,2,3", "3 numbers")]
    [InlineData("0,0", "must be positive and finite, not 0")]
    [InlineData("0,-1", "must be positive and finite, not -1")]
    [InlineData("NaN,1", "must be finite, not NaN")]
    public void A_wrong_text_is_refused(string text, string words) =>
        Refusal.Says<BadInputException>(words, () => Normalization.Parse(text));
}
