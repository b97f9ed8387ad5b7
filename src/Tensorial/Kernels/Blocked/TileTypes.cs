namespace Tensorial.Kernels.Blocked;

/// <summary>Output pixels of a tile, as a type.</summary>
internal interface IPixels
{
    static abstract int Count { get; }
}

/// <summary>Input pixels between neighbouring output pixels, as a type; 0 where only the <see cref="TileShape"/> knows.</summary>
internal interface IStep
{
    static abstract int Pixels { get; }
}

/// <summary>What a tile sums, as a type.</summary>
internal interface IFlavour
{
    /// <summary>Vectors of output channels.</summary>
    static abstract int Vectors { get; }

    /// <summary>Whether every channel has a kernel of its own.</summary>
    static abstract bool IsDepthwise { get; }
}

internal readonly struct Pixels1 : IPixels { public static int Count => 1; }

internal readonly struct Pixels2 : IPixels { public static int Count => 2; }

internal readonly struct Pixels3 : IPixels { public static int Count => 3; }

internal readonly struct Pixels4 : IPixels { public static int Count => 4; }

internal readonly struct Pixels5 : IPixels { public static int Count => 5; }

internal readonly struct Pixels6 : IPixels { public static int Count => 6; }

internal readonly struct Pixels7 : IPixels { public static int Count => 7; }

internal readonly struct Pixels8 : IPixels { public static int Count => 8; }

internal readonly struct Pixels9 : IPixels { public static int Count => 9; }

internal readonly struct Pixels10 : IPixels { public static int Count => 10; }

internal readonly struct Pixels11 : IPixels { public static int Count => 11; }

internal readonly struct Pixels12 : IPixels { public static int Count => 12; }

internal readonly struct Pixels13 : IPixels { public static int Count => 13; }

internal readonly struct Pixels14 : IPixels { public static int Count => 14; }

internal readonly struct AnyStep : IStep { public static int Pixels => 0; }

internal readonly struct Step1 : IStep { public static int Pixels => 1; }

internal readonly struct Step2 : IStep { public static int Pixels => 2; }

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
