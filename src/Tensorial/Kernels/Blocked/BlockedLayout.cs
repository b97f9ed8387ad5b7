using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>Zeros around a plane, in pixels.</summary>
internal readonly record struct Halo(int Top, int Left, int Bottom, int Right)
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
internal readonly record struct BlockedLayout(int Images, int Channels, int Height, int Width, Halo Halo)
{
    /// <summary>Channels a block holds: one 512-bit vector, a cache line.</summary>
    public const int ChannelBlock = 16;

    public int Blocks => (Channels + ChannelBlock - 1) / ChannelBlock;

    public int RowPitch => (Halo.Left + Width + Halo.Right) * ChannelBlock;

    public int PlanePitch
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (Halo.Top + Height + Halo.Bottom) * RowPitch;
    }

    public int ImagePitch
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Blocks * PlanePitch;
    }

    /// <summary>
    /// Floats that all images take. Every pitch and offset below is smaller, so none of them can wrap once this was asked for; each
    /// kernel does, by <see cref="Holds"/>, before it makes a pointer.
    /// </summary>
    /// <exception cref="ShapeException">They are more than an array can hold; names the extents.</exception>
    public int Length
    {
        get
        {
            // Exact below 2^53, and far above every bound where it is not.
            double rows = (double)Halo.Top + Height + Halo.Bottom,
                columns = (double)Halo.Left + Width + Halo.Right;
            double floats = Images * Math.Ceiling((double)Channels / ChannelBlock) * rows * columns * ChannelBlock;
            bool isSound = (Images | Channels | Height | Width | Halo.Top | Halo.Left | Halo.Bottom | Halo.Right) >= 0;
            return isSound && floats <= LargestLength ? (int)floats : throw TooLarge(floats);
        }
    }

    /// <summary>The most floats one value may take: what an array holds, less room to begin on a cache line.</summary>
    public const int LargestLength = 0x7FFFFFC7 - 2 * ChannelBlock;

    /// <summary>Refuses a buffer that is shorter than this layout: from here on pointers are trusted.</summary>
    /// <exception cref="ArgumentException">The buffer is too short.</exception>
    /// <exception cref="ShapeException">No buffer holds this layout.</exception>
    public void Holds(ReadOnlySpan<float> values)
    {
        if (values.Length < Length)
            throw new ArgumentException($"{this} takes {Length:N0} floats, not {values.Length:N0}.");
    }

    private ShapeException TooLarge(double floats) =>
        new(
            $"{Images}×{Channels}×{Height}×{Width} inside a border of {Halo.Top}, {Halo.Left}, {Halo.Bottom} and {Halo.Right} takes "
                + $"{floats:N0} values, more than the {LargestLength:N0} that are computed at once."
        );

    /// <summary>Offset of a plane's first pixel inside the halo.</summary>
    public int Interior
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Halo.Top * RowPitch + Halo.Left * ChannelBlock;
    }

    /// <summary>Offset of a plane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Plane(int image, int block) => image * ImagePitch + block * PlanePitch;

    /// <summary>Offset of a pixel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Pixel(int image, int block, int y, int x) => Plane(image, block) + Interior + y * RowPitch + x * ChannelBlock;
}
