using System.Numerics.Tensors;

namespace Tensorial.Kernels.Blocked;

/// <summary>Activations over rows of values that are still in the first cache.</summary>
internal static class ActivationRows
{
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
                TensorPrimitives.Sigmoid(x, y);
                break;
            case ActivationKind.HardSigmoid:
                HardSigmoid(x, y, activation.Low, activation.High);
                break;
            case ActivationKind.HardSwish:
                Gate(x, y, static (values, gates) => HardSigmoid(values, gates, 1f / 6, 0.5f));
                break;
            case ActivationKind.Silu:
                Gate(x, y, static (values, gates) => TensorPrimitives.Sigmoid(values, gates));
                break;
            case ActivationKind.Tanh:
                TensorPrimitives.Tanh(x, y);
                break;
            default:
                if (!Same(x, y))
                    x.CopyTo(y);
                break;
        }
    }

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

    /// <summary>y = x · gate(x), some values at a time since y may be x.</summary>
    private static void Gate(ReadOnlySpan<float> x, Span<float> y, Action<ReadOnlySpan<float>, Span<float>> gate)
    {
        Span<float> gates = stackalloc float[256];
        for (int first = 0; first < x.Length; first += gates.Length)
        {
            int count = Math.Min(gates.Length, x.Length - first);
            gate(x.Slice(first, count), gates[..count]);
            TensorPrimitives.Multiply(x.Slice(first, count), gates[..count], y.Slice(first, count));
        }
    }

    private static bool Same(ReadOnlySpan<float> x, ReadOnlySpan<float> y) => x == y;
}
