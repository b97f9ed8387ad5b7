using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>A normalisation of the values along one axis, or along an axis and all behind it together.</summary>
/// <param name="Axis">The axis, counted from the end when negative.</param>
/// <param name="Flattened">Whether the axes from <paramref name="Axis"/> on count as one, as ONNX had it before opset 13.</param>
public abstract record SoftmaxLike(int Axis, bool Flattened) : FloatOperation
{
    internal sealed override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Floating(0, "input");
        _ = Layout(x.Shape);
        return [x with { Value = null }];
    }

    private protected sealed override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            y = outputs[0].Of<T>();
        (int outer, int length, int inner) = Layout(x.Shape);
        if (x.Shape.ElementCount == 0)
            return;
        if (inner == 1)
        {
            int some = Math.Max(1, PartLength / length);
            workers.For(
                (outer + some - 1) / some,
                part =>
                {
                    int start = part * some * length,
                        count = Math.Min(some, outer - part * some) * length;
                    Over<T>(x.Values.Slice(start, count), y.Values.Slice(start, count), length);
                }
            );
            return;
        }
        workers.For(
            outer * inner,
            line =>
            {
                int start = line / inner * length * inner + line % inner;
                T[] values = new T[length];
                for (int i = 0; i < length; i++)
                    values[i] = x.Values[start + i * inner];
                Over<T>(values, values);
                for (int i = 0; i < length; i++)
                    y.Values[start + i * inner] = values[i];
            }
        );
    }

    /// <summary>Values that are worth a part of their own.</summary>
    private const int PartLength = 1 << 12;

    /// <summary>The function over lines of a length.</summary>
    private protected virtual void Over<T>(ReadOnlySpan<T> x, Span<T> y, int length)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int start = 0; start < x.Length; start += length)
            Over(x.Slice(start, length), y.Slice(start, length));
    }

    /// <summary>The function over the values of one line; <paramref name="y"/> may be <paramref name="x"/>.</summary>
    private protected abstract void Over<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;

    internal sealed override Reads? GradientReads(int input) => BackReads;

    private protected sealed override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Tensor<T> at = BackReads.IncludesInput(0) ? pull.Input(0) : pull.Output(),
            dy = pull.Dy;
        (int outer, int length, int inner) = Layout(dy.Shape);
        if (dy.Shape.ElementCount == 0 || pull.Gradient(0) is not { } dx)
            return;
        workers.For(
            outer * inner,
            line =>
            {
                int start = line / inner * length * inner + line % inner;
                T[] values = new T[length],
                    upstream = new T[length];
                for (int i = 0; i < length; i++)
                    (values[i], upstream[i]) = (at.Values[start + i * inner], dy.Values[start + i * inner]);
                Back<T>(values, upstream);
                for (int i = 0; i < length; i++)
                    dx.Values[start + i * inner] += upstream[i];
            }
        );
    }

    /// <summary>Whether <see cref="Back"/> is given x, or y.</summary>
    private protected virtual Reads BackReads => Reads.Output();

    /// <summary>The gradient over one line, in place of dy.</summary>
    private protected abstract void Back<T>(ReadOnlySpan<T> at, Span<T> dy)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;

    private (int Outer, int Length, int Inner) Layout(Shape shape)
    {
        if (shape.Rank == 0)
            return (1, 1, 1);
        int axis = Flattened && Axis == shape.Rank ? shape.Rank : Operands.Axis(Axis, shape.Rank);
        return Flattened
            ? (shape.ElementCountOf(0, axis), shape.ElementCountOf(axis, shape.Rank), 1)
            : (shape.ElementCountOf(0, axis), shape[axis], shape.ElementCountOf(axis + 1, shape.Rank));
    }
}

