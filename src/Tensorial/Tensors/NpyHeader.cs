using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Tensorial;

/// <summary>
/// What stands before the values of a .npy file: a magic word, a version, and a Python dictionary of element type, order and shape. See
/// NumPy's numpy.lib.format.
/// </summary>
internal sealed partial record NpyHeader(ElementType Type, bool IsBigEndian, bool IsFortranOrder, Shape Shape)
{
    /// <summary>NumPy itself writes headers of 128 bytes and refuses to read more than 10,000; nobody's 64 axes need so much.</summary>
    private const int LongestText = 10_000;

    private const int MostAxes = 64;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    private static readonly (ElementType Type, string Code)[] Codes =
    [
        (ElementType.Float16, "f2"),
        (ElementType.Float32, "f4"),
        (ElementType.Float64, "f8"),
        (ElementType.Int8, "i1"),
        (ElementType.Int16, "i2"),
        (ElementType.Int32, "i4"),
        (ElementType.Int64, "i8"),
        (ElementType.UInt8, "u1"),
        (ElementType.UInt16, "u2"),
        (ElementType.UInt32, "u4"),
        (ElementType.UInt64, "u8"),
        (ElementType.Bool, "b1"),
    ];

    /// <summary>Reads up to the first value.</summary>
    /// <exception cref="BadInputException">No .npy file, or one of a version or element type that is not known.</exception>
    public static NpyHeader Read(Stream stream, string name)
    {
        Span<byte> start = stackalloc byte[8];
        if (stream.ReadAtLeast(start, 8, throwOnEndOfStream: false) < 8)
            throw new BadInputException($"'{name}' is too short for a .npy file.");
        if (!start[..6].SequenceEqual(Magic))
        {
            throw new BadInputException(
                $"'{name}' is not a .npy file: it starts with {Convert.ToHexString(start[..6])}, not with "
                    + $"{Convert.ToHexString(Magic)}."
            );
        }
        if (start[6] is < 1 or > 3)
            throw new UnsupportedException($"'{name}' is a .npy file of version {start[6]}.{start[7]}; 1, 2 and 3 are known.");

        Span<byte> prefix = stackalloc byte[4];
        int prefixBytes = start[6] == 1 ? 2 : 4;
        if (stream.ReadAtLeast(prefix[..prefixBytes], prefixBytes, throwOnEndOfStream: false) < prefixBytes)
            throw CutShort(name);
        prefix[prefixBytes..].Clear();
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(prefix);
        if (length > LongestText)
            throw new BadInputException($"'{name}' declares a header of {length:N0} bytes; at most {LongestText:N0} are read.");
        byte[] text = new byte[length];
        if (stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false) < text.Length)
            throw CutShort(name);
        return Parse(start[6] == 3 ? Encoding.UTF8.GetString(text) : Encoding.Latin1.GetString(text), name);
    }

    /// <summary>Writes version 1.0, padded so that the values start at a multiple of 64 bytes, as NumPy does.</summary>
    public static void Write(Stream stream, ElementType type, Shape shape)
    {
        string code =
            Codes.FirstOrDefault(row => row.Type == type).Code
            ?? throw new UnsupportedException($"NumPy has no element type for {type}: convert the tensor first, for example to Float32.");
        string extents = string.Concat(shape.Extents.ToArray().Select(extent => extent.ToString(CultureInfo.InvariantCulture) + ", "));
        string tuple = shape.Rank == 1 ? extents.TrimEnd(' ') : extents.TrimEnd(' ', ','); // (3,) and (3, 4), as Python writes them
        string text = $"{{'descr': '{(type.Size() == 1 ? '|' : '<')}{code}', 'fortran_order': False, 'shape': ({tuple}), }}";
        int length = ((Magic.Length + 4 + text.Length + 1 + 63) / 64 * 64) - Magic.Length - 4;
        stream.Write(Magic);
        stream.Write([1, 0, (byte)length, (byte)(length >> 8)]);
        stream.Write(Encoding.Latin1.GetBytes(text.PadRight(length - 1) + '\n'));
    }

    private static NpyHeader Parse(string text, string name)
    {
        Match match = Dictionary().Match(text);
        Dictionary<string, string> entries = [];
        for (int index = 0; match.Success && index < match.Groups["key"].Captures.Count; index++)
            entries[match.Groups["key"].Captures[index].Value] = match.Groups["value"].Captures[index].Value.Trim();
        if (entries.Count != 3 || !entries.ContainsKey("descr") || !entries.ContainsKey("fortran_order") || !entries.ContainsKey("shape"))
        {
            throw new BadInputException(
                $"'{name}' has a header that is not {{'descr': …, 'fortran_order': …, 'shape': …}}: " + $"{Shorten(text)}"
            );
        }

        (ElementType type, bool isBigEndian) = ParseType(entries["descr"], name);
        return new(type, isBigEndian, ParseOrder(entries["fortran_order"], name), ParseShape(entries["shape"], name));
    }

    private static (ElementType Type, bool IsBigEndian) ParseType(string text, string name)
    {
        if (text.Length == 5 && text[1] is '<' or '>' or '|' or '=')
        {
            foreach ((ElementType type, string code) in Codes)
                if (text.AsSpan(2, 2).SequenceEqual(code))
                    return (type, text[1] == '>');
        }
        throw new UnsupportedException(
            $"'{name}' holds the NumPy type {Shorten(text)}; integers, floats of 2, 4 or 8 bytes and booleans " + "can be read."
        );
    }

    private static bool ParseOrder(string text, string name) =>
        text switch
        {
            "True" => true,
            "False" => false,
            _ => throw new BadInputException($"'{name}' has a header with fortran_order {Shorten(text)}, which is neither True nor False."),
        };

    private static Shape ParseShape(string text, string name)
    {
        if (text[0] != '(')
            throw new BadInputException($"'{name}' has the shape {Shorten(text)}, which is no tuple of extents.");
        string[] parts = text[1..^1].Split(',', StringSplitOptions.TrimEntries);
        if (parts[^1].Length == 0)
            parts = parts[..^1];
        if (parts.Length > MostAxes)
            throw new BadInputException($"'{name}' has {parts.Length} axes; NumPy allows {MostAxes}.");
        int[] extents = new int[parts.Length];
        for (int axis = 0; axis < extents.Length; axis++)
        {
            if (!int.TryParse(parts[axis].TrimEnd('L'), NumberStyles.None, CultureInfo.InvariantCulture, out extents[axis]))
                throw new BadInputException($"'{name}' has the shape {Shorten(text)}; '{Shorten(parts[axis])}' is no extent that fits.");
        }
        try
        {
            return Shape.From(extents);
        }
        catch (ShapeException tooLarge)
        {
            throw new BadInputException($"'{name}': {tooLarge.Message}", tooLarge);
        }
    }

    private static BadInputException CutShort(string name) => new($"'{name}' ends inside its header.");

    private static string Shorten(string text) => text.Length <= 120 ? text.TrimEnd() : text[..120] + "…";

    /// <summary>
    /// Values are a quoted text, a word, a tuple or a list. Each part starts with a character of its own, so a hostile text costs no
    /// backtracking.
    /// </summary>
    [GeneratedRegex(@"^\{(\s*['""](?<key>\w+)['""]\s*:\s*(?<value>'[^']*'|""[^""]*""|\w+|\([^()]*\)|\[[^\[\]]*\])\s*(,|(?=\})))+\s*\}\s*$")]
    private static partial Regex Dictionary();
}
