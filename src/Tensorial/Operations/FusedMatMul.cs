using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>A matrix product with a factor, of operands that are transposed first, as ONNX Runtime joins them.</summary>
/// <param name="Alpha">The factor.</param>
/// <param name="TransposeA">Whether the last two axes of A trade places.</param>
/// <param name="TransposeB">Whether those of B do.</param>
public sealed record FusedMatMul(float Alpha = 1, bool TransposeA = false, bool TransposeB = false) : FloatOperation
{
    /// <inheritdoc/>
    public override string Name => "com.microsoft.FusedMatMul";

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo a = inputs.Floating(0, "A"),
            b = inputs.Floating(1, "B");
        return new MatMul().Infer([a with { Shape = Turned(a.Shape, TransposeA) }, b with { Shape = Turned(b.Shape, TransposeB) }]);
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        new MatMul().Forward([Turned(inputs[0]!, TransposeA), Turned(inputs[1]!, TransposeB)], outputs, workers);
        System.Numerics.Tensors.TensorPrimitives.Multiply(outputs[0].Of<T>().Values, T.CreateChecked(Alpha), outputs[0].Of<T>().Values);
    }

    internal override Reads? GradientReads(int input) => Reads.Input(1 - input);

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Tensor<T> dy = pull.Dy.Clone();
        System.Numerics.Tensors.TensorPrimitives.Multiply(dy.Values, T.CreateChecked(Alpha), dy.Values);
        bool[] turns = [TransposeA, TransposeB];
        Shape[] shapes = [Turned(pull.Shape(0), TransposeA), Turned(pull.Shape(1), TransposeB)];
        Tensor?[] inputs = new Tensor?[2],
            gradients = new Tensor?[2];
        for (int i = 0; i < 2; i++)
        {
            inputs[i] = pull.Inputs[i] is { } value ? Turned(value, turns[i]) : null;
            gradients[i] = pull.Gradient(i) is null ? null : new Tensor<T>(shapes[i]);
        }
        new MatMul().Backward(new(shapes, inputs, [null], [dy], gradients), workers);
        for (int i = 0; i < 2; i++)
            pull.Gradient(i)?.Add<T>(Turned(gradients[i]!, turns[i]).Of<T>().Values);
    }

    internal override long Macs(ReadOnlySpan<ValueInfo?> inputs, ReadOnlySpan<ValueInfo> outputs) =>
        (long)outputs[0].Shape.ElementCount * Turned(inputs[0]!.Shape, TransposeA)[^1];

    private static Shape Turned(Shape shape, bool turns) => turns && shape.Rank >= 2 ? [.. shape.SkipLast(2), shape[^1], shape[^2]] : shape;

    private static Tensor Turned(Tensor tensor, bool turns)
    {
        int rank = tensor.Shape.Rank;
        return turns && rank >= 2 ? new Transpose([.. Enumerable.Range(0, rank - 2), rank - 1, rank - 2]).Apply(tensor)[0] : tensor;
    }
}
