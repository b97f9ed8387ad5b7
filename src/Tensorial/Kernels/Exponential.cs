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
    // At the first exp is infinite in float32 by itself; below the second it is less than twice the smallest number of full precision.
    private const float Most = 89,
        Least = -86.64f;

    /// <summary>1.5 · 2²³: added to a number it leaves its nearest integer in the last bits.</summary>
    private const float Rounding = 12582912;

    /// <summary>y = exp x; y may be x.</summary>
    public static void Exp<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IExponentialFunctions<T>
    {
        if (typeof(T) == typeof(float))
            VectorMap.Of(default(Exps), MemoryMarshal.Cast<T, float>(x), MemoryMarshal.Cast<T, float>(y));
        else
            TensorPrimitives.Exp(x, y);
    }

    /// <summary>y = 1 / (1 + exp(-x)); y may be x.</summary>
    public static void Sigmoid<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IExponentialFunctions<T>
    {
        if (typeof(T) == typeof(float))
            VectorMap.Of(default(Sigmoids), MemoryMarshal.Cast<T, float>(x), MemoryMarshal.Cast<T, float>(y));
        else
            TensorPrimitives.Sigmoid(x, y);
    }

    /// <summary>y = x / (1 + exp(-x)); y may be x.</summary>
    public static void Silu(ReadOnlySpan<float> x, Span<float> y) => VectorMap.Of(default(Silus), x, y);

    /// <summary>y = tanh x; y may be x.</summary>
    public static void Tanh<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IHyperbolicFunctions<T>
    {
        if (typeof(T) == typeof(float))
            VectorMap.Of(default(Tanhs), MemoryMarshal.Cast<T, float>(x), MemoryMarshal.Cast<T, float>(y));
        else
            TensorPrimitives.Tanh(x, y);
    }

    /// <summary>y = erf x; y may be x.</summary>
    public static void Erf(ReadOnlySpan<float> x, Span<float> y) => VectorMap.Of(default(Erfs), x, y);

    /// <summary>y = x Φ(x), Φ the normal distribution function; y may be x.</summary>
    public static void Gelu(ReadOnlySpan<float> x, Span<float> y) => VectorMap.Of(default(Gelus), x, y);

    /// <summary>y = the derivative of <see cref="Gelu"/> at x; y may be x.</summary>
    public static void GeluSlope(ReadOnlySpan<float> x, Span<float> y) => VectorMap.Of(default(GeluSlopes), x, y);

    /// <summary>y = x (1 + tanh(√(2 / π) (x + 0.044715 x³))) / 2; y may be x.</summary>
    public static void GeluTanh(ReadOnlySpan<float> x, Span<float> y) => VectorMap.Of(default(GeluTanhs), x, y);

    /// <summary>y = the derivative of <see cref="GeluTanh"/> at x; y may be x.</summary>
    public static void GeluTanhSlope(ReadOnlySpan<float> x, Span<float> y) => VectorMap.Of(default(GeluTanhSlopes), x, y);

    private readonly struct Exps : IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> x) => Vector.ConditionalSelect(Vector.LessThan(x, new(Least)), Vector<float>.Zero, Near(x));

        /// <summary>exp x, and some 2e-38 in place of what is below that, which beside 1 is nothing.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector<float> Near(Vector<float> x)
        {
            // In this order a NaN stays one.
            Vector<float> bounded = Vector.MaxNative(new(Least), Vector.MinNative(new(Most), x));
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
            return (p + p) * Vector.AsVectorSingle(power);
        }
    }

    internal readonly struct Sigmoids : IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> x) => Vector<float>.One / (Vector<float>.One + Exps.Near(-x));
    }

    private readonly struct Silus : IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> x) => x / (Vector<float>.One + Exps.Near(-x));
    }

    private readonly struct Tanhs : IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> x)
        {
            // Near 0 a polynomial, where 1 - 2 / (exp 2x + 1) would lose what is small.
            Vector<float> far = Vector<float>.One - new Vector<float>(2) / (Exps.Near(x + x) + Vector<float>.One),
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
    private readonly struct Erfs : IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> x)
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
            Vector<float> rest = Vector<float>.One - Exps.Near(q);
            rest = Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), -rest, rest);
            return Vector.ConditionalSelect(Vector.GreaterThanOrEqual(size, Vector<float>.One), rest, x * p);
        }
    }

    private readonly struct Gelus : IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> x)
        {
            Vector<float> half = x * new Vector<float>(0.5f);
            return Vector.MultiplyAddEstimate(half, default(Erfs).Of(x * new Vector<float>(0.70710678f)), half);
        }
    }

    /// <summary>Beyond 10 the slopes of GELU are 0 and 1 but for 1e-20, and the powers of x in them would leave float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Bounded(Vector<float> x) => Vector.MinNative(new(10f), Vector.MaxNative(new(-10f), x));

    internal readonly struct GeluSlopes : IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> x)
        {
            x = Bounded(x);
            Vector<float> density = new Vector<float>(0.39894228f) * default(Exps).Of(x * x * new Vector<float>(-0.5f));
            Vector<float> below = (Vector<float>.One + default(Erfs).Of(x * new Vector<float>(0.70710678f))) * new Vector<float>(0.5f);
            return Vector.MultiplyAddEstimate(x, density, below);
        }
    }

    /// <summary>(1 + tanh u) / 2 = σ(2 u).</summary>
    private readonly struct GeluTanhs : IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> x)
        {
            Vector<float> inner = Vector.MultiplyAddEstimate(x * x, new(Cubic), Vector<float>.One);
            return x / (Vector<float>.One + Exps.Near(x * inner * new Vector<float>(-Twice)));
        }

        public const float Cubic = 0.044715f,
            Twice = 1.59576912f; // 2 √(2 / π)
    }

    internal readonly struct GeluTanhSlopes : IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> x)
        {
            x = Bounded(x);
            Vector<float> square = x * x * new Vector<float>(GeluTanhs.Cubic),
                // σ(-u) = exp(-u) σ(u) keeps the digits that 1 - σ(u) loses.
                small = Exps.Near(x * (square + Vector<float>.One) * new Vector<float>(-GeluTanhs.Twice)),
                gate = Vector<float>.One / (Vector<float>.One + small),
                steep = Vector.MultiplyAddEstimate(square, new(3f), Vector<float>.One) * new Vector<float>(GeluTanhs.Twice);
            return gate + x * steep * (gate * small) * gate;
        }
    }
}
