using System.Runtime.Intrinsics;
using static Tensorial.Kernels.Blocked.ActivationFunctions;

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
                VectorMap.Of(default(Relu), x, y);
                break;
            case ActivationKind.Clip:
                VectorMap.Of(new Clip(activation.Low, activation.High), x, y);
                break;
            case ActivationKind.LeakyRelu:
                VectorMap.Of(new Leak(activation.Low), x, y);
                break;
            case ActivationKind.Sigmoid:
                Exponential.Sigmoid(x, y);
                break;
            case ActivationKind.HardSigmoid:
                VectorMap.Of(new HardSigmoid(activation.Low, activation.High), x, y);
                break;
            case ActivationKind.HardSwish:
                VectorMap.Of(default(HardSwish), x, y);
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
        kind is ActivationKind.Sigmoid or ActivationKind.Silu or ActivationKind.Tanh or ActivationKind.Gelu or ActivationKind.GeluTanh;

    private static bool Same(ReadOnlySpan<float> x, ReadOnlySpan<float> y) => x == y;

    /// <summary>dx = dy · f'; dx may be dy.</summary>
    /// <param name="activation">f.</param>
    /// <param name="fromResult">Whether <paramref name="at"/> holds f(x), or x.</param>
    /// <param name="at">Where the derivative is taken.</param>
    /// <param name="dy">The gradient of the result.</param>
    /// <param name="dx">That of x.</param>
    /// <exception cref="ArgumentException">The derivative is not known from what <paramref name="at"/> holds.</exception>
    public static void Chain(this Activation activation, bool fromResult, ReadOnlySpan<float> at, ReadOnlySpan<float> dy, Span<float> dx)
    {
        switch (activation.Kind)
        {
            case ActivationKind.Relu:
                VectorMap.Of(default(LeakSlope), at, dy, dx);
                break;
            case ActivationKind.LeakyRelu:
                VectorMap.Of(new LeakSlope(activation.Low), at, dy, dx);
                break;
            case ActivationKind.Clip:
                VectorMap.Of(new ClipSlope(activation.Low, activation.High), at, dy, dx);
                break;
            case ActivationKind.HardSigmoid when fromResult:
                VectorMap.Of(new ClipSlope(0, 1, activation.Low), at, dy, dx);
                break;
            case ActivationKind.Sigmoid when fromResult:
                VectorMap.Of(default(SigmoidSlope), at, dy, dx);
                break;
            case ActivationKind.Tanh when fromResult:
                VectorMap.Of(default(TanhSlope), at, dy, dx);
                break;
            case ActivationKind.HardSwish when !fromResult:
                VectorMap.Of(default(HardSwishSlope), at, dy, dx);
                break;
            case ActivationKind.Silu when !fromResult:
                VectorMap.Of(default(SiluSlope), at, dy, dx);
                break;
            case ActivationKind.Gelu when !fromResult:
                VectorMap.Of(default(Times<Exponential.GeluSlopes>), at, dy, dx);
                break;
            case ActivationKind.GeluTanh when !fromResult:
                VectorMap.Of(default(Times<Exponential.GeluTanhSlopes>), at, dy, dx);
                break;
            default:
                throw new ArgumentException($"The slope of {activation.Kind} is not known {(fromResult ? "from its result" : "here")}.");
        }
    }
}
