using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Tensorial;

/// <summary>
/// Opens the files that a user names. All that is read of them comes through here: a pipe or a device in a file's place, at which opening
/// or reading would wait for ever, is refused by name.
/// </summary>
internal static class InputFile
{
    /// <summary>What a file says of itself without being opened; another one, or one that was written to, says something else.</summary>
    /// <param name="Length">Bytes of the file; 0 for pipes and devices.</param>
    /// <param name="Ticks">When it was last written, UTC.</param>
    public readonly record struct Stamp(long Length, long Ticks);

    /// <summary>Opens a file to read.</summary>
    /// <exception cref="BadInputException">It is empty, or a named pipe or a device.</exception>
    /// <exception cref="IOException">It is a pipe that another program writes, it is missing, or it cannot be read.</exception>
    public static FileStream Open(string path)
    {
        Check(path);
        return File.OpenRead(path);
    }

    /// <summary>Opens a file to read here and there.</summary>
    /// <inheritdoc cref="Open" path="/exception"/>
    public static SafeFileHandle OpenHandle(string path)
    {
        Check(path);
        return File.OpenHandle(path, options: FileOptions.RandomAccess);
    }

    /// <summary>All bytes of a file.</summary>
    /// <inheritdoc cref="Open" path="/exception"/>
    public static byte[] ReadBytes(string path)
    {
        Check(path);
        return File.ReadAllBytes(path);
    }

    /// <summary>A file's text, UTF-8.</summary>
    /// <inheritdoc cref="Open" path="/exception"/>
    public static string ReadText(string path)
    {
        Check(path);
        return File.ReadAllText(path);
    }

    /// <summary>SHA-256 of a file, in lower-case hexadecimal.</summary>
    /// <inheritdoc cref="Open" path="/exception"/>
    public static string ChecksumOf(string path)
    {
        using FileStream stream = Open(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>SHA-256 of bytes, in lower-case hexadecimal.</summary>
    public static string ChecksumOf(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>A file's stamp, links followed.</summary>
    /// <exception cref="IOException">It is missing.</exception>
    public static Stamp StampOf(string path)
    {
        // A link has the length of its text.
        FileInfo file = new(AtomicFile.Target(path));
        return new(file.Length, file.LastWriteTimeUtc.Ticks);
    }

    /// <summary>
    /// .NET does not tell a file's kind, and opening a pipe waits for who writes it. But pipes and devices have no length, and no input of ours
    /// is empty.
    /// </summary>
    private static void Check(string path)
    {
        FileInfo file = new(AtomicFile.Target(path));
        if (file is { Exists: true, Length: 0 })
            throw new BadInputException($"'{path}' is empty, or no file but a pipe or a device, which is not read.");
        // The open pipes in /dev/fd are links that lead nowhere.
        if (!file.Exists && File.Exists(path))
            throw new IOException($"Cannot read '{path}': it is a pipe; give a file.");
    }
}
