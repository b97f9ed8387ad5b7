namespace Tensorial.Data.Jpeg;

/// <summary>The bits of one entropy-coded segment: bytes up to the next marker, without the zero stuffed after every 0xFF.</summary>
internal struct JpegBits(ReadOnlyMemory<byte> file, int position, string name)
{
    private readonly ReadOnlyMemory<byte> _file = file;
    private ulong _bits;
    private int _count,
        _invented;

    /// <summary>Where the next unread byte lies.</summary>
    public int Position { get; private set; } = position;

    /// <summary>The next bits without taking them, at most 16.</summary>
    public int Peek(int bits)
    {
        if (_count < bits)
            Fill();
        return (int)(_bits >> (_count - bits)) & ((1 << bits) - 1);
    }

    /// <exception cref="BadInputException">The segment has no more bits.</exception>
    public void Skip(int bits)
    {
        _count -= bits;
        if (_count < _invented)
            throw new BadInputException($"'{name}' is damaged or cut: its pixels end at offset {Position:N0}.");
    }

    public int Take(int bits)
    {
        if (bits == 0)
            return 0;
        int value = Peek(bits);
        Skip(bits);
        return value;
    }

    /// <summary>A coefficient of a category (its number of bits): negative values are stored minus one, without their sign bit.</summary>
    public int TakeSigned(int bits)
    {
        int value = Take(bits);
        return bits > 0 && value < 1 << (bits - 1) ? value - (1 << bits) + 1 : value;
    }

    /// <summary>Drops what is left of the last byte, and goes past a restart marker.</summary>
    /// <exception cref="BadInputException">There is no such marker here.</exception>
    public void Restart()
    {
        (_bits, _count, _invented) = (0, 0, 0);
        ReadOnlySpan<byte> file = _file.Span;
        int at = Position;
        while (at + 1 < file.Length && file[at] == 0xFF && file[at + 1] == 0xFF)
            at++;
        if (at + 1 >= file.Length || file[at] != 0xFF || file[at + 1] is < 0xD0 or > 0xD7)
            throw new BadInputException($"'{name}' is damaged: a restart marker was expected at offset {at:N0}.");
        Position = at + 2;
    }

    private void Fill()
    {
        ReadOnlySpan<byte> file = _file.Span;
        while (_count <= 48)
        {
            byte next = 0;
            if (Position >= file.Length || (file[Position] == 0xFF && (Position + 1 >= file.Length || file[Position + 1] != 0)))
                _invented += 8; // A marker: decoders may look ahead of it, not take what is there.
            else
            {
                next = file[Position];
                Position += next == 0xFF ? 2 : 1;
            }
            _bits = _bits << 8 | next;
            _count += 8;
        }
    }
}