/// <summary>exp xᵢ / Σ exp xⱼ, shifted by the largest value so that nothing overflows</summary>
public sealed record Softmax(int Axis = -1, bool Flattened = false) : SoftmaxLike(Axis, Flattened)
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => Over(x, y, x.Length);

    /// <summary>Exponentials of all lines at once, so that short lines fill vectors too.</summary>
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y, int length)
    {
        for (int start = 0; start < x.Length; start += length)
        {
            ReadOnlySpan<T> line = x.Slice(start, length);
            Span<T> shifted = y.Slice(start, length);
            if (length < ShortLine)
            {
                T largest = line[0];
                foreach (T value in line)
                    largest = T.Max(largest, value);
                for (int i = 0; i < line.Length; i++)
                    shifted[i] = line[i] - largest;
            }
            else
                TensorPrimitives.Subtract(line, TensorPrimitives.Max(line), shifted);
        }
        Kernels.Exponential.Exp<T>(y, y);
        for (int start = 0; start < x.Length; start += length)
        {
            Span<T> line = y.Slice(start, length);
            if (length < ShortLine)
            {
                T sum = T.Zero;
                foreach (T value in line)
                    sum += value;
                for (int i = 0; i < line.Length; i++)
                    line[i] /= sum;
            }
            else
                TensorPrimitives.Divide(line, TensorPrimitives.Sum<T>(line), line);
        }
    }

    /// <summary>Below this a line is gone through number by number.</summary>
    private const int ShortLine = 16;

    /// <summary>y (dy - Σ y dy)</summary>
    private protected override void Back<T>(ReadOnlySpan<T> at, Span<T> dy)
    {
        TensorPrimitives.Subtract(dy, TensorPrimitives.Dot(at, dy), dy);
        TensorPrimitives.Multiply(dy, at, dy);
    }
}

/// <summary>xᵢ - log Σ exp xⱼ</summary>
public sealed record LogSoftmax(int Axis = -1, bool Flattened = false) : SoftmaxLike(Axis, Flattened)
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        TensorPrimitives.Subtract(x, TensorPrimitives.Max(x), y);
        T sum = T.Zero;
        foreach (T value in y)
            sum += T.Exp(value);
        TensorPrimitives.Subtract(y, T.Log(sum), y);
    }

    /// <summary>dy - exp(y) Σ dy</summary>
    private protected override void Back<T>(ReadOnlySpan<T> at, Span<T> dy)
    {
        T sum = TensorPrimitives.Sum<T>(dy);
        for (int i = 0; i < dy.Length; i++)
            dy[i] -= T.Exp(at[i]) * sum;
    }
}

/// <summary>1 at the first of the largest values, 0 elsewhere</summary>
public sealed record Hardmax(int Axis = -1, bool Flattened = false) : SoftmaxLike(Axis, Flattened)
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        int largest = TensorPrimitives.IndexOfMax(x);
        y.Clear();
        y[largest] = T.One;
    }

    private protected override void Back<T>(ReadOnlySpan<T> at, Span<T> dy) => dy.Clear();
}

/// <summary>x / ‖x‖, the norm being the sum of magnitudes (P = 1) or the Euclidean one (P = 2); zeros stay zeros</summary>
public sealed record LpNormalization(int Axis = -1, int P = 2) : SoftmaxLike(Axis, false)
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        T norm = P == 1 ? TensorPrimitives.SumOfMagnitudes(x) : TensorPrimitives.Norm(x);
        TensorPrimitives.Divide(x, T.IsZero(norm) ? T.One : norm, y);
    }

    private protected override Reads BackReads => Reads.Input(0);

    /// <summary>(dy - (y·dy) ∂‖x‖/∂x) / ‖x‖</summary>
    private protected override void Back<T>(ReadOnlySpan<T> at, Span<T> dy)
    {
        T norm = P == 1 ? TensorPrimitives.SumOfMagnitudes(at) : TensorPrimitives.Norm(at);
        if (T.IsZero(norm))
            return;
        T along = TensorPrimitives.Dot(at, dy) / norm;
        for (int i = 0; i < dy.Length; i++)
            dy[i] = (dy[i] - along * (P == 1 ? T.CreateChecked(T.Sign(at[i])) : at[i] / norm)) / norm;
    }
}
