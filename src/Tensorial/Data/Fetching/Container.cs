using System.IO.Compression;

namespace Tensorial.Data.Fetching;

/// <summary>
/// Named streams of bytes: the files of a folder, the entries of a tar archive, or one file. May be gone through more than once.
/// </summary>
internal abstract class Container
{
    /// <summary>Deep enough for an unpacked archive in a folder; a look around the whole disk is not meant.</summary>
    private const int Depth = 2;

    /// <summary>What messages call it.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Contents under base names, without folders, of those that are wanted. A stream is valid until the next is asked for.
    /// </summary>
    public abstract IEnumerable<(string Name, Stream Content)> Entries(Func<string, bool> wanted);

    /// <summary>A folder as such, a .tar, .tgz or .tar.gz as what it holds, another file as itself.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="called">The name that says what it is; null if that is the path's own.</param>
    /// <exception cref="FileNotFoundException">There is nothing at the path.</exception>
    public static Container Open(string path, string? called = null)
    {
        string name = called ?? path;
        if (Directory.Exists(path))
            return new Folder(path) { Name = name };
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is neither a folder nor a file '{path}'.");
        bool isPacked = Ends(".tgz") || Ends(".tar.gz");
        return isPacked || Ends(".tar") ? new Tar(path, isPacked) { Name = name } : new Single(path) { Name = name };

        bool Ends(string extension) => name.EndsWith(extension, StringComparison.OrdinalIgnoreCase);
    }

    private sealed class Folder(string folder) : Container
    {
        public override IEnumerable<(string Name, Stream Content)> Entries(Func<string, bool> wanted)
        {
            EnumerationOptions options = new() { RecurseSubdirectories = true, MaxRecursionDepth = Depth };
            foreach (string path in Directory.EnumerateFiles(folder, "*", options).Order(StringComparer.Ordinal))
            {
                if (!wanted(Path.GetFileName(path)))
                    continue;
                using FileStream content = InputFile.Open(path);
                yield return (Path.GetFileName(path), content);
            }
        }
    }

    private sealed class Single(string path) : Container
    {
        public override IEnumerable<(string Name, Stream Content)> Entries(Func<string, bool> wanted)
        {
            if (!wanted(Path.GetFileName(Name)))
                yield break;
            using FileStream content = InputFile.Open(path);
            yield return (Path.GetFileName(Name), content);
        }
    }

    private sealed class Tar(string path, bool isPacked) : Container
    {
        public override IEnumerable<(string Name, Stream Content)> Entries(Func<string, bool> wanted)
        {
            using FileStream file = InputFile.Open(path);
            using Stream unpacked = isPacked ? new GZipStream(file, CompressionMode.Decompress) : file;
            foreach ((string full, Stream content) in new TarArchive(unpacked, Name).Files())
                if (Path.GetFileName(full) is var name && wanted(name))
                    yield return (name, content);
        }
    }
}
