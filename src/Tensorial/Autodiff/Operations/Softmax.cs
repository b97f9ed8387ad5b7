using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Autodiff.Operations;

/// <summary>A normalisation of the values along one axis, or along an axis and all behind it together.</summary>
/// <param name="Axis">The axis, counted from the end when negative.</param>
/// <param name="Flattened">Whether the axes from <paramref name="Axis"/> on count as one, as ONNX had it before opset 13.</param>
public abstract record SoftmaxLike(int Axis, bool Flattened) : FloatOperation
{
    public sealed override ImmutableArray<Operand> Infer(ReadOnlySpan<Operand?> inputs)
    {
        Operand x = inputs.Floating(0, "input");
        _ = Layout(x.Shape);
        return [x with { Value = null }];
    }

    protected sealed override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(), y = outputs[0].Of<T>();
        (int outer, int length, int inner) = Layout(x.Shape);
        if (x.Shape.Count == 0) return;
        workers.For(outer * inner, line =>
        {
            int start = line / inner * length * inner + line % inner;
            if (inner == 1)
            {
                Over<T>(x.Values.Slice(start, length), y.Values.Slice(start, length));
                return;
            }
            T[] values = new T[length];
            for (int i = 0; i < length; i++) values[i] = x.Values[start + i * inner];
            Over<T>(values, values);
            for (int i = 0; i < length; i++) y.Values[start + i * inner] = values[i];
        });
    }

    /// <summary>The function over the values of one line; <paramref name="y"/> may be <paramref name="x"/>.</summary>
    protected abstract void Over<T>(ReadOnlySpan<T> x, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>;

    private (int Outer, int Length, int Inner) Layout(Shape shape)
    {
        if (shape.Rank == 0) return (1, 1, 1);
        int axis = Flattened && Axis == shape.Rank ? shape.Rank : Operands.Axis(Axis, shape.Rank);
        return Flattened
            ? (shape.CountOf(0, axis), shape.CountOf(axis, shape.Rank), 1)
            : (shape.CountOf(0, axis), shape[axis], shape.CountOf(axis + 1, shape.Rank));
    }
}

/// <summary>exp xᵢ / Σ exp xⱼ, shifted by the largest value so that nothing overflows</summary>
public sealed record Softmax(int Axis = -1, bool Flattened = false) : SoftmaxLike(Axis, Flattened)
{
    protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        TensorPrimitives.Subtract(x, TensorPrimitives.Max(x), y);
        TensorPrimitives.Exp(y, y);
        TensorPrimitives.Divide(y, TensorPrimitives.Sum<T>(y), y);
    }
}

/// <summary>xᵢ - log Σ exp xⱼ</summary>
public sealed record LogSoftmax(int Axis = -1, bool Flattened = false) : SoftmaxLike(Axis, Flattened)
{
    protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        TensorPrimitives.Subtract(x, TensorPrimitives.Max(x), y);
        T sum = T.Zero;
        foreach (T value in y) sum += T.Exp(value);
        TensorPrimitives.Subtract(y, T.Log(sum), y);
    }
}

/// <summary>1 at the first of the largest values, 0 elsewhere</summary>
public sealed record Hardmax(int Axis = -1, bool Flattened = false) : SoftmaxLike(Axis, Flattened)
{
    protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        int largest = TensorPrimitives.IndexOfMax(x);
        y.Clear();
        y[largest] = T.One;
    }
}

/// <summary>x / ‖x‖, the norm being the sum of magnitudes (P = 1) or the Euclidean one (P = 2); zeros stay zeros</summary>
public sealed record LpNormalization(int Axis = -1, int P = 2) : SoftmaxLike(Axis, false)
{
    protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        T norm = P == 1 ? TensorPrimitives.SumOfMagnitudes(x) : TensorPrimitives.Norm(x);
        TensorPrimitives.Divide(x, T.IsZero(norm) ? T.One : norm, y);
    }
}
