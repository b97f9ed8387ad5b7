namespace Tensorial.Data.Jpeg;

/// <summary>A Huffman code: up to 16 bits a symbol, short ones looked up at once (ITU-T T.81, annex C and F.2.2.3).</summary>
internal sealed class JpegHuffman
{
    private const int Direct = 9;

    /// <summary>For every pattern of the next bits: length and symbol, 0 where the code is longer.</summary>
    private readonly ushort[] _direct = new ushort[1 << Direct];

    /// <summary>For every length: one past the last code, shifted to 16 bits; and what to add to a code for the place of its symbol.</summary>
    private readonly int[] _end = new int[18],
        _offset = new int[18];

    private readonly byte[] _symbols;
    private readonly string _name;

    /// <param name="counts">Codes of each length from 1 to 16.</param>
    /// <param name="symbols">Their symbols in order.</param>
    /// <param name="name">What messages call the file.</param>
    /// <exception cref="BadInputException">More codes than their lengths allow.</exception>
    public JpegHuffman(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols, string name)
    {
        (_symbols, _name) = (symbols.ToArray(), name);
        int code = 0,
            place = 0;
        for (int length = 1; length <= 16; length++)
        {
            _offset[length] = place - code;
            for (int k = 0; k < counts[length - 1]; k++, code++, place++)
            {
                if (code >= 1 << length)
                    throw new BadInputException($"'{name}' is damaged: a Huffman table has more codes than fit.");
                if (length <= Direct)
                    _direct.AsSpan(code << (Direct - length), 1 << (Direct - length)).Fill((ushort)(length << 8 | _symbols[place]));
            }
            _end[length] = code << (16 - length);
            code <<= 1;
        }
    }

    /// <summary>Takes one symbol.</summary>
    /// <exception cref="BadInputException">No code begins with these bits.</exception>
    public int Take(ref JpegBits bits)
    {
        int next = bits.Peek(16),
            found = _direct[next >> (16 - Direct)];
        if (found != 0)
        {
            bits.Skip(found >> 8);
            return found & 0xFF;
        }
        for (int length = Direct + 1; length <= 16; length++)
        {
            if (next >= _end[length])
                continue;
            bits.Skip(length);
            return _symbols[(next >> (16 - length)) + _offset[length]];
        }
        throw new BadInputException($"'{_name}' is damaged: no Huffman code matches near offset {bits.Position:N0}.");
    }
}
