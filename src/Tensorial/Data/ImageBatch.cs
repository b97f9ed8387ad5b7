namespace Tensorial.Data;

/// <summary>Some images of a set, one after another.</summary>
/// <param name="First">The place of the first in the set.</param>
/// <param name="Images">[n, ...], normalised; overwritten when the next batch is asked for.</param>
/// <param name="Labels">Their classes; empty where the set has no labels.</param>
public readonly record struct ImageBatch(int First, Tensor<float> Images, ReadOnlyMemory<int> Labels)
{
    /// <summary>Number of images.</summary>
    public int Count => Images.Shape[0];
}
