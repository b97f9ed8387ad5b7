using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Autodiff.Operations;

/// <summary>Y = Alpha A B + Beta C, A and B optionally transposed, C stretched to the shape of the product and optional.</summary>
public sealed record Gemm : FloatOperation
{
    public float Alpha { get; init; } = 1;

    public float Beta { get; init; } = 1;

    public bool TransposeA { get; init; }

    public bool TransposeB { get; init; }

    public override ImmutableArray<Operand> Infer(ReadOnlySpan<Operand?> inputs)
    {
        Operand a = inputs.Floating(0, "A").OfRank(2, "A"), b = inputs.Floating(1, "B").OfRank(2, "B");
        (int m, int k) = TransposeA ? (a.Shape[1], a.Shape[0]) : (a.Shape[0], a.Shape[1]);
        (int inner, int n) = TransposeB ? (b.Shape[1], b.Shape[0]) : (b.Shape[0], b.Shape[1]);
        if (k != inner) throw new ShapeException($"the inner extents differ: {k} of A ({a.Shape}) against {inner} of B ({b.Shape}).");
        Shape shape = [m, n];
        if (inputs.Optional(2) is { } c && !Broadcasting.Reaches(c.Shape, shape))
            throw new ShapeException($"C of shape {c.Shape} does not stretch to {shape}.");
        return [new(a.Type, shape)];
    }

    protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> a = inputs[0]!.Of<T>(), b = inputs[1]!.Of<T>(), y = outputs[0].Of<T>();
        Tensor<T>? c = inputs.Optional(2)?.Of<T>();
        if (c is not null) Broadcasting.Stretched(c, y.Shape).CopyTo(y.Values);
        (int rowA, int columnA) = TransposeA ? (1, a.Shape[1]) : (a.Shape[1], 1);
        (int rowB, int columnB) = TransposeB ? (1, b.Shape[1]) : (b.Shape[1], 1);
        Kernels.Gemm.Multiply(y.Shape[0], y.Shape[1], TransposeA ? a.Shape[0] : a.Shape[1], T.CreateChecked(Alpha), a.Values, rowA, columnA,
            b.Values, rowB, columnB, c is null ? T.Zero : T.CreateChecked(Beta), y.Values, y.Shape[1], workers);
    }

    public override long Macs(ReadOnlySpan<Operand?> inputs, ReadOnlySpan<Operand> outputs) =>
        (long)outputs[0].Shape.Count * inputs[0]!.Shape[TransposeA ? 0 : 1];
}
