namespace Tensorial.Kernels.Blocked;

/// <summary>
/// The attributes of a two-dimensional convolution and the extents of its kernel [outputs, inputs / groups, height, width].
/// </summary>
internal readonly record struct ConvolutionShape(
    int InputChannels,
    int OutputChannels,
    int KernelHeight,
    int KernelWidth,
    int StrideY = 1,
    int StrideX = 1,
    int DilationY = 1,
    int DilationX = 1,
    Halo Padding = default,
    int Groups = 1
)
{
    /// <summary>
    /// Blocks of 16 outputs whose weights lie side by side in a packed kernel, 1 or 2: as many as a tile of this machine's vectors sums, so
    /// that it reads its weights without gaps. Every vector width computes with either.
    /// </summary>
    public int BlocksTogether { get; init; } = VectorWidths.Best == VectorWidth.Bits512 ? 2 : 1;

    public int InputsPerGroup => InputChannels / Groups;

    public int OutputsPerGroup => OutputChannels / Groups;

    /// <summary>Whether every channel has one kernel of its own.</summary>
    public bool IsDepthwise => Groups > 1 && Groups == InputChannels && Groups == OutputChannels;

    public int KernelCount => checked(OutputChannels * InputsPerGroup * KernelHeight * KernelWidth);

    /// <summary>Input channels that a packed kernel holds per output channel.</summary>
    internal int SummedChannels => IsDepthwise ? 1 : InputsPerGroup;

    /// <summary>
    /// The same convolution with as few groups merged as make whole blocks of channels; the merged kernel is zero between channels that
    /// were in different groups. Four channels a group thus cost four times their multiplications, still at the speed of a dense
    /// convolution.
    /// </summary>
    internal ConvolutionShape InBlocks()
    {
        if (Groups == 1 || IsDepthwise)
            return this;
        int merged = 1;
        while (merged < Groups && (Groups % merged != 0 || InputsPerGroup * merged % 16 != 0 || OutputsPerGroup * merged % 16 != 0))
            merged++;
        return this with { Groups = Groups / merged };
    }
}
