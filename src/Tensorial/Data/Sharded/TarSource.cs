namespace Tensorial.Data.Sharded;

/// <summary>Pictures or arrays in tar files as WebDataset has them, decoded when they are asked for.</summary>
/// <param name="Place">A tar file, a folder of them, or a pattern.</param>
/// <param name="Transform">How pictures are brought to one size; null where they have one.</param>
/// <param name="Labelled">Whether classes are read.</param>
internal sealed record TarSource(string Place, ImageTransform? Transform, bool Labelled) : DataSource
{
    public static TarSource From(string place, ImageTransform? transform)
    {
        transform?.Check();
        (string shards, bool labelled) = ImageFolderSource.Labels(place);
        return new(shards, transform, labelled);
    }

    private protected override ImageSet Read(DataSplit split, Normalization normalization, int limit)
    {
        TarFiles files = TarFiles.Open(ShardPlaces.Find(Place, split));
        bool areArrays = files.AreArrays;
        if (areArrays && Transform is not null && Transform != new ImageTransform())
            throw new BadInputException(
                $"'{Place}' holds arrays (.npy), which are taken as they are: only pictures are resized, cropped, framed or made grey."
            );
        int[]? labels = Labelled ? files.Labels : null;
        int classes = labels is null ? 0 : labels.Max() + 1;
        // Folders that were packed as they are have their classes in the names.
        if (Labelled && labels is null)
        {
            (labels, string[] names) = ImageFolder.LabelsOf([.. Enumerable.Range(0, files.Count).Select(files.NameOf)]);
            classes = names.Length;
        }
        ImageStore store = areArrays ? new ArrayFiles(files) : new PictureFiles(files, Transform ?? new());
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(Place)));
        return new ImageSet(name, store, labels, classes, normalization).Take(limit);
    }
}
