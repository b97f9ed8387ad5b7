namespace Tensorial.Kernels.Blocked;

/// <summary>The attributes of a two-dimensional convolution and the extents of its kernel [outputs, inputs / groups, height, width].</summary>
public readonly record struct ConvolutionShape(
    int InputChannels, int OutputChannels, int KernelHeight, int KernelWidth,
    int StrideY = 1, int StrideX = 1, int DilationY = 1, int DilationX = 1, Halo Padding = default, int Groups = 1)
{
    public int InputsPerGroup => InputChannels / Groups;

    public int OutputsPerGroup => OutputChannels / Groups;

    public bool IsDepthwise => Groups > 1 && Groups == InputChannels && Groups == OutputChannels;

    public int KernelCount => OutputChannels * InputsPerGroup * KernelHeight * KernelWidth;
}
