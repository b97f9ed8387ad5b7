namespace Tensorial.Kernels.Blocked;

/// <summary>What all tiles of one convolution have in common. Distances count floats.</summary>
internal unsafe struct TileShape
{
    /// <summary>Input channels summed, in blocks of 16 that lie <see cref="BlockPitch"/> apart.</summary>
    public int Channels;
    public int BlockPitch;

    public int KernelHeight;
    public int KernelWidth;

    /// <summary>From a tap to the one below it, and to the one right of it.</summary>
    public int TapDown;
    public int TapRight;

    /// <summary>From an output pixel's input to its right neighbour's, where no <see cref="IStep"/> knows it.</summary>
    public int Step;

    /// <summary>
    /// Where a tile's pixels lie, counted from its first, in input, output and residual; of an <see cref="IStep"/> that is scattered only.
    /// </summary>
    public nint* InputPlaces;
    public nint* OutputPlaces;
    public nint* ResidualPlaces;

    /// <summary>From the weights of one input channel to those of the next.</summary>
    public int WeightPitch;

    /// <summary>From a tile's first vector to its second, in the output and in the residual.</summary>
    public int OutputNext;
    public int ResidualNext;

    /// <summary>Bounds of the results; infinite where there are none.</summary>
    public bool Clips;
    public float Low;
    public float High;
}
