using System.IO.Compression;
using System.Text;
using Tensorial.Data.Fetching;

namespace Tensorial.Tests.Data.Fetching;

/// <summary>Archives as Python's tarfile writes them, and as strangers do.</summary>
public class TarArchiveTests
{
    [OracleTheory(Oracle.NumPy)]
    [InlineData("USTAR")]
    [InlineData("GNU")]
    [InlineData("PAX")]
    public void Files_are_those_that_tarfile_packed(string format)
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "set.tar");
        string listed = Oracles.RunPython(
            """
            import io, os, sys, tarfile
            kind = getattr(tarfile, sys.argv[2] + '_FORMAT')
            with tarfile.open(sys.argv[1], 'w', format=kind) as t:
                def put(name, size, type=tarfile.REGTYPE, link=''):
                    info = tarfile.TarInfo(name)
                    info.size, info.type, info.linkname = size, type, link
                    data = bytes((k * 7 + size) % 256 for k in range(size))
                    t.addfile(info, io.BytesIO(data) if type == tarfile.REGTYPE else None)
                put('set', 0, tarfile.DIRTYPE)
                for size in (0, 1, 511, 512, 513, 70000):
                    put(f'set/{size}.bin', size)
                put('set/link', 0, tarfile.SYMTYPE, '1.bin')
                put('set/' + 'n' * 90 + '/' + 'm' * 90, 5)
                if kind != tarfile.USTAR_FORMAT:
                    put('set/' + 'long ' * 60 + 'é', 6)
                    put('set/other', 3, tarfile.SYMTYPE, 'l' * 300)
                put('last', 7)
            with tarfile.open(sys.argv[1]) as t:
                for m in t:
                    if m.isfile():
                        print(m.name, t.extractfile(m).read().hex(), sep='\t')
            """,
            path,
            format
        );

        using FileStream file = File.OpenRead(path);
        StringBuilder found = new();
        foreach ((string name, Stream content) in new TarArchive(file, "set.tar").Files())
        {
            using MemoryStream bytes = new();
            content.CopyTo(bytes);
            found.Append(name).Append('\t').Append(Convert.ToHexStringLower(bytes.ToArray())).Append('\n');
        }
        Assert.Equal(listed, found.ToString());

        file.Position = 0;
        Assert.Equal(
            listed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Split('\t')[0]),
            new TarArchive(file, "set.tar").Files().Select(static entry => entry.Name)
        );
    }

    [Theory]
    [InlineData('x')]
    [InlineData('g')]
    [InlineData('L')]
    [InlineData('K')]
    public void A_header_that_claims_a_gigabyte_for_a_name_is_refused_before_it_is_read(char type)
    {
        using MemoryStream packed = new();
        using (GZipStream zip = new(packed, CompressionMode.Compress, leaveOpen: true))
            zip.Write(Header(type, "07777777777"));
        packed.Position = 0;
        using GZipStream unpacked = new(packed, CompressionMode.Decompress);
        long before = GC.GetAllocatedBytesForCurrentThread();

        Refusal.Says<BadInputException>("claims", () => new TarArchive(unpacked, "set.tgz").Files().Count());

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    [Theory]
    [InlineData("99999999999", "number")]
    [InlineData("00000001000", "before the end of an entry")]
    public void Damage_is_named(string size, string said) =>
        Refusal.Says<BadInputException>(said, () => new TarArchive(new MemoryStream(Header('0', size)), "set.tar").Files().Count());

    [Fact]
    public void A_wrong_checksum_is_named()
    {
        byte[] header = Header('0', "00000000000");
        header[0] ^= 1;

        Refusal.Says<BadInputException>("checksum", () => new TarArchive(new MemoryStream(header), "set.tar").Files().Count());
    }

    private static byte[] Header(char type, string size)
    {
        byte[] header = new byte[512];
        Encoding.ASCII.GetBytes("name").CopyTo(header, 0);
        Encoding.ASCII.GetBytes(size).CopyTo(header, 124);
        header[156] = (byte)type;
        header.AsSpan(148, 8).Fill((byte)' ');
        Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(static value => value), 8).PadLeft(6, '0') + "\0 ").CopyTo(header, 148);
        return header;
    }

    /// <summary>Of a file that can be sought in, what nobody asks for is not read.</summary>
    [Fact]
    public void Contents_that_are_not_asked_for_are_skipped()
    {
        using Counting stream = new();
        using (System.Formats.Tar.TarWriter writer = new(stream, leaveOpen: true))
            for (int k = 0; k < 5; k++)
                writer.WriteEntry(
                    new System.Formats.Tar.UstarTarEntry(System.Formats.Tar.TarEntryType.RegularFile, $"{k}.bin")
                    {
                        DataStream = new MemoryStream(new byte[100_000]),
                    }
                );
        stream.Position = 0;
        Assert.Equal(5, new TarArchive(stream, "set.tar").Files().Count());
        Assert.InRange(stream.Taken, 5 * 512, 7 * 512);

        // And what is missing at the end is missed all the same.
        using MemoryStream cut = new(stream.ToArray()[..(3 * 100_000)]);
        Refusal.Says<BadInputException>("before the end of an entry", () => new TarArchive(cut, "set.tar").Files().Count());
    }

    /// <summary>Says how many bytes were read of it.</summary>
    private sealed class Counting : MemoryStream
    {
        public long Taken { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            int read = base.Read(buffer);
            Taken += read;
            return read;
        }
    }
}
