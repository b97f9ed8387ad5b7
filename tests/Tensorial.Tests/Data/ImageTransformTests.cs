using Tensorial.Data;

namespace Tensorial.Tests.Data;

public class ImageTransformTests
{
    [OracleFact(Oracle.Pillow)]
    public void Resizing_gives_Pillows_pixels()
    {
        using TemporaryFolder folder = new();
        Pictures.Make(
            folder.Path,
            """
            im.save('im.png'); im.convert('L').save('grey.png')
            keep('im.png', im)
            for name, source in (('rgb', im), ('grey', im.convert('L'))):
                for h, w in ((1, 1), (64, 50), (133, 90), (40, 171), (224, 301), (7, 500)):
                    for k, method in enumerate((Image.BILINEAR, Image.BICUBIC)):
                        keep(f'{name}-{h}-{w}-{k}', np.asarray(source.resize((w, h), method)).reshape(h, w, -1))
            """
        );
        Tensor<byte> rgb = ImageFile.Read(Path.Combine(folder.Path, "im.png")),
            grey = ImageFile.Read(Path.Combine(folder.Path, "grey.png"), grayscale: true);
        string[] kept = Directory.GetFiles(folder.Path, "*-*.npy");
        Assert.NotEmpty(kept);
        foreach (string path in kept)
        {
            string[] parts = Path.GetFileNameWithoutExtension(path).Split('-');
            Tensor<byte> resized = Resampling.Resize(
                parts[0] == "rgb" ? rgb : grey,
                int.Parse(parts[1]),
                int.Parse(parts[2]),
                (Interpolation)int.Parse(parts[3])
            );
            Pictures.AreEqual(path, NpyFile.Read(path).Of<byte>(), resized);
        }
    }

    /// <summary>The arithmetic of torchvision.transforms (Resize, CenterCrop, pad) and of YOLOv5's letterbox, on Pillow's pictures.</summary>
    [OracleFact(Oracle.Pillow)]
    public void Sizes_and_places_are_those_of_torchvision_and_of_a_letterbox()
    {
        using TemporaryFolder folder = new();
        Pictures.Make(
            folder.Path,
            """
            def shorter(p, n):
                w, h = p.size
                return p.resize((n, int(n * h / w)) if w <= h else (int(n * w / h), n), Image.BILINEAR)
            def crop(p, ch, cw):
                w, h = p.size
                left, top = max(0, (cw - w) // 2), max(0, (ch - h) // 2)
                right, bottom = max(0, (cw - w + 1) // 2), max(0, (ch - h + 1) // 2)
                p = ImageOps.expand(p, (left, top, right, bottom), 0)
                w, h = p.size
                top, left = int(round((h - ch) / 2.0)), int(round((w - cw) / 2.0))
                return p.crop((left, top, left + cw, top + ch))
            def letterbox(p, n):
                w, h = p.size
                ratio = min(n / h, n / w)
                w, h = int(round(w * ratio)), int(round(h * ratio))
                out = Image.new('RGB', (n, n), (114, 114, 114))
                out.paste(p.resize((w, h), Image.BILINEAR), (int(round((n - w) / 2 - 0.1)), int(round((n - h) / 2 - 0.1))))
                return out
            for k, p in enumerate((im, im.transpose(Image.ROTATE_90), im.resize((100, 101)), im.resize((40, 200)))):
                p.save(f'{k}.png')
                keep(f'{k}-crop-64', crop(shorter(p, 80), 64, 64))
                keep(f'{k}-crop-65', crop(shorter(p, 80), 65, 65))
                keep(f'{k}-crop-301', crop(shorter(p, 80), 301, 301))
                keep(f'{k}-box-64', letterbox(p, 64))
                keep(f'{k}-box-257', letterbox(p, 257))
            """
        );
        string[] kept = Directory.GetFiles(folder.Path, "*-*.npy");
        Assert.NotEmpty(kept);
        foreach (string path in kept)
        {
            string[] parts = Path.GetFileNameWithoutExtension(path).Split('-');
            ImageSize size = ImageSize.Parse(parts[2]);
            ImageTransform transform = parts[1] == "box" ? new() { Letterbox = size } : new() { ShorterEdge = 80, Crop = size };
            Tensor<byte> picture = ImageFile.Read(Path.Combine(folder.Path, $"{parts[0]}.png"));
            Pictures.AreEqual(path, NpyFile.Read(path).Of<byte>(), transform.Apply(picture));
        }
    }

    [Fact]
    public void A_letterbox_at_the_corner_begins_with_the_picture()
    {
        Tensor<byte> white = new([2, 4, 1]);
        white.Values.Fill(255);
        Tensor<byte> framed = new ImageTransform
        {
            Letterbox = new(4, 4),
            AtCorner = true,
            Grayscale = true,
        }.Apply(white);
        byte[] rows = [255, 255, 255, 255];
        byte[] border = [114, 114, 114, 114];
        Assert.Equal([.. rows, .. rows, .. border, .. border], framed.Values.ToArray());
    }

    [Theory]
    [InlineData("0")]
    [InlineData("12x")]
    [InlineData("-3")]
    [InlineData("1x2x3")]
    [InlineData("99999")]
    public void What_is_no_size_is_refused(string text) => Refusal.Says<BadInputException>($"'{text}'", () => ImageSize.Parse(text));

    [Fact]
    public void Settings_that_exclude_one_another_are_refused() =>
        Refusal.Says<BadInputException>("letterbox", () => DataSource.Parse("images:x", new() { Letterbox = new(4, 4), Crop = new(2, 2) }));
}
