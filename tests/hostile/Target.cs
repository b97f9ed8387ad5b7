using System.Collections.Concurrent;

namespace Tensorial.Hostile;

/// <summary>Something that reads, or computes with, what strangers give it.</summary>
/// <param name="Name">As it is named on the command line and in the README.</param>
/// <param name="IsStage">Whether it computes with a network, rather than reads a file.</param>
/// <param name="Corpus">Good inputs, which mutation starts from. Readers accept each of them.</param>
/// <param name="Mutate">An input made of good ones; the same for the same random numbers.</param>
/// <param name="Use">What is done with an input. It may refuse it in words.</param>
internal sealed record Target(
    string Name,
    bool IsStage,
    Func<IReadOnlyList<byte[]>> Corpus,
    Func<IReadOnlyList<byte[]>, Random, byte[]> Mutate,
    Action<byte[]> Use
)
{
    private readonly Lazy<IReadOnlyList<byte[]>> _corpus = new(Corpus);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Target> All { get; } = [.. ReaderTargets.All, .. JsonTargets.All, .. StageTargets.All];

    public IReadOnlyList<byte[]> Good => _corpus.Value;

    /// <summary>The input of a round, the same whenever it is asked for.</summary>
    public byte[] Input(int seed, long round) => Mutate(Good, new Random(HashCode(seed, round)));

    /// <summary>Rounds of neighbouring numbers have nothing in common.</summary>
    private static int HashCode(int seed, long round)
    {
        ulong state = unchecked((ulong)round * 0x9E3779B97F4A7C15 + (ulong)seed * 0xD1B54A32D192ED03);
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9;
        return (int)(state >> 33);
    }
}

/// <summary>A folder for targets that read from files; in memory where the machine has such a place.</summary>
internal static class Scratch
{
    private static readonly string Folder = Make();

    private static readonly ConcurrentDictionary<string, string> Made = new();

    public static string At(params string[] parts)
    {
        string path = Path.Combine([Folder, .. parts]);
        _ = Made.GetOrAdd(Path.GetDirectoryName(path)!, static folder => Directory.CreateDirectory(folder).FullName);
        return path;
    }

    /// <summary>Writes an input where a reader will look for it.</summary>
    public static string Write(byte[] bytes, params string[] parts)
    {
        string path = At(parts);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static string Make()
    {
        string path = Path.Combine(
            Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(),
            $"tensorial-hostile-{Environment.ProcessId}"
        );
        Directory.CreateDirectory(path);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(path, recursive: true);
        return path;
    }
}
