using System.Buffers.Binary;

namespace Tensorial.Data.Jpeg;

/// <summary>
/// Reads JPEG files: baseline, extended and progressive Huffman coding of 8 bits (ITU-T T.81), grey, RGB, YCbCr, CMYK and YCCK, any
/// sampling. Pixels are those of libjpeg-turbo, bit for bit, and so those that networks were trained on with Pillow or torchvision.
/// </summary>
internal sealed class JpegFile
{
    /// <summary>Pixels of a byte at most: a block of 64 takes a bit or more.</summary>
    private const long MostExpansion = 8 * 64;

    private readonly ReadOnlyMemory<byte> _file;
    private readonly string _name;
    private readonly ushort[]?[] _quantization = new ushort[4][];
    private readonly JpegHuffman?[] _dc = new JpegHuffman[4],
        _ac = new JpegHuffman[4];
    private JpegComponent[] _components = [];
    private int _width,
        _height,
        _restart;
    private bool _isProgressive,
        _hasJfif;
    private int? _adobe;

    private JpegFile(ReadOnlyMemory<byte> file, string name) => (_file, _name) = (file, name);

    /// <summary>How the picture is to be turned, 1 to 8 as in EXIF.</summary>
    public int Orientation { get; private set; } = 1;

    /// <summary>[height, width, 1 or 3].</summary>
    public Tensor<byte> Pixels { get; private set; } = new([0, 0, 1]);

    public static bool Begins(ReadOnlySpan<byte> file) => file is [0xFF, 0xD8, 0xFF, ..];

    /// <summary>Reads a file.</summary>
    /// <param name="file">Its bytes.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="cancel">Ends it between rows.</param>
    /// <exception cref="BadInputException">Not such a file, damaged, or of a kind that is not read; names the file.</exception>
    public static JpegFile Read(ReadOnlyMemory<byte> file, string name, CancellationToken cancel = default)
    {
        JpegFile read = new(file, name);
        read.ReadMarkers(cancel);
        return read;
    }

    private ReadOnlySpan<byte> Bytes => _file.Span;

    private void ReadMarkers(CancellationToken cancel)
    {
        int at = 2;
        while (true)
        {
            // Between segments only fill bytes may stand; encoders that leave others there are forgiven, as libjpeg does.
            while (at < Bytes.Length && Bytes[at] != 0xFF)
                at++;
            while (at < Bytes.Length && Bytes[at] == 0xFF)
                at++;
            if (at >= Bytes.Length)
                throw Damaged("it ends before its last marker");
            int marker = Bytes[at++];
            if (marker == 0xD9)
                break;
            if (marker is 0 or 1 or >= 0xD0 and <= 0xD8)
                continue;
            ReadOnlySpan<byte> segment = Segment(at);
            at += 2 + segment.Length;
            if (marker == 0xDA)
                at = ReadScan(segment, at, cancel);
            else
                ReadTable(marker, segment);
        }
        if (_components.Length == 0 || _components.Any(static c => c.Quantization is null))
            throw Damaged("it has no picture");
        if (_isProgressive)
            foreach (JpegComponent component in _components)
                for (int block = 0; block < component.BlocksAcross * component.BlocksDown; block++)
                    component.Transform(
                        component.Coefficients.AsSpan(64 * block, 64),
                        block / component.BlocksAcross,
                        block % component.BlocksAcross
                    );
        Pixels = ToPixels();
    }

    private ReadOnlySpan<byte> Segment(int at)
    {
        int length = at + 2 <= Bytes.Length ? BinaryPrimitives.ReadUInt16BigEndian(Bytes[at..]) : 0;
        if (length < 2 || at + length > Bytes.Length)
            throw Damaged($"the segment at offset {at:N0} is longer than the file");
        return Bytes.Slice(at + 2, length - 2);
    }

    private void ReadTable(int marker, ReadOnlySpan<byte> data)
    {
        switch (marker)
        {
            case 0xC0 or 0xC1 or 0xC2:
                ReadFrame(data, isProgressive: marker == 0xC2);
                break;
            case 0xC4:
                ReadHuffman(data);
                break;
            case 0xDB:
                ReadQuantization(data);
                break;
            case 0xDD when data.Length >= 2:
                _restart = BinaryPrimitives.ReadUInt16BigEndian(data);
                break;
            case 0xE0 when data.StartsWith("JFIF\0"u8):
                _hasJfif = true;
                break;
            case 0xE1 when data.StartsWith("Exif\0\0"u8):
                Orientation = Exif.Orientation(data[6..]);
                break;
            case 0xEE when data.StartsWith("Adobe"u8) && data.Length >= 12:
                _adobe = data[11];
                break;
            case (>= 0xC3 and <= 0xCF) and not 0xC8:
                throw new UnsupportedException(
                    $"'{_name}' is JPEG of a kind that is not read (frame type {marker - 0xC0}: lossless, hierarchical or arithmetic coding)."
                );
        }
    }

