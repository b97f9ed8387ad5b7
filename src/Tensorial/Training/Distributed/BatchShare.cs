namespace Tensorial.Training.Distributed;

/// <summary>The images of every batch that one rank trains on.</summary>
/// <param name="First">The first one's place in the batch.</param>
/// <param name="Count">How many.</param>
/// <param name="Whole">Images of the batch.</param>
internal readonly record struct BatchShare(int First, int Count, int Whole)
{
    /// <summary>This rank's share: as many images as any other's, or one more or less.</summary>
    /// <param name="ranks">The ranks; null where there is one.</param>
    /// <param name="images">Images of the batch.</param>
    public static BatchShare Of(ICommunicator? ranks, int images)
    {
        if (ranks is null)
            return new(0, images, images);
        int first = (int)((long)images * ranks.Rank / ranks.Size),
            past = (int)((long)images * (ranks.Rank + 1) / ranks.Size);
        return new(first, past - first, images);
    }

    /// <summary>Its part of the batch, 0 to 1.</summary>
    public double Part => (double)Count / Whole;
}
