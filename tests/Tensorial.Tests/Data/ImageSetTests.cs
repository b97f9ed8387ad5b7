using Tensorial.Data;

namespace Tensorial.Tests.Data;

public class ImageSetTests
{
    private static readonly Tensor<byte> Bytes = new([2, 3, 1, 2], new byte[] { 0, 51, 102, 153, 204, 255, 255, 204, 153, 102, 51, 0 });

    private static ImageSet Set(Tensor images, int[] labels, Normalization? normalization = null) =>
        new("set", images, labels, 10, normalization ?? Normalization.None);

    [Theory]
    [InlineData("none")]
    [InlineData("imagenet")]
    [InlineData("cifar10")]
    [InlineData(".5,.25")]
    [InlineData(".1,.2,.3,.4,.5,.6")]
    public void Bytes_become_pixel_minus_mean_over_deviation(string text)
    {
        Normalization normalization = Normalization.Parse(text);
        float[] batch = Set(Bytes, [1, 2], normalization).Batch(0, 2).Values.ToArray();
        for (int index = 0; index < batch.Length; index++)
        {
            int channel = normalization.Means.Length == 1 ? 0 : index / 2 % 3;
            Assert.Equal(((Bytes.Values[index] / 255f) - normalization.Means[channel]) / normalization.Deviations[channel], batch[index]);
        }
    }

    [Fact]
    public void Floats_are_normalised_without_being_scaled()
    {
        Tensor<float> images = new([1, 3, 1, 1], new[] { .25f, 1f, -2f });
        Tensor<float> batch = Set(images, [0], Normalization.Parse("0,.5,1,1,2,4")).Batch(0, 1);
        Assert.Equal([.25f, .25f, -.75f], batch.Values.ToArray());
    }

    [Fact]
    public void Grey_images_take_the_first_channel_of_a_normalisation()
    {
        Tensor<byte> grey = new([1, 1, 1, 1], new byte[] { 255 });
        Assert.Equal((1f - .485f) / .229f, Set(grey, [0], Normalization.ImageNet).Batch(0, 1).Values[0]);
    }

    [Fact]
    public void A_batch_is_the_same_images_as_a_batch_of_all()
    {
        ImageSet set = Set(Bytes, [1, 2], Normalization.ImageNet);
        Assert.Equal([1, 3, 1, 2], set.Batch(1, 1).Shape);
        Assert.Equal(set.Batch(0, 2).Values[6..].ToArray(), set.Batch(1, 1).Values.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Batch(1, 2));
    }

    [Fact]
    public void A_fingerprint_tells_pixels_labels_and_normalisation_apart()
    {
        Tensor<byte> other = Bytes.Clone();
        other.Values[3]++;
        string[] fingerprints =
        [
            Set(Bytes, [1, 2]).Fingerprint,
            Set(Bytes, [1, 3]).Fingerprint,
            Set(other, [1, 2]).Fingerprint,
            Set(Bytes, [1, 2], Normalization.ImageNet).Fingerprint,
            Set(Bytes, [1, 2]).Take(1).Fingerprint,
        ];
        Assert.Distinct(fingerprints);
        Assert.Equal(fingerprints[0], Set(Bytes.Clone(), [1, 2]).Fingerprint);
    }

    [Fact]
    public void Taking_keeps_the_first_images()
    {
        ImageSet set = Set(Bytes, [1, 2]);
        Assert.Equal(1, set.Take(1).Count);
        Assert.Equal([1], set.Take(1).Labels.ToArray());
        Assert.Same(set, set.Take(5));
        Assert.Throws<BadInputException>(() => set.Take(0));
    }

    public static TheoryData<string, Func<ImageSet>> Unusable =>
        new()
        {
            { "1 labels do not fit", () => Set(Bytes, [1]) },
            { "image 1 has the label 10, which is not in 0..9", () => Set(Bytes, [1, 10]) },
            { "image 0 has the label -1", () => Set(Bytes, [-1, 1]) },
            { "is empty", () => Set(new Tensor<byte>([0, 3, 1, 2]), []) },
            { "count×C×H×W", () => Set(Bytes.As([2, 6]), [1, 2]) },
            { "image 0 holds NaN at pixel 1", () => Set(new Tensor<float>([1, 1, 1, 2], new[] { 0, float.NaN }), [1]) },
            { "3 channels and the normalisation 0,0,1,1", () => Set(Bytes, [1, 2], Normalization.Parse("0,0,1,1")) },
        };

    [Theory]
    [MemberData(nameof(Unusable))]
    public void What_is_no_set_is_refused_with_its_values(string words, Func<ImageSet> make) =>
        Refusal.Says<BadInputException>(words, make);
}
