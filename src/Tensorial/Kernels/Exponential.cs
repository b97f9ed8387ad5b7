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

    /// <summary>y = erf x; y may be x.</summary>
    public static void Erf(ReadOnlySpan<float> x, Span<float> y) => Map<Erfs>(x, y);

    /// <summary>y = x Φ(x), Φ the normal distribution function; y may be x.</summary>
    public static void Gelu(ReadOnlySpan<float> x, Span<float> y) => Map<Gelus>(x, y);

    /// <summary>y = the derivative of <see cref="Gelu"/> at x; y may be x.</summary>
    public static void GeluSlope(ReadOnlySpan<float> x, Span<float> y) => Map<GeluSlopes>(x, y);

    /// <summary>y = x (1 + tanh(√(2 / π) (x + 0.044715 x³))) / 2; y may be x.</summary>
    public static void GeluTanh(ReadOnlySpan<float> x, Span<float> y) => Map<GeluTanhs>(x, y);

    /// <summary>y = the derivative of <see cref="GeluTanh"/> at x; y may be x.</summary>
    public static void GeluTanhSlope(ReadOnlySpan<float> x, Span<float> y) => Map<GeluTanhSlopes>(x, y);

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

    /// <summary>Polynomials of least relative error: of erf x / x in x² below 1, of -ln(1 - erf x) above.</summary>
    private readonly struct Erfs : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<float> Of(Vector<float> x)
        {
            // From 4 on, where 1 - erf x is 1.5e-8, the result is 1.
            Vector<float> size = Vector.Abs(x),
                far = Vector.ConditionalSelect(Vector.LessThan(size, new(4f)), size, new(4f)),
                square = x * x;
            Vector<float> p = Vector.MultiplyAddEstimate(new(-5.6314404e-4f), square, new(4.917556420e-3f));
            p = Vector.MultiplyAddEstimate(p, square, new(-2.671131678e-2f));
            p = Vector.MultiplyAddEstimate(p, square, new(1.1280180514e-1f));
            p = Vector.MultiplyAddEstimate(p, square, new(-3.7612324953e-1f));
            p = Vector.MultiplyAddEstimate(p, square, new(1.12837910652f));
            Vector<float> q = Vector.MultiplyAddEstimate(new(-1.1572224321e-3f), far, new(1.4831857756e-2f));
            q = Vector.MultiplyAddEstimate(q, far, new(-8.8799759746e-2f));
            q = Vector.MultiplyAddEstimate(q, far, new(-6.5424001217e-1f));
            q = Vector.MultiplyAddEstimate(q, far, new(-1.1176213026f));
            q = Vector.MultiplyAddEstimate(q, far, new(-2.6191582438e-3f));
            Vector<float> rest = Vector<float>.One - Exps.Of(q);
            rest = Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), -rest, rest);
            return Vector.ConditionalSelect(Vector.GreaterThanOrEqual(size, Vector<float>.One), rest, x * p);
        }
    }

    private readonly struct Gelus : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<float> Of(Vector<float> x)
        {
            Vector<float> half = x * new Vector<float>(0.5f);
            return Vector.MultiplyAddEstimate(half, Erfs.Of(x * new Vector<float>(0.70710678f)), half);
        }
    }

    /// <summary>Beyond 10 the slopes of GELU are 0 and 1 but for 1e-20, and the powers of x in them would leave float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Bounded(Vector<float> x) => Vector.Min(Vector.Max(x, new(-10f)), new(10f));

    private readonly struct GeluSlopes : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<float> Of(Vector<float> x)
        {
            x = Bounded(x);
            Vector<float> density = new Vector<float>(0.39894228f) * Exps.Of(x * x * new Vector<float>(-0.5f));
            Vector<float> below = (Vector<float>.One + Erfs.Of(x * new Vector<float>(0.70710678f))) * new Vector<float>(0.5f);
            return Vector.MultiplyAddEstimate(x, density, below);
        }
    }

    /// <summary>(1 + tanh u) / 2 = σ(2 u).</summary>
    private readonly struct GeluTanhs : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<float> Of(Vector<float> x)
        {
            Vector<float> inner = Vector.MultiplyAddEstimate(x * x, new(Cubic), Vector<float>.One);
            return x / (Vector<float>.One + Exps.Of(x * inner * new Vector<float>(-Twice)));
        }

        public const float Cubic = 0.044715f,
            Twice = 1.59576912f; // 2 √(2 / π)
    }

    private readonly struct GeluTanhSlopes : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<float> Of(Vector<float> x)
        {
            x = Bounded(x);
            Vector<float> square = x * x * new Vector<float>(GeluTanhs.Cubic),
                // σ(-u) = exp(-u) σ(u) keeps the digits that 1 - σ(u) loses.
                small = Exps.Of(x * (square + Vector<float>.One) * new Vector<float>(-GeluTanhs.Twice)),
                gate = Vector<float>.One / (Vector<float>.One + small),
                steep = Vector.MultiplyAddEstimate(square, new(3f), Vector<float>.One) * new Vector<float>(GeluTanhs.Twice);
            return gate + x * steep * (gate * small) * gate;
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
