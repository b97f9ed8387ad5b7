namespace Tensorial.Kernels.Blocked;

/// <summary>
/// A kernel in the order the tiles read it: [group of outputs][block of 16 inputs][height][width][input][16 or 32 outputs]
/// (<see cref="OutputGroups"/>). Real input channels only; outputs padded with zeros to whole blocks. Depthwise:
/// [block][height][width][16]. For Winograd's methods the products of the transforms stand in place of the taps, before the inputs.
/// </summary>
internal sealed class PackedKernel
{
    private PackedKernel(float[] values, int start, ConvolutionMethod method) => (Values, Start, Method) = (values, start, method);

    /// <summary>The method it was packed for.</summary>
    public ConvolutionMethod Method { get; }

    /// <summary>Pinned, so that its start stays on a cache line.</summary>
    internal float[] Values { get; }

    internal int Start { get; }

    /// <summary>Bytes it takes.</summary>
    public long Bytes => (long)Values.Length * sizeof(float);

    internal static PackedKernel From(ReadOnlySpan<float> kernel, in ConvolutionShape shape, ConvolutionMethod method)
    {
        if (method != ConvolutionMethod.Direct && !WinogradKernel.Supports(shape))
            throw new ArgumentException($"{shape} is not 3×3 with stride 1 and without groups, as {method} needs.");
        int count = CountOf(shape, method);
        float[] packed = GC.AllocateArray<float>(count + BlockedLayout.ChannelBlock, pinned: true);
        PackedKernel result = new(packed, AlignedStart.Of(packed), method);
        result.Renew(kernel, shape);
        return result;
    }

    /// <summary>Whether it holds as many weights as a convolution reads.</summary>
    internal bool Fits(in ConvolutionShape shape) => Values.Length - Start >= CountOf(shape, Method);

    /// <summary>Floats it takes.</summary>
    private static int CountOf(in ConvolutionShape shape, ConvolutionMethod method)
    {
        ConvolutionShape blocked = shape.InBlocks();
        int products = method switch
        {
            ConvolutionMethod.Winograd2 => Winograd2.Tile * Winograd2.Tile,
            ConvolutionMethod.Winograd4 => Winograd4.Tile * Winograd4.Tile,
            _ => checked(shape.KernelHeight * shape.KernelWidth),
        };
        return checked(new OutputGroups(blocked).Blocks * BlockedLayout.ChannelBlock * blocked.SummedChannels * products);
    }

    /// <summary>Packs another kernel of the same shape into the same place.</summary>
    internal void Renew(ReadOnlySpan<float> kernel, in ConvolutionShape shape)
    {
        if (kernel.Length != shape.KernelCount)
            throw new ArgumentException($"{shape} has {shape.KernelCount} weights, not {kernel.Length}.");
        Span<float> packed = Values.AsSpan(Start);
        if (Method == ConvolutionMethod.Winograd2)
            WinogradKernel.Pack<Winograd2>(kernel, shape, packed);
        else if (Method == ConvolutionMethod.Winograd4)
            WinogradKernel.Pack<Winograd4>(kernel, shape, packed);
        else
            Direct(kernel, shape, packed);
    }

    private static void Direct(ReadOnlySpan<float> kernel, in ConvolutionShape shape, Span<float> packed)
    {
        ConvolutionShape blocked = shape.InBlocks();
        OutputGroups groups = new(blocked);
        int taps = shape.KernelHeight * shape.KernelWidth,
            inputs = blocked.SummedChannels,
            at = 0,
            pitch = inputs * taps;
        if (shape.Groups == 1)
        {
            for (int group = 0; group < groups.Count; group++)
            {
                int first = groups.FirstOutput(group),
                    width = groups.Width(group),
                    outputs = Math.Min(width, shape.OutputChannels - first);
                for (int block = 0; block < inputs; block += BlockedLayout.ChannelBlock)
                for (int tap = 0; tap < taps; tap++)
                for (int i = block; i < Math.Min(block + BlockedLayout.ChannelBlock, inputs); i++, at += width)
                for (int o = 0, from = first * pitch + i * taps + tap; o < outputs; o++, from += pitch)
                    packed[at + o] = kernel[from];
            }
            return;
        }
        for (int group = 0; group < groups.Count; group++)
        for (int block = 0; block < inputs; block += BlockedLayout.ChannelBlock)
        for (int tap = 0; tap < taps; tap++)
        for (int i = block; i < Math.Min(block + BlockedLayout.ChannelBlock, inputs); i++)
        for (int o = groups.FirstOutput(group), end = o + groups.Width(group); o < end; o++, at++)
            if (Row(shape, blocked, o, i) is var row and >= 0)
                packed[at] = kernel[row * taps + tap];
    }

    /// <summary>
    /// Index of (output, input) in the kernel as given, or negative where the two are not connected. Inputs count within the blocked group.
    /// </summary>
    private static int Row(in ConvolutionShape shape, in ConvolutionShape blocked, int output, int input)
    {
        if (output >= shape.OutputChannels)
            return -1;
        if (shape.IsDepthwise)
            return output;
        int channel =
            output / blocked.OutputsPerGroup * blocked.InputsPerGroup + input - output / shape.OutputsPerGroup * shape.InputsPerGroup;
        return channel >= 0 && channel < shape.InputsPerGroup ? output * shape.InputsPerGroup + channel : -1;
    }
}
