using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>The upper or lower triangle of matrices, zeros elsewhere; a second operand moves the diagonal up.</summary>
public sealed record Trilu(bool Upper = true) : MovingOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "input");
        if (x.Shape.Rank < 2)
            throw new ShapeException($"the input of shape {x.Shape} is no matrix.");
        if (inputs.Optional(1) is { Shape.ElementCount: not 1 } k)
            throw new ShapeException($"k must be a single number, not of shape {k.Shape}.");
        return [x with { Value = null }];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        inputs[0]!.CopyTo(outputs[0]);
        Clear(outputs[0].Of<T>(), inputs.Optional(1));
    }

    private void Clear<T>(Tensor<T> y, Tensor? shift)
        where T : unmanaged
    {
        long k = shift?.Integers("k")[0] ?? 0;
        (int rows, int columns) = (y.Shape[^2], y.Shape[^1]);
        for (int row = 0; row < y.Shape.ElementCountOf(0, y.Shape.Rank - 1); row++)
        {
            Span<T> line = y.Values.Slice(row * columns, columns);
            int diagonal = (int)Math.Clamp(row % rows + k + (Upper ? 0 : 1), 0, columns);
            (Upper ? line[..diagonal] : line[diagonal..]).Clear();
        }
    }

    internal override Reads? GradientReads(int input) => input == 0 ? Reads.Input(1) : null;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx)
            return;
        Tensor<T> kept = pull.Dy.Clone();
        Clear(kept, pull.Inputs.Optional(1));
        dx.Add<T>(kept.Values);
    }
}
