using System.Collections.Concurrent;
using Tensorial.Data;
using Tensorial.Training.Distributed;

namespace Tensorial.Training;

/// <summary>A batch ready to be trained on.</summary>
/// <param name="Index">Its place in the epoch.</param>
/// <param name="Images">[n, C, H, W], normalised and varied.</param>
/// <param name="Targets">[n, classes], a distribution for each image; null without labels.</param>
/// <param name="Labels">The class of every image before any were mixed; empty without labels.</param>
internal sealed record TrainingBatch(int Index, Tensor<float> Images, Tensor<float>? Targets, int[] Labels)
{
    /// <summary>Some of its images.</summary>
    public TrainingBatch Rows(int first, int count) =>
        new(Index, Images.Rows(first, count), Targets?.Rows(first, count), Labels.Length == 0 ? [] : Labels[first..(first + count)]);
}

/// <summary>
/// The batches of an epoch, made on a thread of their own while others are trained on. Order and variation follow from seed, epoch and
/// place alone, so that an epoch is the same whenever it is run. Images that do not fill a last batch are left for the next epoch's
/// shuffle.
/// </summary>
internal static class BatchStream
{
    /// <summary>Batches made ahead.</summary>
    private const int Ahead = 3;

    /// <summary>Batches an epoch has.</summary>
    public static int Count(ImageSet images, int batch) => Math.Max(1, images.Count / batch);

    /// <param name="images">The images.</param>
    /// <param name="share">Which of a batch's images are wanted: the others are neither read nor varied, except where images are mixed.</param>
    /// <param name="augmentation">How they are varied.</param>
    /// <param name="seed">Decides order and variation.</param>
    /// <param name="epoch">The epoch.</param>
    /// <param name="cancel">Ends it.</param>
    public static IEnumerable<TrainingBatch> Epoch(
        ImageSet images,
        BatchShare share,
        Augmentation augmentation,
        int seed,
        int epoch,
        CancellationToken cancel = default
    )
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using BlockingCollection<TrainingBatch> ready = new(Ahead);
        Task making = Task.Run(() => Make(images, share, augmentation, seed, epoch, ready, stop.Token), CancellationToken.None);
        try
        {
            foreach (TrainingBatch made in ready.GetConsumingEnumerable(cancel))
                yield return made;
            making.GetAwaiter().GetResult();
        }
        finally
        {
            stop.Cancel();
            try
            {
                making.Wait(CancellationToken.None);
            }
            catch (AggregateException error) when (error.InnerException is OperationCanceledException) { }
        }
    }

    private static void Make(
        ImageSet images,
        BatchShare share,
        Augmentation augmentation,
        int seed,
        int epoch,
        BlockingCollection<TrainingBatch> ready,
        CancellationToken stop
    )
    {
        try
        {
            int[] order = images.Shuffled(RandomOf(seed, epoch, -1));
            // Mixed, an image shows others of the batch as well.
            BatchShare made = augmentation.Mixup > 0 ? new(0, share.Whole, share.Whole) : share;
            for (int index = 0; index < Count(images, share.Whole); index++)
            {
                ReadOnlySpan<int> chosen = order.AsSpan(index * share.Whole + made.First, made.Count);
                Tensor<float> pixels = images.Pick(chosen);
                Tensor<float>? targets = images.HasLabels ? new([made.Count, images.Classes]) : null;
                int[] labels = new int[targets is null ? 0 : made.Count];
                for (int i = 0; i < labels.Length; i++)
                {
                    labels[i] = images.Labels[chosen[i]];
                    targets!.Values[i * images.Classes + labels[i]] = 1;
                }
                augmentation.Apply(pixels, targets, RandomOf(seed, epoch, index), made.First, made.Whole);
                TrainingBatch batch = new(index, pixels, targets, labels);
                ready.Add(made == share ? batch : batch.Rows(share.First, share.Count), stop);
            }
        }
        finally
        {
            ready.CompleteAdding();
        }
    }

    /// <summary>A source of random numbers for one purpose, unrelated to those for others.</summary>
    internal static Random RandomOf(int seed, int epoch, int index)
    {
        ulong mixed =
            (ulong)(uint)seed * 0x9E3779B97F4A7C15 ^ (ulong)(uint)epoch * 0xC2B2AE3D27D4EB4F ^ (ulong)(uint)index * 0x165667B19E3779F9;
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB;
        return new((int)(mixed ^ mixed >> 31));
    }
}
