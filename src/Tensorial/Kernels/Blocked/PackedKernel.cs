namespace Tensorial.Kernels.Blocked;

/// <summary>
/// A kernel in the order the tiles read it: [group of 32 outputs][block of 16 inputs][height][width][input][32 outputs]. Real input channels
/// only; outputs padded with zeros to whole blocks, the last group holding 16 where one block is left. Depthwise: [block][height][width][16].
/// For Winograd's methods the products of the transforms stand in place of the taps, before the inputs.
/// </summary>
public sealed class PackedKernel
{
    private PackedKernel(float[] values, int start, ConvolutionMethod method) => (Values, Start, Method) = (values, start, method);

    /// <summary>The method it was packed for.</summary>
    public ConvolutionMethod Method { get; }

    /// <summary>Pinned, so that its start stays on a cache line.</summary>
    internal float[] Values { get; }

    internal int Start { get; }

    /// <summary>Bytes it takes.</summary>
    public long Bytes => (long)Values.Length * sizeof(float);

    internal static PackedKernel Of(ReadOnlySpan<float> kernel, in ConvolutionShape shape, ConvolutionMethod method)
    {
        if (kernel.Length != shape.KernelCount) throw new ArgumentException($"{shape} has {shape.KernelCount} weights, not {kernel.Length}.");
        if (method == ConvolutionMethod.Direct) return new(Direct(kernel, shape, out int start), start, method);
        if (!WinogradKernel.Supports(shape)) throw new ArgumentException($"{shape} is not 3×3 with stride 1 and without groups, as {method} needs.");
        float[] transformed = method == ConvolutionMethod.Winograd2
            ? WinogradKernel.Pack<Winograd2>(kernel, shape, out int first) : WinogradKernel.Pack<Winograd4>(kernel, shape, out first);
        return new(transformed, first, method);
    }

    private static float[] Direct(ReadOnlySpan<float> kernel, in ConvolutionShape shape, out int start)
    {
        ConvolutionShape blocked = shape.InBlocks();
        OutputGroups groups = new(blocked);
        int taps = shape.KernelHeight * shape.KernelWidth, inputs = blocked.SummedChannels;
        float[] packed = GC.AllocateArray<float>(checked(groups.Blocks * BlockedLayout.Lanes * inputs * taps + BlockedLayout.Lanes), pinned: true);
        start = AlignedStart.Of(packed);
        int at = start;
        for (int group = 0; group < groups.Count; group++)
            for (int block = 0; block < inputs; block += BlockedLayout.Lanes)
                for (int tap = 0; tap < taps; tap++)
                    for (int i = block; i < Math.Min(block + BlockedLayout.Lanes, inputs); i++)
                        for (int o = groups.FirstOutput(group), end = o + groups.Width(group); o < end; o++, at++)
                            if (Row(shape, blocked, o, i) is var row and >= 0) packed[at] = kernel[row * taps + tap];
        return packed;
    }

    /// <summary>Index of (output, input) in the kernel as given, or negative where the two are not connected. Inputs count within the blocked group.</summary>
    private static int Row(in ConvolutionShape shape, in ConvolutionShape blocked, int output, int input)
    {
        if (output >= shape.OutputChannels) return -1;
        if (shape.IsDepthwise) return output;
        int channel = output / blocked.OutputsPerGroup * blocked.InputsPerGroup + input - output / shape.OutputsPerGroup * shape.InputsPerGroup;
        return channel >= 0 && channel < shape.InputsPerGroup ? output * shape.InputsPerGroup + channel : -1;
    }
}
