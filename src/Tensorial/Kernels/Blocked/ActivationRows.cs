using System.Numerics.Tensors;
using System.Runtime.Intrinsics;

namespace Tensorial.Kernels.Blocked;

/// <summary>Activations over rows of values that are still in the first cache.</summary>
internal static class ActivationRows
{
    private const int Lanes = BlockedLayout.ChannelBlock,
        Some = 256;

    /// <summary>y = f(x); x and y are the same row or do not overlap.</summary>
    public static void Apply(this Activation activation, ReadOnlySpan<float> x, Span<float> y)
    {
        switch (activation.Kind)
        {
            case ActivationKind.Relu:
                TensorPrimitives.Max(x, 0f, y);
                break;
            case ActivationKind.Clip:
                TensorPrimitives.Max(x, activation.Low, y);
                TensorPrimitives.Min(y, activation.High, y);
                break;
            case ActivationKind.LeakyRelu:
                Leak(x, y, activation.Low);
                break;
            case ActivationKind.Sigmoid:
                Exponential.Sigmoid(x, y);
                break;
            case ActivationKind.HardSigmoid:
                HardSigmoid(x, y, activation.Low, activation.High);
                break;
            case ActivationKind.HardSwish:
                HardSwish(x, y);
                break;
            case ActivationKind.Silu:
                Exponential.Silu(x, y);
                break;
            case ActivationKind.Tanh:
                Exponential.Tanh(x, y);
                break;
            case ActivationKind.Gelu:
                Exponential.Gelu(x, y);
                break;
            case ActivationKind.GeluTanh:
                Exponential.GeluTanh(x, y);
                break;
            case ActivationKind.Grid:
                Rounding.ToGrid(x, y, activation.Scale, activation.Low, activation.High);
                break;
            default:
                if (!Same(x, y))
                    x.CopyTo(y);
                break;
        }
    }

    /// <summary>
    /// y = f(x) in the first lanes of each pixel of a blocked row. Exponentials of lanes that hold no channel are left out where they are half of
    /// them or more.
    /// </summary>
    /// <param name="activation">f.</param>
    /// <param name="x">A row of pixels.</param>
    /// <param name="y">The same row, or one that does not overlap.</param>
    /// <param name="used">Lanes that hold channels; more than there are count as all.</param>
    public static void ApplyLanes(this Activation activation, ReadOnlySpan<float> x, Span<float> y, int used)
    {
        if (used > Lanes / 2 || !IsCostly(activation.Kind))
        {
            activation.Apply(x, y);
            return;
        }
        int kept = used > Vector128<float>.Count ? Vector256<float>.Count : Vector128<float>.Count,
            most = Some / kept;
        Span<float> some = stackalloc float[Some];
        for (int first = 0, pixels = x.Length / Lanes; first < pixels; first += most)
        {
            int count = Math.Min(most, pixels - first);
            for (int k = 0; k < count; k++)
                Move(x[((first + k) * Lanes)..], some[(k * kept)..], kept);
            activation.Apply(some[..(count * kept)], some[..(count * kept)]);
            for (int k = 0; k < count; k++)
                Move(some[(k * kept)..], y[((first + k) * Lanes)..], kept);
        }

        static void Move(ReadOnlySpan<float> from, Span<float> to, int count)
        {
            if (count == Vector128<float>.Count)
                Vector128.Create(from).CopyTo(to);
            else
                Vector256.Create(from).CopyTo(to);
        }
    }

    /// <summary>Whether a function is made of exponentials.</summary>
    private static bool IsCostly(ActivationKind kind) =>
        kind
            is ActivationKind.Sigmoid
                or ActivationKind.Silu
                or ActivationKind.Tanh
                or ActivationKind.Gelu
                or ActivationKind.GeluTanh;

    /// <summary>y = max(x, 0) + slope · min(x, 0).</summary>
    private static void Leak(ReadOnlySpan<float> x, Span<float> y, float slope)
    {
        Span<float> negative = stackalloc float[256];
        for (int first = 0; first < x.Length; first += negative.Length)
        {
            int count = Math.Min(negative.Length, x.Length - first);
            TensorPrimitives.Min(x.Slice(first, count), 0f, negative);
            TensorPrimitives.Max(x.Slice(first, count), 0f, y.Slice(first, count));
            TensorPrimitives.MultiplyAdd(negative[..count], slope, y.Slice(first, count), y.Slice(first, count));
        }
    }

