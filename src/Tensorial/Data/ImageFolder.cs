namespace Tensorial.Data;

/// <summary>The files of a set in a folder and those below it, with their classes where subfolders tell them.</summary>
/// <param name="Root">The folder that names are relative to.</param>
/// <param name="Files">Names, in an order that mixes classes and is the same every time.</param>
/// <param name="Labels">The class of each; null where there are none.</param>
/// <param name="Classes">Names of the classes in order; empty where there are none.</param>
internal sealed record ImageFolder(string Root, string[] Files, int[]? Labels, string[] Classes)
{
    /// <summary>Seed of the order.</summary>
    public const int Seed = 0;

    /// <summary>Names of subfolders that hold a split; the first that is there counts.</summary>
    public static readonly string[] TrainNames = ["train", "training"],
        TestNames = ["test", "val", "valid", "validation"];

    /// <summary>Lists the files; none is opened.</summary>
    /// <param name="folder">The folder. Where it has subfolders for both splits, one of them counts.</param>
    /// <param name="split">Which split.</param>
    /// <param name="extensions">Ends of the names that count.</param>
    /// <param name="what">What they are, for messages.</param>
    /// <param name="labelled">Whether subfolders are classes.</param>
    /// <exception cref="BadInputException">There is no such file.</exception>
    /// <exception cref="IOException">The folder is missing or cannot be read.</exception>
    public static ImageFolder List(string folder, DataSplit split, IReadOnlySet<string> extensions, string what, bool labelled)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"The folder '{folder}' does not exist.");
        string root = SplitOf(folder, split);
        string[] files =
        [
            .. new DirectoryInfo(root)
                .EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden })
                .Where(file => extensions.Contains(file.Extension))
                .Select(file => Path.GetRelativePath(root, file.FullName)),
        ];
        if (files.Length == 0)
            throw new BadInputException($"'{root}' and the folders below it hold no {what} ({string.Join(", ", extensions)}).");
        Array.Sort(files, StringComparer.Ordinal);
        // Whoever takes the first few is to get some of every class.
        new Random(Seed).Shuffle(files);
        (int[]? labels, string[] classes) = labelled ? LabelsOf(files) : (null, []);
        return new(root, files, labels, classes);
    }

    /// <summary>Classes by the folders that all files lie in; no labels where these are fewer than two.</summary>
    public static (int[]? Labels, string[] Classes) LabelsOf(string[] files)
    {
        string[] classes = ClassesOf(files);
        if (classes.Length < 2)
            return (null, []);
        Dictionary<string, int> numbers = classes.Select(static (name, k) => (name, k)).ToDictionary();
        return ([.. files.Select(file => numbers[Top(file)])], classes);
    }

    /// <summary>The subfolder of a split, where there is one for each; the folder otherwise.</summary>
    public static string SplitOf(string folder, DataSplit split)
    {
        string? train = First(TrainNames),
            test = First(TestNames);
        return train is null || test is null ? folder
            : split == DataSplit.Train ? train
            : test;

        string? First(string[] names) => names.Select(name => Path.Combine(folder, name)).FirstOrDefault(Directory.Exists);
    }

    /// <summary>The folders next to the root, sorted, where every file lies in one of at least two.</summary>
    private static string[] ClassesOf(string[] files)
    {
        HashSet<string> names = [];
        foreach (string file in files)
            if (Top(file) is { Length: > 0 } name)
                names.Add(name);
            else
                return [];
        return [.. names.Order(StringComparer.Ordinal)];
    }

    private static string Top(string file) =>
        file.AsSpan().IndexOfAny('/', Path.DirectorySeparatorChar) is > 0 and var at ? file[..at] : "";
}

/// <summary>Picture files in a folder, decoded when they are asked for.</summary>
internal sealed record ImageFolderSource(string Folder, ImageTransform Transform, bool Labelled) : DataSource
{
    /// <summary>Follows the folder where its subfolders are no classes.</summary>
    private const string Unlabelled = ",unlabelled";

    public static ImageFolderSource From(string place, ImageTransform transform)
    {
        transform.Check();
        (string folder, bool labelled) = Labels(place);
        return new(folder, transform, labelled);
    }

    /// <summary>The place of a set, and whether its classes are wanted.</summary>
    public static (string Place, bool Labelled) Labels(string place) =>
        place.EndsWith(Unlabelled, StringComparison.OrdinalIgnoreCase) ? (place[..^Unlabelled.Length], false) : (place, true);

    private protected override ImageSet Read(DataSplit split, Normalization normalization, int limit)
    {
        ImageFolder found = ImageFolder.List(Folder, split, ImageFile.Extensions, "pictures", Labelled);
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(found.Root)));
        return new ImageSet(
            name,
            new PictureFiles(new FolderFiles(found.Root, found.Files), Transform),
            found.Labels,
            found.Classes.Length,
            normalization
        ).Take(limit);
    }
}
