using System.IO.Compression;

namespace Tensorial;

/// <summary>NumPy's .npz files: a ZIP archive of named arrays, each read when it is asked for.</summary>
public sealed class NpzFile : IDisposable
{
    private const string Extension = ".npy";

    private readonly string _name;
    private readonly long _longest;
    private readonly ZipArchive _archive;
    private readonly Dictionary<string, ZipArchiveEntry> _entries = [];

    private NpzFile(string name, Stream stream)
    {
        (_name, _longest) = (name, stream.Length * Deflate.MostExpansion);
        _archive = new(stream, ZipArchiveMode.Read);
        foreach (ZipArchiveEntry entry in _archive.Entries)
        {
            string array = entry.FullName;
            if (array.EndsWith(Extension, StringComparison.Ordinal))
                array = array[..^Extension.Length];
            if (!_entries.TryAdd(array, entry))
                throw new BadInputException($"'{name}' holds two arrays of the name '{array}'.");
        }
    }

    /// <exception cref="BadInputException">Not a ZIP archive, or one with two arrays of the same name.</exception>
    public static NpzFile Open(string path) => Open(InputFile.Open(path), path);

    /// <inheritdoc cref="Open(string)"/>
    /// <param name="stream">The archive, seekable; it is closed with this file.</param>
    /// <param name="name">What messages call the file.</param>
    public static NpzFile Open(Stream stream, string name)
    {
        try
        {
            return new(name, stream);
        }
        catch (Exception broken)
        {
            stream.Dispose();
            if (IsDamage(broken))
                throw new BadInputException($"'{name}' is not an intact .npz file: {broken.Message}", broken);
            throw;
        }
    }

    /// <summary>The arrays, in the archive's order, without .npy.</summary>
    public IEnumerable<string> Names => _entries.Keys;

    /// <exception cref="BadInputException">There is no such array, or it is damaged.</exception>
    public Tensor Read(string array)
    {
        if (!_entries.TryGetValue(array, out ZipArchiveEntry? entry))
            throw new BadInputException($"'{_name}' holds no array '{array}', only {string.Join(", ", Names)}.");
        string name = $"{_name}({array})";
        try
        {
            using ChecksumStream stream = new(entry.Open());
            Tensor tensor = NpyFile.Read(stream, name, Math.Min(entry.Length, _longest));
            return stream.Checksum == entry.Crc32
                ? tensor
                : throw new BadInputException(
                    $"'{name}' is damaged: its checksum is {stream.Checksum:x8}, " + $"the archive says {entry.Crc32:x8}."
                );
        }
        catch (Exception broken) when (IsDamage(broken))
        {
            throw new BadInputException($"'{name}' is damaged: {broken.Message}", broken);
        }
    }

    /// <summary>Writes named tensors, compressed, whole or not at all.</summary>
    /// <exception cref="UnsupportedException">NumPy has no such element type: BFloat16.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors) =>
        AtomicFile.Write(
            path,
            stream =>
            {
                using ZipArchive archive = new(stream, ZipArchiveMode.Create);
                foreach ((string name, Tensor tensor) in tensors)
                {
                    ZipArchiveEntry entry = archive.CreateEntry(name + Extension, CompressionLevel.Fastest);
                    entry.LastWriteTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero); // ZIP's first day: the same tensors give the same file.
                    using Stream target = entry.Open();
                    NpyFile.Write(tensor, target);
                }
            }
        );

    /// <inheritdoc/>
    public void Dispose() => _archive.Dispose();

    /// <summary>What System.IO.Compression throws at archives that are cut, inconsistent, or packed in a way it does not know.</summary>
    private static bool IsDamage(Exception exception) => exception is InvalidDataException;

    /// <summary>Passes bytes on and keeps their check.</summary>
    private sealed class ChecksumStream(Stream inner) : Stream
    {
        public uint Checksum { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            int count = inner.Read(buffer);
            Checksum = Crc32.Append(Checksum, buffer[..count]);
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
