using System.Security.Cryptography;

namespace Tensorial.Data.Fetching;

/// <summary>
/// Puts a file of a set in place, whole and with the right checksum, or not at all; and says whether it is there already.
/// </summary>
internal static class CheckedFile
{
    private const int Chunk = 1 << 20;

    /// <summary>The checksum of a file that is in place and right; null if it is missing or not what it should be.</summary>
    public static string? Find(DataFile file, string path)
    {
        FileInfo there = new(path);
        if (!there.Exists || there.Length != file.Bytes)
            return null;
        using FileStream stream = there.OpenRead();
        string actual = Convert.ToHexStringLower(SHA256.HashData(stream));
        return file.Sha256 is null || file.Sha256 == actual ? actual : null;
    }

    /// <summary>Copies a file from where it comes from and returns its checksum.</summary>
    /// <exception cref="BadInputException">Another length or checksum than the file must have; nothing is left.</exception>
    public static string Write(
        DataFile file,
        string path,
        string origin,
        Stream content,
        IProgress<Progress>? progress,
        CancellationToken cancel
    )
    {
        string actual = "";
        AtomicFile.Write(
            path,
            target =>
            {
                using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                byte[] buffer = new byte[Chunk];
                long done = 0;
                for (
                    int count;
                    (count = content.Read(buffer)) > 0;
                    progress?.Report(new($"Writing {file.Name}", done, file.Bytes, "bytes"))
                )
                {
                    cancel.ThrowIfCancellationRequested();
                    done += count;
                    if (done > file.Bytes)
                        break;
                    hash.AppendData(buffer, 0, count);
                    target.Write(buffer, 0, count);
                }
                if (done != file.Bytes)
                {
                    string length = done > file.Bytes ? "more" : $"{done:N0} bytes, fewer";
                    throw new BadInputException(
                        $"{file.Name} from {origin} has {length} than the {file.Bytes:N0} it should have; " + "it was not kept."
                    );
                }
                actual = Convert.ToHexStringLower(hash.GetHashAndReset());
                if (file.Sha256 is not null && file.Sha256 != actual)
                {
                    throw new BadInputException(
                        $"{file.Name} from {origin} has the SHA-256 {actual}, not {file.Sha256}: "
                            + "it is damaged or another file, and was not kept."
                    );
                }
            }
        );
        return actual;
    }
}
