namespace Tensorial.Kernels.Blocked;

/// <summary>Zeros around a plane, in pixels.</summary>
public readonly record struct Halo(int Top, int Left, int Bottom, int Right)
{
    /// <summary>The smallest halo that covers both.</summary>
    public Halo Union(Halo other) =>
        new(Math.Max(Top, other.Top), Math.Max(Left, other.Left), Math.Max(Bottom, other.Bottom), Math.Max(Right, other.Right));

    /// <summary>Whether this halo is at least as wide as another on every side.</summary>
    public bool Covers(Halo other) => Union(other) == this;
}

/// <summary>
/// Activations in blocks of 16 channels, the channel innermost, every plane inside a halo of zeros:
/// [image][block][Top + Height + Bottom][Left + Width + Right][16]. Lanes beyond <paramref name="Channels"/> in the last block may
/// hold anything and reach no result. Sizes and offsets count floats.
/// </summary>
public readonly record struct BlockedLayout(int Images, int Channels, int Height, int Width, Halo Halo)
{
    /// <summary>Channels a block holds: one 512-bit vector, a cache line.</summary>
    public const int Lanes = 16;

    public int Blocks => (Channels + Lanes - 1) / Lanes;

    public int RowPitch => (Halo.Left + Width + Halo.Right) * Lanes;

    public int PlanePitch => (Halo.Top + Height + Halo.Bottom) * RowPitch;

    public int ImagePitch => Blocks * PlanePitch;

    public int Length => checked(Images * ImagePitch);

    /// <summary>Offset of a plane's first pixel inside the halo.</summary>
    public int Interior => Halo.Top * RowPitch + Halo.Left * Lanes;

    /// <summary>Offset of a plane.</summary>
    public int Plane(int image, int block) => image * ImagePitch + block * PlanePitch;

    /// <summary>Offset of a pixel.</summary>
    public int Pixel(int image, int block, int y, int x) => Plane(image, block) + Interior + y * RowPitch + x * Lanes;
}
