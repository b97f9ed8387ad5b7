namespace Tensorial.Training;

/// <summary>How training images are varied.</summary>
public sealed record Augmentation
{
    /// <summary>Images as they are.</summary>
    public static Augmentation None { get; } = new();

    /// <summary>
    /// What CIFAR networks are usually trained with: four pixels around, a crop of the original size, and a mirror for half of the images.
    /// </summary>
    public static Augmentation Cifar { get; } = new() { Padding = 4, Flips = true };

    /// <summary>Pixels of zeros (in normalised values) put around an image before a crop of its size is taken anywhere.</summary>
    public int Padding { get; init; }

    /// <summary>Whether half of the images are mirrored left to right.</summary>
    public bool Flips { get; init; }

    /// <summary>Probability that a rectangle of 2 to 33 % of the area is filled with noise (Zhong et al. 2020).</summary>
    public double Erasing { get; init; }

    /// <summary>
    /// Images are mixed in pairs with shares from a beta distribution of this parameter (Zhang et al. 2018); 0 for never.
    /// </summary>
    public double Mixup { get; init; }

    /// <summary>Varies images and their targets in place.</summary>
    /// <param name="images">[n, C, H, W], normalised.</param>
    /// <param name="targets">[n, classes]; null without labels.</param>
    /// <param name="random">Decides how.</param>
    /// <exception cref="BadInputException">Samples that are no images cannot be moved, mirrored or erased.</exception>
    public void Apply(Tensor<float> images, Tensor<float>? targets, Random random) => Apply(images, targets, random, 0, images.Shape[0]);

    /// <summary>
    /// Varies some images of a batch as they are varied with all of it: what is drawn for the others is drawn and left. Mixing needs all.
    /// </summary>
    /// <param name="images">The images.</param>
    /// <param name="targets">Their targets.</param>
    /// <param name="random">Decides how.</param>
    /// <param name="start">The place of the first one in the batch.</param>
    /// <param name="whole">Images of the batch.</param>
    internal void Apply(Tensor<float> images, Tensor<float>? targets, Random random, int start, int whole)
    {
        if (images.Shape.Rank != 4 && (Padding > 0 || Flips || Erasing > 0))
            throw new ShapeException($"Only images are padded, mirrored or erased; these samples have the shape {images.Shape}.");
        int count = images.Shape[0],
            size = images.Shape.ElementCount / Math.Max(1, count);
        float[] copy = new float[size];
        for (int place = 0; place < whole; place++)
        {
            int image = place - start;
            Span<float> pixels = (uint)image < (uint)count ? images.Values.Slice(image * size, size) : [];
            if (Padding > 0 || Flips)
                Move(pixels, images.Shape, copy, random);
            if (Erasing > 0 && random.NextDouble() < Erasing)
                Erase(pixels, images.Shape, random);
        }
        if (Mixup > 0)
            Mix(images, targets, Beta(Mixup, random), random);
    }

    private void Move(Span<float> pixels, Shape shape, float[] copy, Random random)
    {
        (int channels, int height, int width) = (shape[1], shape[2], shape[3]);
        int down = Padding > 0 ? random.Next(2 * Padding + 1) - Padding : 0,
            right = Padding > 0 ? random.Next(2 * Padding + 1) - Padding : 0;
        bool mirrored = Flips && random.Next(2) == 1;
        if (pixels.IsEmpty)
            return;
        pixels.CopyTo(copy);
        for (int row = 0; row < channels * height; row++)
        {
            int y = row % height + down;
            Span<float> target = pixels.Slice(row * width, width);
            target.Clear();
            if (y < 0 || y >= height)
                continue;
            int first = Math.Max(0, -right),
                past = Math.Min(width, width - right);
            if (first < past)
                copy.AsSpan((row + down) * width + first + right, past - first).CopyTo(target[first..]);
            if (mirrored)
                target.Reverse();
        }
    }

    private static void Erase(Span<float> pixels, Shape shape, Random random)
    {
        (int channels, int height, int width) = (shape[1], shape[2], shape[3]);
        for (int attempt = 0; attempt < 10; attempt++)
        {
            double area = height * width * (0.02 + 0.31 * random.NextDouble()),
                ratio = Math.Exp(Math.Log(0.3) + (Math.Log(3.3) - Math.Log(0.3)) * random.NextDouble());
            int rows = (int)Math.Round(Math.Sqrt(area * ratio)),
                columns = (int)Math.Round(Math.Sqrt(area / ratio));
            if (rows < 1 || columns < 1 || rows >= height || columns >= width)
                continue;
            int top = random.Next(height - rows + 1),
                left = random.Next(width - columns + 1);
            if (pixels.IsEmpty)
                for (int skipped = channels * rows * columns; skipped > 0; skipped--)
                    random.NextNormal();
            else
                for (int channel = 0; channel < channels; channel++)
                for (int row = top; row < top + rows; row++)
                    foreach (ref float value in pixels.Slice((channel * height + row) * width + left, columns))
                        value = (float)random.NextNormal();
            return;
        }
    }

    /// <summary>Each image with another one of the batch, the same share for all.</summary>
    private static void Mix(Tensor<float> images, Tensor<float>? targets, double share, Random random)
    {
        int[] partners = [.. Enumerable.Range(0, images.Shape[0])];
        random.Shuffle(partners);
        Mix(images, images.Clone(), partners, (float)share);
        if (targets is not null)
            Mix(targets, targets.Clone(), partners, (float)share);
    }

    private static void Mix(Tensor<float> target, Tensor<float> source, int[] partners, float share)
    {
        int size = target.Shape.ElementCount / partners.Length;
        for (int row = 0; row < partners.Length; row++)
        for (int i = 0; i < size; i++)
            target.Values[row * size + i] = share * source.Values[row * size + i] + (1 - share) * source.Values[partners[row] * size + i];
    }

    /// <summary>A number from Beta(a, a): x / (x + y) of two from Gamma(a).</summary>
    private static double Beta(double a, Random random)
    {
        double x = Gamma(a, random),
            y = Gamma(a, random);
        return x + y > 0 ? x / (x + y) : 0.5;
    }

    /// <summary>Marsaglia and Tsang 2000; below 1 through Gamma(a + 1) u^(1/a).</summary>
    private static double Gamma(double a, Random random)
    {
        if (a < 1)
            return Gamma(a + 1, random) * Math.Pow(1 - random.NextDouble(), 1 / a);
        double d = a - 1.0 / 3,
            c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            double x = random.NextNormal(),
                v = Math.Pow(1 + c * x, 3);
            if (v > 0 && Math.Log(1 - random.NextDouble()) < 0.5 * x * x + d - d * v + d * Math.Log(v))
                return d * v;
        }
    }
}
