using Tensorial.Tests.Operations;
using Tensorial.Training;

namespace Tensorial.Tests.Training;

public class AugmentationTests
{
    /// <summary>A shifted image is the image read at another place, zeros beyond its edge, perhaps from right to left.</summary>
    [Fact]
    public void Crops_and_mirrors_move_whole_images()
    {
        Tensor<float> images = Some.Real<float>([40, 2, 5, 6], 1),
            before = images.Clone();
        (Augmentation.None with { Padding = 2, Flips = true }).Apply(images, new([40, 3]), new(7));
        HashSet<(int, int, bool)> moves = [];
        for (int image = 0; image < 40; image++)
        {
            (int, int, bool)[] fitting =
            [
                .. from down in Enumerable.Range(-2, 5)
                from right in Enumerable.Range(-2, 5)
                from mirrored in new[] { false, true }
                where Fits(image, down, right, mirrored)
                select (down, right, mirrored),
            ];
            moves.Add(Assert.Single(fitting));
        }
        Assert.InRange(moves.Count, 20, 40);

        bool Fits(int image, int down, int right, bool mirrored)
        {
            for (int c = 0; c < 2; c++)
            for (int y = 0; y < 5; y++)
            for (int x = 0; x < 6; x++)
            {
                int column = (mirrored ? 5 - x : x) + right;
                float wanted =
                    y + down is >= 0 and < 5 && column is >= 0 and < 6 ? before.Values[((image * 2 + c) * 5 + y + down) * 6 + column] : 0;
                if (images.Values[((image * 2 + c) * 5 + y) * 6 + x] != wanted)
                    return false;
            }
            return true;
        }
    }

    [Fact]
    public void Mixing_keeps_targets_distributions_and_mixes_images_by_the_same_share()
    {
        Tensor<float> images = new([6, 1, 1, 4]),
            targets = new([6, 6]);
        for (int i = 0; i < 6; i++)
        {
            targets.Values[i * 7] = 1;
            images.Values.Slice(i * 4, 4).Fill(1 << i);
        }
        (Augmentation.None with { Mixup = 1 }).Apply(images, targets, new(3));
        for (int i = 0; i < 6; i++)
        {
            float[] target = targets.Values.Slice(i * 6, 6).ToArray();
            Assert.Equal(1, target.Sum(), 1e-5);
            Assert.Equal(target.Select(static (share, k) => share * (1 << k)).Sum(), images.Values[i * 4], 1e-4);
        }
    }

    [Fact]
    public void Erasing_changes_one_rectangle_of_every_channel()
    {
        Tensor<float> images = new([20, 2, 12, 12]);
        images.Values.Fill(100);
        (Augmentation.None with { Erasing = 1 }).Apply(images, new([20, 2]), new(5));
        for (int image = 0; image < 20; image++)
        {
            int[] changed = [.. Enumerable.Range(0, 144).Where(at => images.Values[image * 288 + at] != 100)];
            int rows = changed.Select(static at => at / 12).Distinct().Count(),
                columns = changed.Select(static at => at % 12).Distinct().Count();
            Assert.Equal(rows * columns, changed.Length);
            Assert.InRange(changed.Length / 144.0, 0.01, 0.4);
            Assert.Equal(changed, Enumerable.Range(0, 144).Where(at => images.Values[image * 288 + 144 + at] != 100));
        }
    }

    /// <summary>Also a rectangle of noise in an image of another share, and images mixed with those of others.</summary>
    [Theory, InlineData(0), InlineData(0.4)]
    public void Shares_of_a_batch_are_varied_as_the_whole_is(double mixup)
    {
        Tensorial.Data.ImageSet images = TinyTask.Images(60);
        Augmentation augmentation = Augmentation.Cifar with { Padding = 2, Erasing = 0.5, Mixup = mixup };
        TrainingBatch[] whole = [.. BatchStream.Epoch(images, new(0, 20, 20), augmentation, 1, 2)];
        foreach ((int first, int count) in ((int, int)[])[(0, 7), (7, 6), (13, 7)])
        {
            TrainingBatch[] share = [.. BatchStream.Epoch(images, new(first, count, 20), augmentation, 1, 2)];
            Assert.Equal(3, share.Length);
            foreach ((TrainingBatch all, TrainingBatch some) in whole.Zip(share))
            {
                Assert.Equal(all.Images.Rows(first, count).Values.ToArray(), some.Images.Values.ToArray());
                Assert.Equal(all.Targets!.Rows(first, count).Values.ToArray(), some.Targets!.Values.ToArray());
                Assert.Equal(all.Labels[first..(first + count)], some.Labels);
            }
        }
    }

    [Fact]
    public void Batches_depend_on_seed_and_epoch_alone_and_show_every_image_once()
    {
        Tensorial.Data.ImageSet images = TinyTask.Images(100);
        TrainingBatch[] once = [.. BatchStream.Epoch(images, new(0, 30, 30), Augmentation.Cifar, 1, 2)],
            again = [.. BatchStream.Epoch(images, new(0, 30, 30), Augmentation.Cifar, 1, 2)];
        Assert.Equal(3, once.Length);
        Assert.Equal(once.SelectMany(static b => b.Images.Values.ToArray()), again.SelectMany(static b => b.Images.Values.ToArray()));
        Assert.NotEqual(once[0].Labels, BatchStream.Epoch(images, new(0, 30, 30), Augmentation.None, 1, 3).First().Labels);
        float[] sums =
        [
            .. BatchStream
                .Epoch(images, new(0, 25, 25), Augmentation.None, 1, 2)
                .SelectMany(static b => Enumerable.Range(0, 25).Select(i => b.Images.Values.Slice(i * 64, 64).ToArray().Sum())),
        ];
        Assert.Equal(Enumerable.Range(0, 100).Select(i => images.Batch(i, 1).Values.ToArray().Sum()).Order(), sums.Order());
    }

    [
        Theory,
        InlineData("cifar", 4, true, 0, 0),
        InlineData("pad=2,mixup=0.2", 2, false, 0, 0.2),
        InlineData("flip,erase=0.5", 0, true, 0.5, 0),
        InlineData("none", 0, false, 0, 0)
    ]
    public void Augmentations_are_read_from_text(string text, int padding, bool flips, double erasing, double mixup) =>
        Assert.Equal(
            new Augmentation
            {
                Padding = padding,
                Flips = flips,
                Erasing = erasing,
                Mixup = mixup,
            },
            AugmentationText.Parse(text)
        );

    [Theory, InlineData("rotate"), InlineData("pad=x"), InlineData("erase=2")]
    public void Unknown_augmentations_are_refused(string text) => Assert.Throws<BadInputException>(() => AugmentationText.Parse(text));
}
