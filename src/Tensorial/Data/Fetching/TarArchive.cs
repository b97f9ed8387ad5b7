using System.Globalization;
using System.Text;

namespace Tensorial.Data.Fetching;

/// <summary>
/// The files of a tar archive (POSIX.1-1988 ustar, POSIX.1-2001 pax, GNU long names), read from beginning to end. What a header says of
/// itself costs no more than <see cref="MostSaid"/> bytes, however much it claims.
/// </summary>
/// <param name="archive">The bytes; need not be seekable.</param>
/// <param name="called">What messages call the archive.</param>
internal sealed class TarArchive(Stream archive, string called)
{
    private const int Block = 512;

    /// <summary>Bytes of names and other remarks on one entry.</summary>
    private const int MostSaid = 1 << 20;

    private readonly byte[] _header = new byte[Block];

    /// <summary>What remarks in front of an entry said of it; null where they said nothing.</summary>
    private string? _name;

    private long? _size;

    /// <summary>Full names and contents. A content is valid until the next is asked for.</summary>
    /// <exception cref="BadInputException">The archive is damaged; names it.</exception>
    public IEnumerable<(string Name, Stream Content)> Files()
    {
        while (ReadHeader())
        {
            long size = Number(_header.AsSpan(124, 12));
            char type = (char)_header[156];
            if (type is 'x' or 'g' or 'L' or 'K')
            {
                Remark(type, Said(size));
                continue;
            }
            string name = _name ?? NameInHeader();
            // Links, folders and devices have no content, whatever size they state.
            using Part content = new(this, type is >= '1' and <= '6' ? 0 : _size ?? size);
            (_name, _size) = (null, null);
            if (type is '0' or '\0' or '7')
                yield return (name, content);
            content.Finish();
        }
    }

    /// <summary>The next header; false at the end.</summary>
    private bool ReadHeader()
    {
        int read = 0,
            more = 1;
        while (read < Block && more > 0)
            read += more = Read(_header.AsSpan(read));
        if (read == 0 || !_header.AsSpan(0, read).ContainsAnyExcept((byte)0))
            return false;
        if (read < Block)
            throw Damaged("it ends within a header");
        int sum = 0;
        for (int k = 0; k < Block; k++)
            sum += k is >= 148 and < 156 ? ' ' : _header[k];
        return sum == Number(_header.AsSpan(148, 8)) ? true : throw Damaged("the checksum of a header is wrong");
    }

    private string NameInHeader()
    {
        string name = Text(_header.AsSpan(0, 100));
        string prefix = _header.AsSpan(257, 6).SequenceEqual("ustar\0"u8) ? Text(_header.AsSpan(345, 155)) : "";
        return prefix.Length > 0 ? $"{prefix}/{name}" : name;
    }

    private byte[] Said(long size)
    {
        if (size > MostSaid)
            throw Damaged($"a header claims {size:N0} bytes for the name of an entry");
        byte[] said = new byte[size];
        using Part content = new(this, size);
        content.ReadExactly(said);
        content.Finish();
        return said;
    }

    private void Remark(char type, ReadOnlySpan<byte> said)
    {
        if (type == 'L')
            _name = Text(said);
        // Records of the next entry: their length, a blank, a key, '=', a value, the end of a line.
        while (type == 'x' && !said.IsEmpty)
        {
            int blank = said.IndexOf((byte)' ');
            if (blank < 1 || !int.TryParse(said[..blank], NumberStyles.None, CultureInfo.InvariantCulture, out int length))
                throw Damaged("a remark on an entry has no length");
            if (length <= blank + 1 || length > said.Length)
                throw Damaged("a remark on an entry is longer than all of them");
            ReadOnlySpan<byte> record = said[(blank + 1)..(length - 1)];
            said = said[length..];
            if (record.StartsWith("path="u8))
                _name = Text(record[5..]);
            else if (record.StartsWith("size="u8))
                _size = long.TryParse(record[5..], NumberStyles.None, CultureInfo.InvariantCulture, out long size)
                    ? size
                    : throw Damaged("the size of an entry is no number");
        }
    }

    /// <summary>Octal digits between blanks, or eight bytes behind one whose highest bit is set.</summary>
    private long Number(ReadOnlySpan<byte> field)
    {
        long number = 0;
        bool isBinary = (field[0] & 0x80) != 0;
        if (!isBinary)
            field = field.Trim(" \0"u8);
        foreach (byte digit in isBinary ? field[1..] : field)
        {
            if (number >> 54 != 0 || (!isBinary && digit is < (byte)'0' or > (byte)'7'))
                throw Damaged("a header holds a number that is none");
            number = isBinary ? number << 8 | digit : number << 3 | (uint)(digit - '0');
        }
        return number;
    }

    private static string Text(ReadOnlySpan<byte> bytes) =>
        Encoding.UTF8.GetString(bytes.IndexOf((byte)0) is var end and >= 0 ? bytes[..end] : bytes);

    private int Read(Span<byte> buffer)
    {
        try
        {
            return archive.Read(buffer);
        }
        catch (InvalidDataException error)
        {
            throw Damaged(error.Message.TrimEnd('.'), error);
        }
    }

    /// <summary>Leaves bytes out without reading them, where that is possible.</summary>
    /// <param name="needed">Bytes that have to be there.</param>
    /// <param name="count">Bytes up to the next header, if it follows.</param>
    private bool Skip(long needed, long count)
    {
        if (!archive.CanSeek)
            return false;
        long there = archive.Length - archive.Position;
        if (needed > there)
            throw Damaged($"it ends {needed - there:N0} bytes before the end of an entry");
        archive.Position += Math.Min(count, there);
        return true;
    }

    private BadInputException Damaged(string how, Exception? error = null) =>
        new($"'{called}' is not an intact tar archive: {how}.", error);

    /// <summary>The content of an entry, and what fills its last block.</summary>
    private sealed class Part : Stream
    {
        private readonly TarArchive _archive;
        private long _left;

        public Part(TarArchive archive, long length) => (_archive, Length, _left) = (archive, length, length);

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length { get; }

        public override long Position
        {
            get => Length - _left;
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            if (_left == 0 || buffer.IsEmpty)
                return 0;
            int read = _archive.Read(buffer[..(int)Math.Min(buffer.Length, _left)]);
            if (read == 0)
                throw _archive.Damaged($"it ends {_left:N0} bytes before the end of an entry");
            _left -= read;
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        /// <summary>Goes on to the next header. An archive may end within the last block.</summary>
        public void Finish()
        {
            if (_archive.Skip(_left, (-Length & (Block - 1)) + _left))
                return;
            byte[] rest = new byte[(int)Math.Min(_left + Block, 1 << 16)];
            while (_left > 0)
                _ = Read(rest);
            long left = -Length & (Block - 1);
            while (left > 0)
            {
                int read = _archive.Read(rest.AsSpan(0, (int)left));
                if (read == 0)
                    return;
                left -= read;
            }
        }

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
