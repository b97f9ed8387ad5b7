namespace Tensorial.Kernels.Blocked;

/// <summary>
/// A convolution's output channels in groups of 32 that share a tile, or of 16 where a convolution group ends on an odd block.
/// </summary>
internal readonly struct OutputGroups(ConvolutionShape shape)
{
    private const int Lanes = BlockedLayout.ChannelBlock;

    private readonly int _blocksPerGroup = shape.IsDepthwise ? 1 : (shape.OutputsPerGroup + Lanes - 1) / Lanes;

    public int Blocks => (shape.OutputChannels + Lanes - 1) / Lanes;

    public int Count => shape.IsDepthwise ? Blocks : (_blocksPerGroup + 1) / 2 * shape.Groups;

    public int FirstOutput(int group) => FirstBlock(group) * Lanes;

    public int FirstBlock(int group)
    {
        (int convolution, int pair) = Math.DivRem(group, (_blocksPerGroup + 1) / 2);
        return convolution * _blocksPerGroup + pair * 2;
    }

    /// <summary>32 or 16.</summary>
    public int Width(int group) => _blocksPerGroup - group % ((_blocksPerGroup + 1) / 2) * 2 >= 2 ? 2 * Lanes : Lanes;

    /// <summary>Block of the input where the channels begin that a group sums over.</summary>
    public int FirstInputBlock(int group) => shape.IsDepthwise ? group : FirstBlock(group) / _blocksPerGroup * shape.InputsPerGroup / Lanes;
}
