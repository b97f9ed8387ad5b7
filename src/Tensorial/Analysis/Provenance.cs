using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Tensorial.Data;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Analysis;

/// <summary>What is needed to get the same numbers again.</summary>
public sealed record Provenance
{
    /// <summary>Name of the tool.</summary>
    public string Tool { get; init; } = "tensorial";

    /// <summary>Version of the tool.</summary>
    public required string Version { get; init; }

    /// <summary>The command as it could be typed again.</summary>
    public required string CommandLine { get; init; }

    /// <summary>When the run began, UTC.</summary>
    public required DateTimeOffset Date { get; init; }

    /// <summary>The network's file.</summary>
    public required ModelFile Model { get; init; }

    /// <summary>Images the accuracies were measured on; null without data.</summary>
    public DataUse? Data { get; init; }

    /// <summary>Images batch-norm statistics were estimated on; null where nothing was recalibrated.</summary>
    public DataUse? Calibration { get; init; }

    /// <summary>Seed of everything random.</summary>
    public long Seed { get; init; }

    /// <summary>Processor and threads.</summary>
    public required Machine Machine { get; init; }

    /// <summary>Which part of the sweep this is, as <c>2/4</c>; null for all of it.</summary>
    public string? Shard { get; init; }

    /// <summary>Parts this result was put together from; empty for a run of its own.</summary>
    public ValueList<string> MergedFrom { get; init; } = [];

    /// <summary>Wall time of the run, or of all parts together, seconds.</summary>
    public double Seconds { get; init; }
}

/// <param name="Name">File name without its folder.</param>
/// <param name="Sha256">Of the file's bytes, lower-case hexadecimal; where weights lie in files beside, of these too.</param>
/// <param name="Bytes">Size of the file, with those beside.</param>
public sealed record ModelFile(string Name, string Sha256, long Bytes)
{
    /// <summary>Name and the beginning of the hash: enough to tell files apart where people read it.</summary>
    public string Mark => $"{Name} {Sha256[..12]}";

    private const int Chunk = 1 << 20;

    /// <summary>A network that is in memory: the hash and size are those of its nodes' names and its constants.</summary>
    public static ModelFile From(Graph graph)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long bytes = 0;
        foreach (Node node in graph.Nodes)
            hash.AppendData(Encoding.UTF8.GetBytes($"{node.Operation} {string.Join(' ', node.Inputs)} {string.Join(' ', node.Outputs)}\n"));
        foreach ((string name, Tensor value) in graph.Initializers.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name} {value.ElementType} {value.Shape}\n"));
            for (int first = 0; first < value.Shape.ElementCount; first += Chunk)
            {
                Span<byte> some = value.Bytes(first, Math.Min(Chunk, value.Shape.ElementCount - first));
                hash.AppendData(some);
                bytes += some.Length;
            }
        }
        return new(graph.Name, Convert.ToHexStringLower(hash.GetHashAndReset()), bytes);
    }

    /// <summary>A file, and the files beside it in which it keeps weights: hash and size are those of all of them.</summary>
    /// <exception cref="BadInputException">The file is no ONNX model.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ModelFile From(string path) => From(OnnxFile.FingerprintOf(path));

    /// <summary>The file that a network was read from, as it was then, whatever lies in its place now.</summary>
    /// <exception cref="IOException">A file in which it keeps weights was changed since.</exception>
    internal static ModelFile OfSource(Graph graph) =>
        graph.Source is OnnxSource { File: { } file }
            ? From(file)
            : throw new InvalidOperationException("The network was read from no file.");

    private static ModelFile From(OnnxFingerprint file)
    {
        (string hash, long bytes) = file.Whole();
        return new(file.Name, hash, bytes);
    }
}

/// <param name="Description">As given on the command line, without folders: <c>cifar10</c>.</param>
/// <param name="Split">The split read: test or train.</param>
/// <param name="Samples">Images used.</param>
/// <param name="Fingerprint">Hash of the images, labels and normalisation.</param>
public sealed record DataUse(string Description, string Split, int Samples, string Fingerprint)
{
    /// <summary>What identifies a set: its name, split, number of images and fingerprint.</summary>
    public static DataUse From(ImageSet images, DataSplit split) =>
        new(images.Name, split == Data.DataSplit.Test ? "test" : "train", images.Count, images.Fingerprint);
}

/// <param name="Os">Operating system and architecture.</param>
/// <param name="Runtime">.NET runtime.</param>
/// <param name="Processors">Logical processors of the machine.</param>
/// <param name="Threads">Threads the run used.</param>
public sealed record Machine(string Os, string Runtime, int Processors, int Threads)
{
    /// <summary>This machine, computing with so many threads.</summary>
    public static Machine Here(int threads) =>
        new(
            $"{RuntimeInformation.OSDescription} {RuntimeInformation.OSArchitecture}",
            RuntimeInformation.FrameworkDescription,
            Environment.ProcessorCount,
            threads
        );
}
