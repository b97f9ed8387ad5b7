using Tensorial.Data;

namespace Tensorial.Tests.Data;

public class ImageFileTests
{
    [OracleFact(Oracle.Pillow)]
    public void Jpeg_pixels_are_Pillows_whatever_the_size_sampling_and_coding()
    {
        using TemporaryFolder folder = new();
        Pictures.Make(
            folder.Path,
            """
            for w, h in ((1, 1), (2, 2), (3, 5), (8, 8), (9, 17), (16, 16), (33, 15), (171, 133)):
                s = im.resize((w, h))
                for sampling in (0, 1, 2):
                    s.save(f's{w}x{h}_{sampling}.jpg', subsampling=sampling, quality=80)
                    s.save(f'p{w}x{h}_{sampling}.jpg', subsampling=sampling, quality=70, progressive=True)
            im.save('restarts.jpg', restart_marker_blocks=3)
            im.save('coarse.jpg', optimize=True, quality=5)
            im.save('fine.jpg', quality=100)
            im.save('rgb.jpg', keep_rgb=True)
            im.convert('L').save('grey.jpg')
            im.convert('L').save('grey-progressive.jpg', progressive=True)
            im.convert('CMYK').save('cmyk.jpg')
            for f in os.listdir('.'):
                keep(f, Image.open(f).convert('RGB'))
            """
        );
        foreach ((string path, Tensor<byte> kept) in Pictures.In(folder.Path))
            Pictures.AreEqual(path, kept, ImageFile.Read(path));
    }

    [OracleFact(Oracle.Pillow)]
    public void Other_formats_are_read_as_Pillow_reads_them()
    {
        using TemporaryFolder folder = new();
        Pictures.Make(
            folder.Path,
            """
            grey = im.convert('L')
            seen = im.convert('RGBA'); seen.putalpha(grey)
            for f in ('rgb.png', 'rgb.bmp', 'rgb.webp', 'rgb.gif'):
                im.save(f)
            im.save('lossless.webp', lossless=True)
            seen.save('alpha.png'); seen.save('alpha.webp')
            for mode in ('L', 'LA', 'P', '1'):
                im.convert(mode).save(f'{mode}.png')
            for mode in ('L', 'P', '1'):
                im.convert(mode).save(f'{mode}.bmp')
            grey.save('grey.gif')
            im.save('animated.gif', save_all=True, append_images=[im.rotate(90)])
            for f in os.listdir('.'):
                keep(f, Image.open(f).convert('RGB'))
            """
        );
        foreach ((string path, Tensor<byte> kept) in Pictures.In(folder.Path))
            Pictures.AreEqual(path, kept, ImageFile.Read(path));
    }

    [OracleFact(Oracle.Pillow)]
    public void Pictures_are_turned_as_EXIF_says_and_made_grey_as_Pillow_does()
    {
        using TemporaryFolder folder = new();
        Pictures.Make(
            folder.Path,
            """
            for k in range(1, 9):
                exif = Image.Exif(); exif[0x0112] = k
                im.save(f'{k}.jpg', exif=exif)
                im.save(f'{k}.png', exif=exif)
            for f in os.listdir('.'):
                keep(f, np.asarray(ImageOps.exif_transpose(Image.open(f)).convert('L'))[..., None])
            """
        );
        foreach ((string path, Tensor<byte> kept) in Pictures.In(folder.Path))
            Pictures.AreEqual(path, kept, ImageFile.Read(path, grayscale: true));
    }

    [OracleFact(Oracle.Pillow)]
    public void Damage_is_refused_by_name_or_forgiven_but_never_an_accident()
    {
        using TemporaryFolder folder = new();
        Pictures.Make(
            folder.Path,
            """
            s = im.resize((40, 30))
            s.save('a.jpg', restart_marker_blocks=2); s.save('b.jpg', progressive=True); s.convert('CMYK').save('c.jpg')
            s.save('a.png'); s.convert('P').save('b.png'); s.save('a.gif'); s.save('a.bmp'); s.save('a.webp'); s.save('b.webp', lossless=True)
            """
        );
        foreach (string path in Directory.GetFiles(folder.Path))
            Mutations.Apply(File.ReadAllBytes(path), seed: 1, rounds: 200, bytes => ImageFile.Read(bytes, path));
    }

    [OracleFact(Oracle.Pillow)]
    public void A_cut_file_is_refused_with_its_name()
    {
        using TemporaryFolder folder = new();
        Pictures.Make(folder.Path, "for f in ('a.jpg', 'a.png', 'a.webp', 'a.gif', 'a.bmp'): im.save(f)");
        foreach (string path in Directory.GetFiles(folder.Path))
        {
            byte[] whole = File.ReadAllBytes(path);
            Refusal.Says<BadInputException>(Path.GetFileName(path), () => ImageFile.Read(whole.AsMemory(0, whole.Length / 2), path));
        }
    }