    private static void HardSigmoid(ReadOnlySpan<float> x, Span<float> y, float alpha, float beta)
    {
        TensorPrimitives.Multiply(x, alpha, y);
        TensorPrimitives.Add(y, beta, y);
        TensorPrimitives.Max(y, 0f, y);
        TensorPrimitives.Min(y, 1f, y);
    }

    /// <summary>y = x · min(max(x / 6 + 1/2, 0), 1), some values at a time since y may be x.</summary>
    private static void HardSwish(ReadOnlySpan<float> x, Span<float> y)
    {
        Span<float> gates = stackalloc float[256];
        for (int first = 0; first < x.Length; first += gates.Length)
        {
            int count = Math.Min(gates.Length, x.Length - first);
            HardSigmoid(x.Slice(first, count), gates[..count], 1f / 6, 0.5f);
            TensorPrimitives.Multiply(x.Slice(first, count), gates[..count], y.Slice(first, count));
        }
    }

    private static bool Same(ReadOnlySpan<float> x, ReadOnlySpan<float> y) => x == y;

    /// <summary>dx = dy · f', some values at a time since dx may be dy.</summary>
    /// <param name="activation">f.</param>
    /// <param name="fromResult">Whether <paramref name="at"/> holds f(x), or x.</param>
    public static void Chain(this Activation activation, bool fromResult, ReadOnlySpan<float> at, ReadOnlySpan<float> dy, Span<float> dx)
    {
        Span<float> slopes = stackalloc float[256];
        for (int first = 0; first < at.Length; first += slopes.Length)
        {
            int count = Math.Min(slopes.Length, at.Length - first);
            activation.Slopes(fromResult, at.Slice(first, count), slopes[..count]);
            TensorPrimitives.Multiply(dy.Slice(first, count), slopes[..count], dx.Slice(first, count));
        }
    }

    private static void Slopes(this Activation activation, bool fromResult, ReadOnlySpan<float> at, Span<float> slopes)
    {
        switch (activation.Kind)
        {
            case ActivationKind.Relu or ActivationKind.LeakyRelu:
                float below = activation.Kind == ActivationKind.Relu ? 0 : activation.Low;
                for (int i = 0; i < at.Length; i++)
                    slopes[i] = at[i] > 0 ? 1 : below;
                break;
            case ActivationKind.Clip:
                for (int i = 0; i < at.Length; i++)
                    slopes[i] = at[i] > activation.Low && at[i] < activation.High ? 1 : 0;
                break;
            case ActivationKind.HardSigmoid when fromResult:
                for (int i = 0; i < at.Length; i++)
                    slopes[i] = at[i] > 0 && at[i] < 1 ? activation.Low : 0;
                break;
            case ActivationKind.Sigmoid when fromResult:
                for (int i = 0; i < at.Length; i++)
                    slopes[i] = at[i] * (1 - at[i]);
                break;
            case ActivationKind.Tanh when fromResult:
                for (int i = 0; i < at.Length; i++)
                    slopes[i] = 1 - at[i] * at[i];
                break;
            case ActivationKind.HardSwish when !fromResult:
                for (int i = 0; i < at.Length; i++)
                    slopes[i] =
                        at[i] <= -3 ? 0
                        : at[i] >= 3 ? 1
                        : at[i] * (1f / 3) + 0.5f;
                break;
            case ActivationKind.Silu when !fromResult:
                // σ(x) (1 + x (1 - σ(x))).
                Exponential.Sigmoid(at, slopes);
                for (int i = 0; i < at.Length; i++)
                    slopes[i] *= 1 + at[i] * (1 - slopes[i]);
                break;
            case ActivationKind.Gelu when !fromResult:
                Exponential.GeluSlope(at, slopes);
                break;
            case ActivationKind.GeluTanh when !fromResult:
                Exponential.GeluTanhSlope(at, slopes);
                break;
            default:
                throw new ArgumentException($"The slope of {activation.Kind} is not known {(fromResult ? "from its result" : "here")}.");
        }
    }
}
