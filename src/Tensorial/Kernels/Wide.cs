using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tensorial.Kernels;

/// <summary>
/// What float and double vectors of 64 bytes need beyond the runtime's generic operators. Narrower machines run the same code on halves and
/// quarters.
/// </summary>
internal static class Wide
{
    /// <summary>Values in a vector.</summary>
    public static int VectorLength<T>()
        where T : unmanaged => Vector512<T>.Count;

    /// <summary>x y + addend, fused where the machine can.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> MultiplyAdd<T>(Vector512<T> x, Vector512<T> y, Vector512<T> addend)
        where T : unmanaged =>
        typeof(T) == typeof(double)
            ? Vector512.MultiplyAddEstimate(x.AsDouble(), y.AsDouble(), addend.AsDouble()).As<double, T>()
            : Vector512.MultiplyAddEstimate(x.AsSingle(), y.AsSingle(), addend.AsSingle()).As<float, T>();

    /// <summary><paramref name="length"/> rounded up to whole vectors.</summary>
    public static int Padded<T>(int length)
        where T : unmanaged => (length + Vector512<T>.Count - 1) / Vector512<T>.Count * Vector512<T>.Count;
}

/// <summary>A number that the compiler knows: loops over it unroll and branches on it vanish.</summary>
internal interface ICount
{
    static abstract int Value { get; }
}

internal readonly struct One : ICount
{
    public static int Value => 1;
}

internal readonly struct Two : ICount
{
    public static int Value => 2;
}

internal readonly struct Three : ICount
{
    public static int Value => 3;
}

internal readonly struct Four : ICount
{
    public static int Value => 4;
}
