using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// Local response normalisation (Krizhevsky et al. 2012): x / (Bias + Alpha / Size · Σ x²)^Beta, the sum running over Size channels
/// around each, (Size - 1) / 2 of them before it.
/// </summary>
public sealed record Lrn(int Size) : FloatOperation
{
    /// <inheritdoc/>
    public override string Name => "LRN";

    /// <summary>Factor of the mean square.</summary>
    public float Alpha { get; init; } = 1e-4f;

    /// <summary>Exponent.</summary>
    public float Beta { get; init; } = 0.75f;

    /// <summary>Added to the scaled mean square.</summary>
    public float Bias { get; init; } = 1;

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Floating(0, "X");
        if (x.Shape.Rank < 2)
            throw new ShapeException($"the input needs batch and channels, not the shape {x.Shape}.");
        if (Size < 1)
            throw new BadInputException($"size must be at least 1, not {Size}.");
        return [x with { Value = null }];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            y = outputs[0].Of<T>();
        int channels = x.Shape[1],
            size = x.Shape.ElementCountOf(2, x.Shape.Rank),
            before = (Size - 1) / 2;
        workers.For(
            x.Shape[0] * channels,
            plane =>
            {
                int channel = plane % channels,
                    first = Math.Max(0, channel - before);
                long past = Math.Min(channels, (long)channel - before + Size);
                Span<T> target = y.Values.Slice(plane * size, size);
                target.Clear();
                for (int other = first; other < past; other++)
                {
                    ReadOnlySpan<T> values = x.Values.Slice((plane - channel + other) * size, size);
                    TensorPrimitives.MultiplyAdd(values, values, target, target);
                }
                TensorPrimitives.Multiply(target, T.CreateChecked(Alpha) / T.CreateChecked(Size), target);
                TensorPrimitives.Add(target, T.CreateChecked(Bias), target);
                TensorPrimitives.Pow(target, -T.CreateChecked(Beta), target);
                TensorPrimitives.Multiply(target, x.Values.Slice(plane * size, size), target);
            }
        );
    }

    internal override Reads? GradientReads(int input) => Reads.Input(0);

    /// <summary>
    /// dx = dy s^-β - (2αβ / n) x Σ dy x s^(-β-1), s being the bracket and the sum running over the channels whose sum holds x².
    /// </summary>
    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx)
            return;
        Tensor<T> x = pull.Input(0),
            dy = pull.Dy;
        int channels = x.Shape[1],
            size = x.Shape.ElementCountOf(2, x.Shape.Rank),
            before = (Size - 1) / 2;
        T alpha = T.CreateChecked(Alpha) / T.CreateChecked(Size),
            beta = T.CreateChecked(Beta),
            bias = T.CreateChecked(Bias);
        workers.For(
            x.Shape[0] * size,
            place =>
            {
                int start = place / size * channels * size + place % size;
                T[] shares = new T[channels];
                for (int c = 0; c < channels; c++)
                {
                    T squares = T.Zero;
                    for (int other = Math.Max(0, c - before); other < Math.Min(channels, (long)c - before + Size); other++)
                        squares += x.Values[start + other * size] * x.Values[start + other * size];
                    T bracket = bias + alpha * squares,
                        own = dy.Values[start + c * size] * T.Pow(bracket, -beta);
                    dx.Values[start + c * size] += own;
                    shares[c] = own * x.Values[start + c * size] / bracket;
                }
                T factor = -(alpha + alpha) * beta;
                for (int c = 0; c < channels; c++)
                for (int other = Math.Max(0, c - before); other < Math.Min(channels, (long)c - before + Size); other++)
                    dx.Values[start + other * size] += factor * x.Values[start + other * size] * shares[c];
            }
        );
    }
}
