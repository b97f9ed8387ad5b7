using System.Runtime.Intrinsics;

namespace Tensorial.Kernels.Blocked;

/// <summary>
/// A kernel in the order the convolution reads it: [group of 32 outputs][block of 16 inputs][height][width][input][32 outputs]. Real input
/// channels only; outputs padded with zeros to whole blocks, the last group holding 16 where one block is left.
/// </summary>
public sealed class PackedKernel
{
    internal PackedKernel(float[] values, int start) => (Values, Start) = (values, start);

    internal float[] Values { get; }

    internal int Start { get; }

    /// <summary>Bytes it takes.</summary>
    public long Bytes => (long)Values.Length * sizeof(float);
}

/// <summary>Direct two-dimensional convolution of blocked activations, with bias, residual and activation applied as each tile is stored.</summary>
public static unsafe class BlockedConvolution
{
    private const int Lanes = BlockedLayout.Lanes;

    /// <summary>Whether these kernels compute it: no groups, or groups that are whole blocks of channels.</summary>
    public static bool Supports(in ConvolutionShape shape) =>
        shape.Groups == 1 || (shape.InputsPerGroup % Lanes == 0 && shape.OutputsPerGroup % Lanes == 0);

    /// <summary>Packs [outputs, inputs / groups, height, width].</summary>
    public static PackedKernel Pack(ReadOnlySpan<float> kernel, in ConvolutionShape shape)
    {
        int taps = shape.KernelHeight * shape.KernelWidth, inputs = shape.InputsPerGroup;
        int blocks = (shape.OutputChannels + Lanes - 1) / Lanes;
        float[] packed = GC.AllocateArray<float>(blocks * Lanes * inputs * taps + 16, pinned: true);
        int start = AlignedStart.Of(packed), at = start;
        foreach ((int first, int width) in OutputGroups(shape))
            for (int block = 0; block < inputs; block += Lanes)
                for (int tap = 0; tap < taps; tap++)
                    for (int i = block; i < Math.Min(block + Lanes, inputs); i++)
                        for (int o = first; o < first + width; o++, at++)
                            if (o < shape.OutputChannels) packed[at] = kernel[(o * inputs + i) * taps + tap];
        return new(packed, start);
    }

    /// <summary>output = activation(convolution(input) + bias + residual).</summary>
    /// <param name="shape">The convolution; the input's halo covers its padding and is zero.</param>
    /// <param name="bias">By output channel, or empty.</param>
    /// <param name="residual">A value of the output's extents in its own layout, or empty.</param>
    /// <param name="output">Its interior is written, its halo is not touched. Overlaps neither input nor residual.</param>
    public static void Run(
        ConvolutionShape shape, ReadOnlySpan<float> input, BlockedLayout inputLayout, PackedKernel kernel, ReadOnlySpan<float> bias,
        ReadOnlySpan<float> residual, BlockedLayout residualLayout, Activation activation, Span<float> output, BlockedLayout outputLayout, Workers workers)
    {
        if (!inputLayout.Halo.Covers(shape.Padding)) throw new ArgumentException($"The input's halo {inputLayout.Halo} does not cover the padding {shape.Padding}.");
        (int First, int Width)[] groups = OutputGroups(shape);
        float* paddedBias = stackalloc float[groups.Length * 2 * Lanes];
        new Span<float>(paddedBias, groups.Length * 2 * Lanes).Clear();
        for (int g = 0; g < groups.Length && !bias.IsEmpty; g++)
            bias[groups[g].First..Math.Min(groups[g].First + groups[g].Width, shape.OutputChannels)].CopyTo(new Span<float>(paddedBias + g * 2 * Lanes, 2 * Lanes));
        fixed (float* x0 = input, w0 = kernel.Values, r0 = residual, y0 = output)
        {
            float* x = x0, w = w0 + kernel.Start, r = r0, y = y0, b = paddedBias;
            int taps = shape.KernelHeight * shape.KernelWidth * shape.InputsPerGroup;
            workers.For(outputLayout.Images * groups.Length, task =>
            {
                int image = task / groups.Length, g = task % groups.Length;
                (int first, int width) = groups[g];
                int inputBlock = first / shape.OutputsPerGroup * shape.InputsPerGroup / Lanes;
                float* source = x + inputLayout.Pixel(image, inputBlock, -shape.Padding.Top, -shape.Padding.Left);
                for (int row = 0; row < outputLayout.Height; row++)
                    for (int column = 0; column < outputLayout.Width; column++)
                    {
                        float* pixel = source + row * shape.StrideY * inputLayout.RowPitch + column * shape.StrideX * Lanes;
                        for (int half = 0; half < width; half += Lanes)
                        {
                            Vector512<float> sum = Sum(pixel, w + first * taps + half, width, shape, inputLayout) + Vector512.Load(b + g * 2 * Lanes + half);
                            int block = (first + half) / Lanes;
                            if (r != null) sum += Vector512.Load(r + residualLayout.Pixel(image, block, row, column));
                            Span<float> result = new(y + outputLayout.Pixel(image, block, row, column), Lanes);
                            sum.CopyTo(result);
                            activation.Apply(result, result);
                        }
                    }
            });
        }
    }

    private static Vector512<float> Sum(float* pixel, float* weights, int width, in ConvolutionShape shape, in BlockedLayout layout)
    {
        Vector512<float> sum = default;
        for (int first = 0; first < shape.InputsPerGroup; first += Lanes, pixel += layout.PlanePitch)
            for (int h = 0; h < shape.KernelHeight; h++)
                for (int v = 0; v < shape.KernelWidth; v++)
                {
                    float* at = pixel + h * shape.DilationY * layout.RowPitch + v * shape.DilationX * Lanes;
                    for (int i = 0; i < Math.Min(Lanes, shape.InputsPerGroup - first); i++, weights += width)
                        sum = Vector512.FusedMultiplyAdd(Vector512.Create(at[i]), Vector512.Load(weights), sum);
                }
        return sum;
    }

    /// <summary>Output channels in groups of 32, or 16 at the end of a convolution group.</summary>
    private static (int First, int Width)[] OutputGroups(in ConvolutionShape shape)
    {
        List<(int, int)> groups = [];
        for (int group = 0; group < shape.Groups; group++)
            for (int o = 0; o < shape.OutputsPerGroup; o += 2 * Lanes)
                groups.Add((group * shape.OutputsPerGroup + o, shape.OutputsPerGroup - o > Lanes ? 2 * Lanes : Lanes));
        return [.. groups];
    }
}