    private void ReadQuantization(ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            (int width, int number) = ((data[0] >> 4) + 1, data[0] & 15);
            if (width > 2 || number > 3 || data.Length < 1 + 64 * width)
                throw Damaged("a quantisation table is not whole");
            ushort[] steps = new ushort[64];
            for (int k = 0; k < 64; k++)
                steps[JpegScan.Zigzag[k]] = width == 1 ? data[1 + k] : BinaryPrimitives.ReadUInt16BigEndian(data[(1 + 2 * k)..]);
            _quantization[number] = steps;
            data = data[(1 + 64 * width)..];
        }
    }

    private void ReadHuffman(ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            int symbols = 0;
            for (int k = 1; k <= 16 && k < data.Length; k++)
                symbols += data[k];
            if (data.Length < 17 + symbols || symbols > 256 || (data[0] & 15) > 3 || data[0] >> 4 > 1)
                throw Damaged("a Huffman table is not whole");
            (data[0] >> 4 == 0 ? _dc : _ac)[data[0] & 15] = new(data.Slice(1, 16), data.Slice(17, symbols), _name);
            data = data[(17 + symbols)..];
        }
    }

    private void ReadFrame(ReadOnlySpan<byte> data, bool isProgressive)
    {
        if (_components.Length > 0)
            throw Damaged("it has two frames");
        if (data.Length < 6 || data.Length < 6 + 3 * data[5])
            throw Damaged("its frame header is not whole");
        if (data[0] != 8)
            throw new UnsupportedException($"'{_name}' has {data[0]} bits a sample; JPEG of 8 can be read.");
        (_height, _width) = (BinaryPrimitives.ReadUInt16BigEndian(data[1..]), BinaryPrimitives.ReadUInt16BigEndian(data[3..]));
        if (data[5] is not (1 or 3 or 4))
            throw new UnsupportedException($"'{_name}' has {data[5]} colour components; JPEG of 1, 3 and 4 can be read.");
        ImageFile.CheckSize(_name, _width, _height);
        if ((long)_width * _height > MostExpansion * _file.Length)
            throw Damaged($"it declares {_width:N0} × {_height:N0} pixels, more than its {_file.Length:N0} bytes can hold");
        var components = new JpegComponent[data[5]];
        for (int k = 0; k < components.Length; k++)
        {
            ReadOnlySpan<byte> entry = data.Slice(6 + 3 * k, 3);
            (int across, int down) = (entry[1] >> 4, entry[1] & 15);
            if (across is < 1 or > 4 || down is < 1 or > 4 || entry[2] > 3)
                throw Damaged("its frame header is none");
            components[k] = components.Length == 1 ? new(entry[0], 1, 1, entry[2]) : new(entry[0], across, down, entry[2]);
        }
        (int mostAcross, int mostDown) = (components.Max(static c => c.Across), components.Max(static c => c.Down));
        foreach (JpegComponent component in components)
            component.Allocate(_width, _height, mostAcross, mostDown, isProgressive);
        (_components, _isProgressive) = (components, isProgressive);
    }

    private int ReadScan(ReadOnlySpan<byte> data, int at, CancellationToken cancel)
    {
        int count = data.Length > 0 ? data[0] : 0;
        if (count is < 1 or > 4 || data.Length < 4 + 2 * count || _components.Length == 0)
            throw Damaged("a scan has no header");
        var chosen = new JpegComponent[count];
        ReadOnlySpan<byte> rest = data[(1 + 2 * count)..];
        (int from, int to, int high, int low) = _isProgressive ? (rest[0], rest[1], rest[2] >> 4, rest[2] & 15) : (0, 63, 0, 0);
        if (
            from > to
            || to > 63
            || (_isProgressive && from == 0 && to != 0)
            || (from > 0 && count > 1)
            || low > 13
            || (high > 0 && high != low + 1)
        )
            throw Damaged("a scan's header is none");
        for (int k = 0; k < count; k++)
        {
            (int id, int tables) = (data[1 + 2 * k], data[2 + 2 * k]);
            JpegComponent component =
                Array.Find(_components, c => c.Id == id) is { } known && !chosen.Contains(known)
                    ? known
                    : throw Damaged("a scan names a component that is not there");
            component.Quantization ??= _quantization[component.Table] ?? throw Damaged("a quantisation table is missing");
            component.Dc = from > 0 || high > 0 ? null : _dc[tables >> 4 & 3] ?? throw Damaged("a Huffman table is missing");
            component.Ac = to == 0 ? null : _ac[tables & 3] ?? throw Damaged("a Huffman table is missing");
            chosen[k] = component;
        }
        return new JpegScan(chosen, from, to, high, low, _isProgressive, _name).Read(_file, at, _restart, cancel);
    }

    private Tensor<byte> ToPixels()
    {
        JpegColorSpace space = Space();
        int channels = space == JpegColorSpace.Gray ? 1 : 3;
        (int mostAcross, int mostDown) = (_components.Max(static c => c.Across), _components.Max(static c => c.Down));
        int longest = 8 * mostAcross + _components.Max(c => (c.Width + 1) * mostAcross);
        byte[][] rows = [.. _components.Select(_ => new byte[longest])];
        int[] sums = new int[longest];
        Tensor<byte> pixels = new([_height, _width, channels]);
        for (int row = 0; row < _height; row++)
        {
            for (int k = 0; k < rows.Length; k++)
                JpegUpsampling.Row(_components[k], row, mostAcross, mostDown, rows[k], sums);
            JpegColor.Row(space, _adobe is not null, rows, pixels.Values.Slice(row * _width * channels, _width * channels), _width);
        }
        return pixels;
    }

    /// <summary>Files seldom say; the markers that writers leave tell.</summary>
    private JpegColorSpace Space() =>
        (_components.Length, _adobe) switch
        {
            (1, _) => JpegColorSpace.Gray,
            (4, not null and not 0) => JpegColorSpace.Ycck,
            (4, _) => JpegColorSpace.Cmyk,
            _ when _hasJfif => JpegColorSpace.YCbCr,
            (_, { } transform) => transform == 0 ? JpegColorSpace.Rgb : JpegColorSpace.YCbCr,
            _ when _components[0].Id == 'R' && _components[1].Id == 'G' && _components[2].Id == 'B' => JpegColorSpace.Rgb,
            _ => JpegColorSpace.YCbCr,
        };

    private BadInputException Damaged(string how) => new($"'{_name}' is damaged: {how}.");
}
