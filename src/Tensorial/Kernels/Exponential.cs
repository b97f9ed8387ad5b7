using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tensorial.Kernels;

/// <summary>
/// exp and functions made of it, in vectors of float32 with a relative error of some 10⁻⁷ (polynomials of S. Moshier, Cephes, 1989).
/// <see cref="TensorPrimitives"/>, which other types go to, computes them in double precision at a third of the speed. NaN stays NaN.
/// </summary>
internal static class Exponential
{
    // Above, exp is infinite in float32; below, it is less than twice the smallest number of full precision and taken for 0.
    private const float Most = 88.72283f,
        Least = -86.64f;

    /// <summary>1.5 · 2²³: added to a number it leaves its nearest integer in the last bits.</summary>
    private const float Rounding = 12582912;

    /// <summary>y = exp x; y may be x.</summary>
    public static void Exp<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IExponentialFunctions<T>
    {
        if (typeof(T) == typeof(float))
            Map<Exps>(MemoryMarshal.Cast<T, float>(x), MemoryMarshal.Cast<T, float>(y));
        else
            TensorPrimitives.Exp(x, y);
    }

    /// <summary>y = 1 / (1 + exp(-x)); y may be x.</summary>
    public static void Sigmoid<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IExponentialFunctions<T>
    {
        if (typeof(T) == typeof(float))
            Map<Sigmoids>(MemoryMarshal.Cast<T, float>(x), MemoryMarshal.Cast<T, float>(y));
        else
            TensorPrimitives.Sigmoid(x, y);
    }

    /// <summary>y = x / (1 + exp(-x)); y may be x.</summary>
    public static void Silu(ReadOnlySpan<float> x, Span<float> y) => Map<Silus>(x, y);

    /// <summary>y = tanh x; y may be x.</summary>
    public static void Tanh<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IHyperbolicFunctions<T>
    {
        if (typeof(T) == typeof(float))
            Map<Tanhs>(MemoryMarshal.Cast<T, float>(x), MemoryMarshal.Cast<T, float>(y));
        else
            TensorPrimitives.Tanh(x, y);
    }

    /// <summary>A function of every number in a vector.</summary>
    private interface IFunction
    {
        static abstract Vector<float> Of(Vector<float> x);
    }

    private readonly struct Exps : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<float> Of(Vector<float> x)
        {
            Vector<int> above = Vector.GreaterThan(x, new(Most)),
                below = Vector.LessThan(x, new(Least));
            Vector<float> bounded = Vector.ConditionalSelect(above | below, Vector<float>.Zero, x);
            // x = n ln 2 + r with |r| at most ln 2 / 2; ln 2 in two parts, of which n times the first is exact.
            Vector<float> shifted = Vector.MultiplyAddEstimate(bounded, new(1.44269504f), new(Rounding)),
                n = shifted - new Vector<float>(Rounding),
                r = Vector.MultiplyAddEstimate(n, new(-0.693359375f), bounded);
            r = Vector.MultiplyAddEstimate(n, new(2.12194440e-4f), r);
            Vector<float> p = Vector.MultiplyAddEstimate(new(1.9875691500e-4f), r, new(1.3981999507e-3f));
            p = Vector.MultiplyAddEstimate(p, r, new(8.3334519073e-3f));
            p = Vector.MultiplyAddEstimate(p, r, new(4.1665795894e-2f));
            p = Vector.MultiplyAddEstimate(p, r, new(1.6666665459e-1f));
            p = Vector.MultiplyAddEstimate(p, r, new(5.0000001201e-1f));
            p = Vector.MultiplyAddEstimate(p, r * r, r + Vector<float>.One);
            // Half of 2ⁿ, which an exponent holds where it does not hold 2ⁿ.
            Vector<int> power = Vector.ShiftLeft(Vector.AsVectorInt32(shifted), 23) + new Vector<int>(0x3F000000);
            Vector<float> result = (p + p) * Vector.AsVectorSingle(power);
            result = Vector.ConditionalSelect(above, new(float.PositiveInfinity), result);
            return Vector.ConditionalSelect(below, Vector<float>.Zero, result);
        }
    }

    private readonly struct Sigmoids : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<float> Of(Vector<float> x) => Vector<float>.One / (Vector<float>.One + Exps.Of(-x));
    }

    private readonly struct Silus : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<float> Of(Vector<float> x) => x / (Vector<float>.One + Exps.Of(-x));
    }

    private readonly struct Tanhs : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<float> Of(Vector<float> x)
        {
            // Near 0 a polynomial, where 1 - 2 / (exp 2x + 1) would lose what is small.
            Vector<float> far = Vector<float>.One - new Vector<float>(2) / (Exps.Of(x + x) + Vector<float>.One),
                square = x * x;
            Vector<float> p = Vector.MultiplyAddEstimate(new(-5.70498872745e-3f), square, new(2.06390887954e-2f));
            p = Vector.MultiplyAddEstimate(p, square, new(-5.37397155531e-2f));
            p = Vector.MultiplyAddEstimate(p, square, new(1.33314422036e-1f));
            p = Vector.MultiplyAddEstimate(p, square, new(-3.33332819422e-1f));
            Vector<float> near = Vector.MultiplyAddEstimate(p, square * x, x);
            return Vector.ConditionalSelect(Vector.LessThan(Vector.Abs(x), new(0.625f)), near, far);
        }
    }

    /// <summary>The rest, too short for a vector, goes through one too, so that a number's place does not change its result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Map<TFunction>(ReadOnlySpan<float> x, Span<float> y)
        where TFunction : struct, IFunction
    {
        if (y.Length < x.Length)
            throw new ArgumentException($"{x.Length} results do not fit {y.Length} places.");
        int lanes = Vector<float>.Count,
            at = 0;
        for (; at <= x.Length - lanes; at += lanes)
            TFunction.Of(new Vector<float>(x.Slice(at, lanes))).CopyTo(y.Slice(at, lanes));
        if (at == x.Length)
            return;
        Span<float> rest = stackalloc float[lanes];
        rest.Clear();
        x[at..].CopyTo(rest);
        TFunction.Of(new Vector<float>(rest)).CopyTo(rest);
        rest[..(x.Length - at)].CopyTo(y[at..]);
    }
}
