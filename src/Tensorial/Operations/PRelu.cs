using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>x where positive, slope x elsewhere; the slope stretches to the shape of x.</summary>
public sealed record PRelu : NumberOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Numeric(0, "X"),
            slope = inputs.Numeric(1, "slope");
        Operands.SameType(x, slope);
        if (!Broadcasting.Reaches(slope.Shape, x.Shape))
            throw new ShapeException($"the slope of shape {slope.Shape} does not stretch to {x.Shape}.");
        return [x with { Value = null }];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Elementwise.Combine<T, T>(
            inputs[0]!.Of<T>(),
            inputs[1]!.Of<T>(),
            outputs[0].Of<T>(),
            static (x, slope, y) =>
            {
                for (int i = 0; i < x.Length; i++)
                    y[i] = x[i] < T.Zero ? slope[i] * x[i] : x[i];
            },
            workers
        );

    internal override Reads? GradientReads(int input) => input == 0 ? Reads.Input(0) | Reads.Input(1) : Reads.Input(0);

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        ReadOnlySpan<T> x = pull.Input(0).Values;
        Tensor<T> factors = new(pull.Dy.Shape);
        Span<T> values = factors.Values;
        if (pull.Gradient(0) is { } dx)
        {
            ReadOnlySpan<T> slope = Broadcasting.Stretched(pull.Input(1), pull.Dy.Shape);
            for (int i = 0; i < x.Length; i++)
                values[i] = x[i] > T.Zero ? T.One : slope[i];
            dx.AddProduct(pull.Dy, factors);
        }
        if (pull.Gradient(1) is { } slopes)
        {
            TensorPrimitives.Min(x, T.Zero, values);
            slopes.AddProduct(pull.Dy, factors);
        }
    }
}
