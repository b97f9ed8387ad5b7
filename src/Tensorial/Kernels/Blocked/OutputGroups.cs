namespace Tensorial.Kernels.Blocked;

/// <summary>
/// A convolution's output channels in groups whose weights lie side by side: of 16, or of 32 (<see cref="ConvolutionShape.BlocksTogether"/>)
/// but for the last where a convolution group ends on an odd block.
/// </summary>
internal readonly struct OutputGroups(ConvolutionShape shape)
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    private readonly int _blocksPerGroup = shape.IsDepthwise ? 1 : (shape.OutputsPerGroup + Lanes - 1) / Lanes,
        _together = shape.BlocksTogether;

    public int Blocks => (shape.OutputChannels + Lanes - 1) / Lanes;

    public int Count => shape.IsDepthwise ? Blocks : PerGroup * shape.Groups;

    private int PerGroup => (_blocksPerGroup + _together - 1) / _together;

    public int FirstOutput(int group) => FirstBlock(group) * Lanes;

    public int FirstBlock(int group)
    {
        (int convolution, int inside) = Math.DivRem(group, PerGroup);
        return convolution * _blocksPerGroup + inside * _together;
    }

    /// <summary>32 or 16.</summary>
    public int Width(int group) => Math.Min(_blocksPerGroup - group % PerGroup * _together, _together) * Lanes;

    /// <summary>Block of the input where the channels begin that a group sums over.</summary>
    public int FirstInputBlock(int group) => shape.IsDepthwise ? group : FirstBlock(group) / _blocksPerGroup * shape.InputsPerGroup / Lanes;
}
