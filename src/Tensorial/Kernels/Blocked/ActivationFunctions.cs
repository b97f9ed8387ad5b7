using System.Numerics;
using System.Runtime.CompilerServices;

namespace Tensorial.Kernels.Blocked;

/// <summary>Activations that are made of bounds, and what their gradients do to a gradient, in vectors.</summary>
/// <remarks>In the order in which bounds are compared here, a NaN stays one.</remarks>
internal static class ActivationFunctions
{
    /// <summary>min(max(x, low), high).</summary>
    public readonly struct Clip(float low, float high) : IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> x) => Vector.MinNative(new(high), Vector.MaxNative(new(low), x));
    }

    /// <summary>max(x, 0).</summary>
    public readonly struct Relu : IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> x) => Vector.MaxNative(Vector<float>.Zero, x);
    }

    /// <summary>x above 0, slope · x elsewhere.</summary>
    public readonly struct Leak(float slope) : IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> x) =>
            Vector.ConditionalSelect(Vector.GreaterThan(x, Vector<float>.Zero), x, x * new Vector<float>(slope));
    }

    /// <summary>min(max(α x + β, 0), 1).</summary>
    public readonly struct HardSigmoid(float alpha, float beta) : IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> x) =>
            Vector.MinNative(
                Vector<float>.One,
                Vector.MaxNative(Vector<float>.Zero, x * new Vector<float>(alpha) + new Vector<float>(beta))
            );
    }

    /// <summary>x · min(max(x / 6 + 1/2, 0), 1).</summary>
    public readonly struct HardSwish : IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> x) => x * new HardSigmoid(1f / 6, 0.5f).Of(x);
    }

    /// <summary>dy where x, or the result, is above 0, slope · dy elsewhere.</summary>
    public readonly struct LeakSlope(float slope) : IVectorFunction2
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> at, Vector<float> dy) =>
            Vector.ConditionalSelect(Vector.GreaterThan(at, Vector<float>.Zero), dy, dy * new Vector<float>(slope));
    }

    /// <summary>slope · dy where x, or the result, is between the bounds, and not at them; 0 elsewhere.</summary>
    public readonly struct ClipSlope(float low, float high, float slope = 1) : IVectorFunction2
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> at, Vector<float> dy) =>
            Vector.ConditionalSelect(
                Vector.GreaterThan(at, new(low)) & Vector.LessThan(at, new(high)),
                dy * new Vector<float>(slope),
                Vector<float>.Zero
            );
    }

    /// <summary>dy · y (1 - y), y = σ(x).</summary>
    public readonly struct SigmoidSlope : IVectorFunction2
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> y, Vector<float> dy) => dy * (y * (Vector<float>.One - y));
    }

    /// <summary>dy · (1 - y²), y = tanh x.</summary>
    public readonly struct TanhSlope : IVectorFunction2
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> y, Vector<float> dy) => dy * (Vector<float>.One - y * y);
    }

    /// <summary>dy times 0 up to -3, 1 from 3 on, x / 3 + 1/2 between.</summary>
    public readonly struct HardSwishSlope : IVectorFunction2
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> x, Vector<float> dy)
        {
            Vector<float> between = x * new Vector<float>(1f / 3) + new Vector<float>(0.5f),
                above = Vector.ConditionalSelect(Vector.GreaterThanOrEqual(x, new(3f)), Vector<float>.One, between);
            return dy * Vector.ConditionalSelect(Vector.LessThanOrEqual(x, new(-3f)), Vector<float>.Zero, above);
        }
    }

    /// <summary>dy · σ (1 + x (1 - σ)), σ that of x.</summary>
    public readonly struct SiluSlope : IVectorFunction2
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> x, Vector<float> dy)
        {
            Vector<float> gate = default(Exponential.Sigmoids).Of(x);
            return dy * (gate * (Vector<float>.One + x * (Vector<float>.One - gate)));
        }
    }

    /// <summary>dy · f'(x).</summary>
    /// <typeparam name="TSlope">f'.</typeparam>
    public readonly struct Times<TSlope> : IVectorFunction2
        where TSlope : struct, IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<float> Of(Vector<float> x, Vector<float> dy) => dy * default(TSlope).Of(x);
    }
}
