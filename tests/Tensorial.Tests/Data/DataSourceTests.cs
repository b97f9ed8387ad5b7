using Tensorial.Data;

namespace Tensorial.Tests.Data;

public class DataSourceTests
{
    [Theory]
    [InlineData("", "'' is no data set")]
    [InlineData("imagenet:x", "'imagenet:x' is no data set")]
    [InlineData("cifar10:", "does not say where the images are")]
    [InlineData("idx", "does not say where the images are")]
    [InlineData("sample:x", "'sample:x' is no data set")]
    public void A_wrong_text_is_refused(string text, string words) => Refusal.Says<BadInputException>(words, () => DataSource.Parse(text));

    [Fact]
    public void The_sample_holds_a_hundred_images_of_each_class()
    {
        ImageSet sample = DataSource.Parse("sample").Open(DataSplit.Test, Normalization.None);
        Assert.Equal([1, 28, 28], sample.ImageShape);
        for (int label = 0; label < 10; label++)
            Assert.Equal(100, sample.Labels.Count(label));
        Assert.Equal(sample.Fingerprint, DataSource.Parse("sample").Open(DataSplit.Train, Normalization.None).Fingerprint);
        Assert.Equal(20, DataSource.Parse("sample").Open(DataSplit.Test, Normalization.None, 20).Count);
        Assert.Throws<BadInputException>(() => DataSource.Parse("sample").Open(DataSplit.Test, Normalization.None, 0));
    }
}
