using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Tensorial.Data;
using Tensorial.Data.Png;

namespace Tensorial.Tests.Data;

public class PngTests
{
    private static byte[] Chunk(string type, byte[] data)
    {
        byte[] chunk = [0, 0, 0, 0, .. Encoding.ASCII.GetBytes(type), .. data, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), Crc32.Append(0, chunk.AsSpan(4, 4 + data.Length)));
        return chunk;
    }

    private static byte[] Header(uint width, uint height, byte depth, byte color, byte interlace = 0)
    {
        byte[] header = [0, 0, 0, 0, 0, 0, 0, 0, depth, color, 0, 0, interlace];
        BinaryPrimitives.WriteUInt32BigEndian(header, width);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), height);
        return Chunk("IHDR", header);
    }

    private static byte[] Pack(byte[] bytes)
    {
        using MemoryStream packed = new();
        using (ZLibStream zip = new(packed, CompressionLevel.Optimal, leaveOpen: true))
            zip.Write(bytes);
        return packed.ToArray();
    }

    private static byte[] Png(params byte[][] chunks) => [0x89, .. "PNG"u8, 13, 10, 26, 10, .. chunks.SelectMany(chunk => chunk)];

    /// <summary>
    /// Filters a row the slow way, straight from the specification: the difference between a byte and what its neighbours predict.
    /// </summary>
    private static byte[] Filter(int filter, byte[] row, byte[] above, int pixel) =>
        [
            .. row.Select(
                (value, index) =>
                {
                    int a = index < pixel ? 0 : row[index - pixel],
                        b = above[index],
                        c = index < pixel ? 0 : above[index - pixel];
                    int p = a + b - c;
                    int nearest = new[] { a, b, c }.MinBy(neighbour => Math.Abs(p - neighbour));
                    return (byte)(
                        value
                        - filter switch
                        {
                            0 => 0,
                            1 => a,
                            2 => b,
                            3 => (a + b) / 2,
                            _ => nearest,
                        }
                    );
                }
            ),
        ];

    private static byte[] Random(int seed, int count)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Bits of a sample, type of colour, interlaced or not.</summary>
    public static TheoryData<byte, byte, byte> Kinds
    {
        get
        {
            TheoryData<byte, byte, byte> kinds = [];
            foreach ((byte depth, byte color, byte interlace) in All)
                kinds.Add(depth, color, interlace);
            return kinds;
        }
    }

    private static IEnumerable<(byte Depth, byte Color, byte Interlace)> All =>
        from color in new byte[] { 0, 2, 3, 4, 6 }
        from depth in new byte[] { 1, 2, 4, 8, 16 }
        where depth == 8 || color == 0 || (color == 3 ? depth < 8 : depth == 16)
        from interlace in new byte[] { 0, 1 }
        select (depth, color, interlace);

    [Theory, MemberData(nameof(Kinds))]
    public void Every_kind_is_read_at_every_size(byte depth, byte color, byte interlace)
    {
        foreach ((int width, int height) in new[] { (1, 1), (2, 9), (9, 2), (3, 5), (12, 16), (33, 7) })
        {
            Made made = Made.From(width, height, depth, color, interlace);
            (Tensor<byte> read, int orientation) = PngFile.Read(made.File(made.Packed), "test.png");
            Assert.Equal([height, width, color is 0 or 4 ? 1 : 3], read.Shape);
            Assert.Equal(made.Pixels, read.Values.ToArray());
            Assert.Equal(6, orientation);
        }
    }

    /// <summary>But for grey of 16 bits, of which Pillow makes white wherever it is above 255.</summary>
    [OracleFact(Oracle.Pillow)]
    public void Every_kind_is_read_as_Pillow_reads_it()
    {
        using TemporaryFolder folder = new();
        foreach ((byte depth, byte color, byte interlace) in All)
        {
            Made made = Made.From(33, 21, depth, color, interlace);
            if ((depth, color) != (16, 0))
                File.WriteAllBytes(Path.Combine(folder.Path, $"{depth}-{color}-{interlace}.png"), made.File(made.Packed));
        }
        Pictures.Make(
            folder.Path,
            """
            for f in os.listdir('.'):
                keep(f, ImageOps.exif_transpose(Image.open(f)).convert('RGB'))
            """
        );
        foreach ((string path, Tensor<byte> kept) in Pictures.In(folder.Path))
            Pictures.AreEqual(path, kept, ImageFile.Read(path));
    }

    /// <summary>A decoder that waits for the missing bytes, or takes them for black, would not be noticed.</summary>
    [Theory, MemberData(nameof(Kinds))]
    public void Pictures_whose_data_end_early_are_refused(byte depth, byte color, byte interlace)
    {
        Made made = Made.From(13, 6, depth, color, interlace);
        foreach (int held in new[] { 1, made.Rows.Length / 2, made.Rows.Length - 1 })
            Refusal.Says<BadInputException>("ends in row", () => ImageFile.Read(made.File(Pack(made.Rows[..held])), "cut.png"));
        Assert.Throws<BadInputException>(() => ImageFile.Read(made.File([]), "cut.png"));
        Assert.Throws<BadInputException>(() => ImageFile.Read(made.File(made.Packed[..(made.Packed.Length / 2)]), "cut.png"));
        Assert.Equal(made.Pixels, PngFile.Read(made.File(Pack([.. made.Rows, 1, 2, 3])), "long.png").Pixels.Values.ToArray());
    }

    [Fact]
    public void Colours_beyond_the_palette_are_refused() =>
        Refusal.Says<BadInputException>(
            "colour 2 of a palette of 2",
            () => PngFile.Read(Png(Header(1, 1, 8, 3), Chunk("PLTE", new byte[6]), Chunk("IDAT", Pack([0, 2])), Chunk("IEND", [])), "x.png")
        );

    /// <summary>A picture of random samples, the bytes of its rows as they are packed, and its pixels as they are to be read.</summary>
    private sealed record Made(byte[] Head, byte[] Rows, byte[] Pixels)
    {
        public byte[] Packed { get; } = Pack(Rows);

        /// <summary>In two chunks of data, turned a quarter (EXIF 6).</summary>
        public byte[] File(byte[] packed) =>
            [
                .. Head,
                .. Chunk("IDAT", packed[..(packed.Length / 3)]),
                .. Chunk("IDAT", packed[(packed.Length / 3)..]),
                .. Chunk("IEND", []),
            ];

        public static Made From(int width, int height, byte depth, byte color, byte interlace)
        {
            Random random = new(depth * 100 + color * 10 + interlace);
            int samples = color switch
            {
                2 => 3,
                4 => 2,
                6 => 4,
                _ => 1,
            };
            byte[] palette = new byte[3 << Math.Min((int)depth, 8)];
            random.NextBytes(palette);
            int[][] values =
            [
                .. Enumerable
                    .Range(0, width * height)
                    .Select(_ => Enumerable.Range(0, samples).Select(_ => random.Next(1 << depth)).ToArray()),
            ];
            IEnumerable<byte> pixels = values.SelectMany(pixel =>
                color == 3
                    ? palette.AsSpan(3 * pixel[0], 3).ToArray()
                    : pixel
                        .Take(color is 0 or 4 ? 1 : 3)
                        .Select(sample => (byte)(depth == 16 ? sample >> 8 : (double)sample / ((1 << depth) - 1) * 255))
            );
            byte[] tiff = [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0];
            byte[] head = Png(
                Header((uint)width, (uint)height, depth, color, interlace),
                color == 3 ? Chunk("PLTE", palette) : [],
                Chunk("eXIf", tiff)
            );
            return new(head, [.. PackRows(values, width, height, depth, samples, interlace == 1)], [.. pixels]);
        }

        /// <summary>Pixel by pixel into the rows of the pass that the specification's table names for it.</summary>
        private static IEnumerable<byte> PackRows(int[][] values, int width, int height, int depth, int samples, bool isInterlaced)
        {
            string[] order = ["16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777"];
            var passes =
                from y in Enumerable.Range(0, height)
                from x in Enumerable.Range(0, width)
                group values[y * width + x] by (Pass: isInterlaced ? order[y % 8][x % 8] : '1', y) into row
                orderby row.Key.Pass, row.Key.y
                group row.ToArray() by row.Key.Pass;
            int filter = 0;
            foreach (var pass in passes)
            {
                byte[] above = new byte[(width * samples * depth + 7) / 8];
                foreach (int[][] pixels in pass)
                {
                    string bits = string.Concat(
                        pixels.SelectMany(pixel => pixel.Select(sample => Convert.ToString(sample, 2).PadLeft(depth, '0')))
                    );
                    byte[] row = [.. bits.Chunk(8).Select(part => Convert.ToByte(new string(part).PadRight(8, '0'), 2))];
                    yield return (byte)(filter % 5);
                    foreach (byte value in Filter(filter++ % 5, row, above, Math.Max(1, samples * depth / 8)))
                        yield return value;
                    above = row;
                }
            }
        }
    }

    private static readonly byte[] Good = Png(Header(2, 2, 8, 0), Chunk("IDAT", Pack([0, 1, 2, 0, 3, 4])), Chunk("IEND", []));

    public static TheoryData<string, byte[]> Malformed =>
        new()
        {
            { "is not a PNG file: it starts with 0001", [0, 1] },
            { "before its last chunk", Good[..^5] },
            { "before its last chunk", Good[..^12] },
            { "the chunk at offset 8 has the checksum", [.. Good[..20], (byte)(Good[20] ^ 1), .. Good[21..]] },
            { "declares 4,294,967,295 bytes", [.. Good[..8], 255, 255, 255, 255, .. Good[12..]] },
            { "starts with the chunk IDAT", Png(Chunk("IDAT", []), Chunk("IEND", [])) },
            { "header of 3 bytes", Png(Chunk("IHDR", [1, 2, 3])) },
            { "a second header", Png(Header(2, 2, 8, 0), Header(2, 2, 8, 0)) },
            { "declares 3 bits", Png(Header(2, 2, 3, 0)) },
            { "declares 4 bits, colour type 2", Png(Header(2, 2, 4, 2)) },
            { "declares 16 bits, colour type 3", Png(Header(2, 2, 16, 3)) },
            { "colour type 5", Png(Header(2, 2, 8, 5)) },
            { "interlacing 2", Png(Header(2, 2, 8, 2, 2)) },
            { "declares 0 × 2 pixels", Png(Header(0, 2, 8, 0)) },
            { "declares 4,294,967,295 × 4,294,967,295 pixels", Png(Header(uint.MaxValue, uint.MaxValue, 8, 6)) },
            { "cannot hold so many", Png(Header(10_000, 10_000, 8, 0), Chunk("IDAT", Pack([0])), Chunk("IEND", [])) },
            { "ends in row 1 of 2", Png(Header(2, 2, 8, 0), Chunk("IDAT", Pack([0, 1, 2, 0, 3])), Chunk("IEND", [])) },
            { "unknown filter 5 in row 1", Png(Header(2, 2, 8, 0), Chunk("IDAT", Pack([0, 1, 2, 5, 3, 4])), Chunk("IEND", [])) },
            { "is damaged", Png(Header(2, 2, 8, 0), Chunk("IDAT", [1, 2, 3, 4]), Chunk("IEND", [])) },
            { "needs the chunk ABCD", Png(Header(2, 2, 8, 0), Chunk("ABCD", [])) },
        };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void A_malformed_file_is_refused(string words, byte[] file) =>
        Refusal.Says<BadInputException>(words, () => PngFile.Read(file, "test.png"));

    [Fact]
    public void Any_damage_gives_an_image_or_a_clear_refusal()
    {
        Assert.Equal([1, 2, 3, 4], PngFile.Read(Good, "good.png").Pixels.Values.ToArray());
        Mutations.Apply(Good, seed: 21, rounds: 3000, damaged => PngFile.Read(damaged, "damaged.png"));

        // The checksums stop almost all damage before it reaches the pixels; so damage the packed pixels and make the checksum right again.
        byte[] packed = Pack([0, 1, 2, 1, 3, 4, 4, 5, 6]);
        Mutations.Apply(packed, seed: 22, rounds: 3000, damaged => Read(Header(2, 3, 8, 0), damaged));
        byte[] header = Header(2, 3, 8, 0)[8..21];
        Mutations.Apply(header, seed: 23, rounds: 3000, damaged => Read(Chunk("IHDR", damaged), packed));

        static void Read(byte[] header, byte[] packed) =>
            PngFile.Read(Png(header, Chunk("IDAT", packed), Chunk("IEND", [])), "damaged.png");
    }
}
