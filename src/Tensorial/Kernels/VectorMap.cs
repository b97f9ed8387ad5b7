using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tensorial.Kernels;

/// <summary>A function of every number in a vector.</summary>
internal interface IVectorFunction
{
    Vector<float> Of(Vector<float> x);
}

/// <summary>A function of two numbers in the same places of two vectors.</summary>
internal interface IVectorFunction2
{
    Vector<float> Of(Vector<float> a, Vector<float> b);
}

/// <summary>
/// Functions over rows, a vector at a time and each compiled for itself. The rest of a row, too short for a vector, goes through one too, so
/// that a number's place does not change its result.
/// </summary>
internal static class VectorMap
{
    /// <summary>y = f(x); y may be x.</summary>
    /// <exception cref="ArgumentException">There are fewer results than numbers.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Of<TFunction>(TFunction function, ReadOnlySpan<float> x, Span<float> y)
        where TFunction : struct, IVectorFunction
    {
        Check(x.Length, y.Length);
        ReadOnlySpan<Vector<float>> from = MemoryMarshal.Cast<float, Vector<float>>(x);
        Span<Vector<float>> to = MemoryMarshal.Cast<float, Vector<float>>(y)[..from.Length];
        for (int i = 0; i < from.Length; i++)
            to[i] = function.Of(from[i]);
        int done = from.Length * Vector<float>.Count;
        if (done == x.Length)
            return;
        Span<float> rest = stackalloc float[Vector<float>.Count];
        x[done..].CopyTo(rest);
        function.Of(new Vector<float>(rest)).CopyTo(rest);
        rest[..(x.Length - done)].CopyTo(y[done..]);
    }

    /// <summary>y = f(a, b); y may be a or b.</summary>
    /// <exception cref="ArgumentException">There are fewer numbers b, or results, than numbers a.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Of<TFunction>(TFunction function, ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y)
        where TFunction : struct, IVectorFunction2
    {
        Check(a.Length, Math.Min(b.Length, y.Length));
        ReadOnlySpan<Vector<float>> first = MemoryMarshal.Cast<float, Vector<float>>(a),
            second = MemoryMarshal.Cast<float, Vector<float>>(b)[..first.Length];
        Span<Vector<float>> to = MemoryMarshal.Cast<float, Vector<float>>(y)[..first.Length];
        for (int i = 0; i < first.Length; i++)
            to[i] = function.Of(first[i], second[i]);
        int done = first.Length * Vector<float>.Count;
        if (done == a.Length)
            return;
        Span<float> rest = stackalloc float[2 * Vector<float>.Count],
            other = rest[Vector<float>.Count..];
        a[done..].CopyTo(rest);
        b[done..a.Length].CopyTo(other);
        function.Of(new Vector<float>(rest), new Vector<float>(other)).CopyTo(rest);
        rest[..(a.Length - done)].CopyTo(y[done..]);
    }

    private static void Check(int numbers, int places)
    {
        if (places < numbers)
            throw new ArgumentException($"{numbers} results do not fit {places} places.");
    }
}
