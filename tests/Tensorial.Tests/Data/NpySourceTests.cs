using Tensorial.Data;

namespace Tensorial.Tests.Data;

public class NpySourceTests
{
    private static readonly long[] Counting = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

    private static Tensor Numbers(ElementType type, params int[] shape) =>
        new Tensor<long>(Shape.From(shape), Enumerable.Range(0, Shape.From(shape).ElementCount).Select(index => (long)index).ToArray()).To(
            type
        );

    private static ImageSet Open(TemporaryFolder folder, Tensor images, Tensor labels, string suffix = "")
    {
        string imageFile = Path.Combine(folder.Path, "images.npy"),
            labelFile = Path.Combine(folder.Path, "labels.npy");
        NpyFile.Write(images, imageFile);
        NpyFile.Write(labels, labelFile);
        return DataSource.Parse($"npy:{imageFile},{labelFile}{suffix}").Open(DataSplit.Test, Normalization.None);
    }

    [Theory]
    [InlineData(ElementType.UInt8, ElementType.UInt8, 255)]
    [InlineData(ElementType.Int32, ElementType.Int8, 255)]
    [InlineData(ElementType.UInt64, ElementType.UInt64, 255)]
    [InlineData(ElementType.Float16, ElementType.Int16, 1)]
    [InlineData(ElementType.Float32, ElementType.Int64, 1)]
    [InlineData(ElementType.Float64, ElementType.UInt16, 1)]
    public void Bytes_are_scaled_and_floats_are_not_whatever_the_type(ElementType pixels, ElementType numbers, float scale)
    {
        using TemporaryFolder folder = new();
        ImageSet set = Open(folder, Numbers(pixels, 2, 1, 3, 2), Numbers(numbers, 2));
        Assert.Equal([1, 3, 2], set.ImageShape);
        Assert.Equal([0, 1], set.Labels.ToArray());
        Assert.Equal(Counting.Select(value => value / scale), set.Batch(0, 2).Values.ToArray());
    }

    [Theory]
    [InlineData(new[] { 1, 2, 2, 3 }, "", new[] { 3, 2, 2 }, new[] { 0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11 })]
    [InlineData(new[] { 1, 3, 2, 2 }, "", new[] { 3, 2, 2 }, new[] { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 })]
    [InlineData(new[] { 1, 3, 4, 1 }, ",nhwc", new[] { 1, 3, 4 }, new[] { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 })]
    [InlineData(new[] { 1, 3, 4, 1 }, ",nchw", new[] { 3, 4, 1 }, new[] { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 })]
    [InlineData(new[] { 1, 2, 3, 2 }, ",NHWC", new[] { 2, 2, 3 }, new[] { 0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11 })]
    [InlineData(new[] { 1, 3, 4 }, "", new[] { 1, 3, 4 }, new[] { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 })]
    public void Channels_are_found_by_their_number_or_by_the_suffix(int[] stored, string suffix, int[] image, int[] pixels)
    {
        using TemporaryFolder folder = new();
        ImageSet set = Open(folder, Numbers(ElementType.UInt8, stored), Numbers(ElementType.Int64, 1, 1), suffix);
        Assert.Equal(Shape.From(image), set.ImageShape);
        Assert.Equal(pixels, set.Batch(0, 1).Values.ToArray().Select(value => (int)MathF.Round(value * 255)));
    }

    /// <summary>Samples that have the extents of a network's input stay as they are stored; others are images.</summary>
    [Theory]
    [InlineData(new[] { 1, 3, 4 }, new[] { 0, 3, 4 }, new[] { 3, 4 })]
    [InlineData(new[] { 1, 3, 4 }, new[] { 0, 1, 3, 4 }, new[] { 1, 3, 4 })]
    [InlineData(new[] { 1, 3, 4 }, new[] { 0, 5, 4 }, new[] { 1, 3, 4 })]
    [InlineData(new[] { 1, 2, 2, 3 }, new[] { 0, 0, 0, 3 }, new[] { 2, 2, 3 })]
    [InlineData(new[] { 1, 2, 2, 3 }, new[] { 0, 3, 0, 0 }, new[] { 3, 2, 2 })]
    [InlineData(new[] { 1, 2, 2, 3 }, new[] { 0, 0, 0, 0 }, new[] { 3, 2, 2 })]
    [InlineData(new[] { 1, 2, 2, 3, 1 }, new[] { 0, 2, 0, 0, 0 }, new[] { 2, 2, 3, 1 })]
    [InlineData(new[] { 2, 6 }, new[] { 0, 6 }, new[] { 6 })]
    public void Arrays_suit_the_input_of_a_network(int[] stored, int[] declared, int[] sample)
    {
        using TemporaryFolder folder = new();
        string file = Path.Combine(folder.Path, "x.npy");
        NpyFile.Write(Numbers(ElementType.Float32, stored), file);
        Tensorial.Graphs.Graph graph = new(
            "net",
            [],
            [
                new(
                    "x",
                    ElementType.Float32,
                    [.. declared.Select(static extent => new Tensorial.Graphs.Dimension(extent > 0 ? extent : null))]
                ),
            ],
            [],
            System.Collections.Immutable.ImmutableDictionary<string, Tensor>.Empty
        );
        Assert.Equal(
            Shape.From(sample),
            DataSource.Parse($"npy:{file}").Suiting(graph).Open(DataSplit.Test, Normalization.None).ImageShape
        );
    }

