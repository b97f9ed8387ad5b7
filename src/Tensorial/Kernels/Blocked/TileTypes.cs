namespace Tensorial.Kernels.Blocked;

/// <summary>A number as a type: output pixels of a tile, pairs of a kernel gradient.</summary>
internal interface ICount
{
    static abstract int Count { get; }
}

/// <summary>Input pixels between neighbouring output pixels, as a type; 0 where only the <see cref="TileShape"/> knows.</summary>
internal interface IStep
{
    static abstract int Pixels { get; }

    /// <summary>Whether pixels lie anywhere, at the places that the <see cref="TileShape"/> lists; eight at most.</summary>
    static abstract bool IsScattered { get; }
}

/// <summary>What a tile sums, as a type.</summary>
internal interface IFlavour
{
    /// <summary>Vectors of output channels.</summary>
    static abstract int Vectors { get; }

    /// <summary>Whether every channel has a kernel of its own.</summary>
    static abstract bool IsDepthwise { get; }
}

internal readonly struct Count1 : ICount
{
    public static int Count => 1;
}

internal readonly struct Count2 : ICount
{
    public static int Count => 2;
}

internal readonly struct Count3 : ICount
{
    public static int Count => 3;
}

internal readonly struct Count4 : ICount
{
    public static int Count => 4;
}

internal readonly struct Count5 : ICount
{
    public static int Count => 5;
}

internal readonly struct Count6 : ICount
{
    public static int Count => 6;
}

internal readonly struct Count7 : ICount
{
    public static int Count => 7;
}

internal readonly struct Count8 : ICount
{
    public static int Count => 8;
}

internal readonly struct Count9 : ICount
{
    public static int Count => 9;
}

internal readonly struct Count10 : ICount
{
    public static int Count => 10;
}

internal readonly struct Count11 : ICount
{
    public static int Count => 11;
}

internal readonly struct Count12 : ICount
{
    public static int Count => 12;
}

internal readonly struct Count13 : ICount
{
    public static int Count => 13;
}

internal readonly struct Count14 : ICount
{
    public static int Count => 14;
}

internal readonly struct AnyStep : IStep
{
    public static int Pixels => 0;

    public static bool IsScattered => false;
}

internal readonly struct Step1 : IStep
{
    public static int Pixels => 1;

    public static bool IsScattered => false;
}

internal readonly struct Step2 : IStep
{
    public static int Pixels => 2;

    public static bool IsScattered => false;
}

internal readonly struct Scattering : IStep
{
    public static int Pixels => 0;

    public static bool IsScattered => true;
}

internal readonly struct TwoVectors : IFlavour
{
    public static int Vectors => 2;

    public static bool IsDepthwise => false;
}

internal readonly struct OneVector : IFlavour
{
    public static int Vectors => 1;

    public static bool IsDepthwise => false;
}

internal readonly struct Depthwise : IFlavour
{
    public static int Vectors => 1;

    public static bool IsDepthwise => true;
}