    [Fact]
    public void What_is_no_picture_is_refused() =>
        Refusal.Says<BadInputException>(
            "'x' is no picture in JPEG, PNG, BMP, GIF or WebP format",
            () => ImageFile.Read("text"u8.ToArray(), "x")
        );

    [Fact]
    public void A_few_bytes_cannot_declare_a_huge_picture()
    {
        byte[] frame = [0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0x27, 0x10, 0x27, 0x10, 1, 1, 0x11, 0];
        Refusal.Says<BadInputException>("10,000 × 10,000", () => ImageFile.Read(frame, "x.jpg"));
        byte[] webp = Convert.FromBase64String(
            "UklGRmQAAABXRUJQVlA4IFgAAADwAQCdASoqKioqKioqKioqKioqKioqKioqKiqfFujIwbr20A5gc67x2iqOulE1Moz+Xs2FLUq8W3zbgZnhRlsiNKiKxWH6NUO9FOSLjyAAA64N7JVcvAAA"
        );
        Refusal.Says<BadInputException>("10,794 × 10,794", () => ImageFile.Read(webp, "x.webp"));
    }

    /// <summary>The decoder takes what lies before the pixels for colours, and allocates it.</summary>
    [Theory]
    [InlineData(0x7000_0036)]
    [InlineData(0xFFFF_FFFF)]
    [InlineData(631)]
    public void A_bitmap_whose_pixels_begin_beyond_its_end_is_refused(uint start)
    {
        byte[] file = new byte[630];
        "BM"u8.CopyTo(file);
        BitConverter.TryWriteBytes(file.AsSpan(10), start);
        foreach ((int at, int value) in new[] { (14, 40), (18, 12), (22, 16), (26, 1 | 24 << 16) })
            BitConverter.TryWriteBytes(file.AsSpan(at), value);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Refusal.Says<BadInputException>("'x.bmp' is cut", () => ImageFile.Read(file, "x.bmp"));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        BitConverter.TryWriteBytes(file.AsSpan(10), 54);
        Assert.Equal([16, 12, 3], ImageFile.Read(file, "x.bmp").Shape);
    }

    /// <summary>2,048 pixels for a byte, 4,194,304 at least: a header alone declares what it likes.</summary>
    [Theory]
    [InlineData(2200, 2123, 2123, true)]
    [InlineData(2200, 2122, 2123, false)]
    [InlineData(100, 2049, 2048, true)]
    [InlineData(100, 2048, 2048, false)]
    public void Lossless_WebP_declares_no_more_pixels_than_its_bytes_can_hold(int bytes, int width, int height, bool isRefused)
    {
        byte[] file = new byte[bytes];
        "RIFF"u8.CopyTo(file);
        BitConverter.TryWriteBytes(file.AsSpan(4), bytes - 8);
        "WEBPVP8L"u8.CopyTo(file.AsSpan(8));
        BitConverter.TryWriteBytes(file.AsSpan(16), bytes - 20);
        file[20] = 0x2F;
        BitConverter.TryWriteBytes(file.AsSpan(21), (width - 1) | ((height - 1) << 14));

        Exception? error = Record.Exception(() => ImageFile.Read(file, "x.webp"));

        Assert.Equal(isRefused, error is BadInputException && error.Message.Contains($"more than its {bytes:N0} bytes can hold"));
    }

    [OracleTheory(Oracle.Pillow)]
    [InlineData(2048, false)]
    [InlineData(2049, true)]
    public void A_flat_WebP_is_read_up_to_the_size_that_costs_nothing(int width, bool isRefused)
    {
        using TemporaryFolder folder = new();
        Pictures.Make(folder.Path, $"Image.new('RGB', ({width}, 2048), (9, 8, 7)).save('flat.webp', lossless=True)");
        string path = Path.Combine(folder.Path, "flat.webp");
        Assert.InRange(new FileInfo(path).Length, 1, 2000);
        if (isRefused)
            Refusal.Says<BadInputException>("2,049 × 2,048", () => ImageFile.Read(path));
        else
            Assert.Equal([9, 8, 7], ImageFile.Read(path).Values[^3..].ToArray());
    }

    [Fact]
    public void What_is_written_as_PNG_is_read_again()
    {
        using TemporaryFolder folder = new();
        foreach (int channels in (int[])[1, 3])
        {
            Tensor<byte> pixels = new([5, 7, channels]);
            new Random(1).NextBytes(pixels.Values);
            string path = Path.Combine(folder.Path, $"{channels}.png");
            ImageFile.WritePng(pixels, path);
            Pictures.AreEqual(path, pixels, ImageFile.Read(path, grayscale: channels == 1));
        }
    }
}