    [Theory]
    [InlineData("images", "labels", "images", "labels")]
    [InlineData("x_test", "y_test", "x_train", "y_train")]
    [InlineData("test_images", "test_labels", "train_images", "train_labels")]
    [InlineData("arr_0", "arr_1", "arr_0", "arr_1")]
    public void One_archive_may_hold_both_splits(string testImages, string testLabels, string trainImages, string trainLabels)
    {
        using TemporaryFolder folder = new();
        string file = Path.Combine(folder.Path, "set.npz");
        NpzFile.Write(
            file,
            new Dictionary<string, Tensor>
            {
                [trainImages] = Numbers(ElementType.UInt8, 3, 2, 2),
                [trainLabels] = Numbers(ElementType.Int64, 3),
                [testImages] = Numbers(ElementType.UInt8, 2, 2, 2),
                [testLabels] = Numbers(ElementType.Int64, 2),
            }
        );
        Assert.Equal(2, DataSource.Parse($"npy:{file}").Open(DataSplit.Test, Normalization.None).Count);
        Assert.Equal(testImages == trainImages ? 2 : 3, DataSource.Parse($"npy:{file}").Open(DataSplit.Train, Normalization.None).Count);
        Assert.Equal(1, DataSource.Parse($"npy:{file}").Open(DataSplit.Test, Normalization.None, 1).Count);
    }

    public static TheoryData<string, Tensor, Tensor> Unusable =>
        new()
        {
            { "2 labels: each image needs one", Numbers(ElementType.UInt8, 3, 2, 2), Numbers(ElementType.Int64, 2) },
            { "labels must be integers", Numbers(ElementType.UInt8, 2, 2, 2), Numbers(ElementType.Float32, 2) },
            { "count, or count×1", Numbers(ElementType.UInt8, 2, 2, 2), Numbers(ElementType.Int32, 2, 2) },
            { "entry 1: the label is -3", Numbers(ElementType.UInt8, 2, 2, 2), new Tensor<int>([2], new[] { 1, -3 }) },
            { "entry 0: the label is 1000000000", Numbers(ElementType.UInt8, 1, 2, 2), new Tensor<int>([1], new[] { 1_000_000_000 }) },
            { "one of image 1 is 256", new Tensor<int>([2, 1, 2], new[] { 0, 255, 256, 0 }), Numbers(ElementType.Int32, 2) },
            { "Bool values; images must be", new Tensor<bool>([1, 2, 2]), Numbers(ElementType.Int32, 1) },
            { "both axis 1 and axis 3", Numbers(ElementType.UInt8, 1, 3, 4, 1), Numbers(ElementType.Int32, 1) },
            { "neither axis 1 nor axis 3", Numbers(ElementType.UInt8, 1, 2, 4, 5), Numbers(ElementType.Int32, 1) },
            { "has the shape 4; images need", Numbers(ElementType.UInt8, 4), Numbers(ElementType.Int32, 4) },
            { "holds no images", Numbers(ElementType.UInt8, 0, 2, 2), Numbers(ElementType.Int32, 0) },
            { "image 0 holds NaN at pixel 3", new Tensor<double>([1, 2, 2], new[] { 0, 0, 0, double.NaN }), Numbers(ElementType.Int32, 1) },
            { "image 0 holds Infinity at pixel 0", new Tensor<double>([1, 1, 1], new[] { 1e300 }), Numbers(ElementType.Int32, 1) },
        };

    [Theory]
    [MemberData(nameof(Unusable))]
    public void Arrays_that_are_no_set_are_refused_by_name_and_value(string words, Tensor images, Tensor labels)
    {
        using TemporaryFolder folder = new();
        string message = Assert.ThrowsAny<BadInputException>(() => Open(folder, images, labels)).Message;
        Assert.Contains(words, message, StringComparison.Ordinal);
        Assert.Matches(@"(images|labels)\.npy", message);
    }

    [Theory]
    [InlineData("npy:a.npy,b.npy,c.npy")]
    [InlineData("npy:nchw")]
    public void A_text_that_is_not_one_or_two_files_is_refused(string text) =>
        Refusal.Says<BadInputException>("npy:IMAGES.npy,LABELS.npy", () => DataSource.Parse(text));

    [Fact]
    public void An_archive_without_a_known_pair_lists_what_it_holds()
    {
        using TemporaryFolder folder = new();
        string file = Path.Combine(folder.Path, "set.npz");
        NpzFile.Write(
            file,
            new Dictionary<string, Tensor>
            {
                ["pictures"] = Numbers(ElementType.UInt8, 1, 2, 2),
                ["more"] = Numbers(ElementType.UInt8, 1, 2, 2),
            }
        );
        Refusal.Says<BadInputException>(
            "holds pictures, more, where one array alone or one of these pairs is looked for: x_test, y_test; ",
            () => DataSource.Parse($"npy:{file}").Open(DataSplit.Test, Normalization.None)
        );
    }
}
