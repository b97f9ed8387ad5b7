using System.Collections.Concurrent;
using Tensorial.Data;

namespace Tensorial.Training;

/// <summary>A batch ready to be trained on.</summary>
/// <param name="Index">Its place in the epoch.</param>
/// <param name="Images">[n, C, H, W], normalised and varied.</param>
/// <param name="Targets">[n, classes], a distribution for each image; null without labels.</param>
/// <param name="Labels">The class of every image before any were mixed; empty without labels.</param>
internal sealed record TrainingBatch(int Index, Tensor<float> Images, Tensor<float>? Targets, int[] Labels);

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

    public static IEnumerable<TrainingBatch> Epoch(
        ImageSet images,
        int batch,
        Augmentation augmentation,
        int seed,
        int epoch,
        CancellationToken cancel = default
    )
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using BlockingCollection<TrainingBatch> ready = new(Ahead);
        Task making = Task.Run(
            () => Make(images, Math.Min(batch, images.Count), augmentation, seed, epoch, ready, stop.Token),
            CancellationToken.None
        );
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
        int batch,
        Augmentation augmentation,
        int seed,
        int epoch,
        BlockingCollection<TrainingBatch> ready,
        CancellationToken stop
    )
    {
        try
        {
            int[] order = [.. Enumerable.Range(0, images.Count)];
            RandomOf(seed, epoch, -1).Shuffle(order);
            for (int index = 0; index < Count(images, batch); index++)
            {
                ReadOnlySpan<int> chosen = order.AsSpan(index * batch, batch);
                Tensor<float> pixels = images.Pick(chosen);
                Tensor<float>? targets = images.HasLabels ? new([batch, images.Classes]) : null;
                int[] labels = new int[targets is null ? 0 : batch];
                for (int i = 0; i < labels.Length; i++)
                {
                    labels[i] = images.Labels[chosen[i]];
                    targets!.Values[i * images.Classes + labels[i]] = 1;
                }
                augmentation.Apply(pixels, targets, RandomOf(seed, epoch, index));
                ready.Add(new(index, pixels, targets, labels), stop);
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
