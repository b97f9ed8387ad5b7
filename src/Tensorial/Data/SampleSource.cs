namespace Tensorial.Data;

/// <summary>The images that come with the library; they serve as either split.</summary>
internal sealed record SampleSource : DataSource
{
    private protected override ImageSet Read(DataSplit split, Normalization normalization, int limit) =>
        Sample.Images(normalization, limit);
}
