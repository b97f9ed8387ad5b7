using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Tensorial.Data;

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

    [Theory]
    [InlineData(0, 1)]
    [InlineData(4, 2)]
    [InlineData(2, 3)]
    [InlineData(6, 4)]
    public void Every_filter_is_undone_for_every_colour_type(byte color, int channels)
    {
        const int height = 11,
            width = 7;
        byte[] pixels = Random(color, height * width * channels);
        byte[][] rows = [new byte[width * channels], .. pixels.Chunk(width * channels)];
        IEnumerable<byte> filtered =
            from row in Enumerable.Range(1, height)
            from part in (byte[])[(byte)(row % 5), .. Filter(row % 5, rows[row], rows[row - 1], channels)]
            select part;
        byte[] packed = Pack([.. filtered]);
        byte[] file = Png(
            Header(width, height, 8, color),
            Chunk("tEXt", [1, 2]),
            Chunk("IDAT", packed[..5]),
            Chunk("IDAT", packed[5..]),
            Chunk("IEND", [])
        );
        Tensor<byte> read = PngFile.Read(file, "test.png");
        Assert.Equal([height, width, channels], read.Shape);
        Assert.Equal(pixels, read.Values.ToArray());
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
            { "bit depth 16", Png(Header(2, 2, 16, 0)) },
            { "colour type 3", Png(Header(2, 2, 8, 3)) },
            { "interlacing 1", Png(Header(2, 2, 8, 2, 1)) },
            { "nothing or too much", Png(Header(0, 2, 8, 0)) },
            { "nothing or too much", Png(Header(uint.MaxValue, uint.MaxValue, 8, 6)) },
            { "cannot hold so many", Png(Header(20_000, 20_000, 8, 0), Chunk("IDAT", Pack([0])), Chunk("IEND", [])) },
            { "ends in row 1 of 2", Png(Header(2, 2, 8, 0), Chunk("IDAT", Pack([0, 1, 2, 0, 3])), Chunk("IEND", [])) },
            { "pixels after its last row", Png(Header(2, 2, 8, 0), Chunk("IDAT", Pack([0, 1, 2, 0, 3, 4, 5])), Chunk("IEND", [])) },
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
        Assert.Equal([1, 2, 3, 4], PngFile.Read(Good, "good.png").Values.ToArray());
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
