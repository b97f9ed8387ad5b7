using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Autodiff.Operations;

/// <summary>
/// The matrix product of the last two axes; axes before them are batches and stretch. A vector stands for a row on the left, a column on
/// the right.
/// </summary>
public sealed record MatMul : FloatOperation
{
    public override ImmutableArray<Operand> Infer(ReadOnlySpan<Operand?> inputs)
    {
        Operand a = inputs.Floating(0, "A"), b = inputs.Floating(1, "B");
        (Shape left, Shape right) = (AsMatrix(a.Shape, 0), AsMatrix(b.Shape, 1));
        if (left[^1] != right[^2])
            throw new ShapeException($"the inner extents differ: {left[^1]} of A ({a.Shape}) against {right[^2]} of B ({b.Shape}).");
        Shape batch = Broadcasting.Join(Shape.Of(left.Extents[..^2]), Shape.Of(right.Extents[..^2]));
        int[] rows = a.Shape.Rank > 1 ? [left[^2]] : [], columns = b.Shape.Rank > 1 ? [right[^1]] : [];
        return [new(a.Type, [.. batch, .. rows, .. columns])];
    }

    protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> a = inputs[0]!.Of<T>(), b = inputs[1]!.Of<T>(), y = outputs[0].Of<T>();
        (Shape left, Shape right) = (AsMatrix(a.Shape, 0), AsMatrix(b.Shape, 1));
        int m = left[^2], k = left[^1], n = right[^1];
        Shape aBatch = Shape.Of(left.Extents[..^2]), bBatch = Shape.Of(right.Extents[..^2]), batch = Broadcasting.Join(aBatch, bBatch);
        // One matrix on the right for all batches: the batches are so many more rows.
        if (bBatch.Count == 1 && aBatch.Count > 1) (m, aBatch, batch) = (m * aBatch.Count, [], []);
        Broadcasting.Plan plan = new(aBatch, bBatch, batch);
        for (int run = 0; run < plan.Runs; run++)
        {
            (int start, int x, int z) = plan[run];
            for (int i = 0; i < plan.Length; i++)
            {
                ReadOnlySpan<T> one = a.Values[((x + (plan.XMoves ? i : 0)) * m * k)..], other = b.Values[((z + (plan.YMoves ? i : 0)) * k * n)..];
                Span<T> product = y.Values.Slice((start + i) * m * n, m * n);
                Kernels.Gemm.Multiply(m, n, k, T.One, one, k, 1, other, n, 1, T.Zero, product, n, workers);
            }
        }
    }

    public override Reads? GradientReads(int input) => Reads.Input(1 - input);

    /// <summary>dA = dY Bᵀ, dB = Aᵀ dY for every pair of matrices; a matrix that stood against several sums over them.</summary>
    protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Tensor<T>? da = pull.Gradient(0), db = pull.Gradient(1);
        (Shape left, Shape right) = (AsMatrix(pull.Shape(0), 0), AsMatrix(pull.Shape(1), 1));
        int m = left[^2], k = left[^1], n = right[^1];
        Shape aBatch = Shape.Of(left.Extents[..^2]), bBatch = Shape.Of(right.Extents[..^2]), batch = Broadcasting.Join(aBatch, bBatch);
        if (bBatch.Count == 1 && aBatch.Count > 1) (m, aBatch, batch) = (m * aBatch.Count, [], []);
        Broadcasting.Plan plan = new(aBatch, bBatch, batch);
        for (int run = 0; run < plan.Runs; run++)
        {
            (int start, int x, int z) = plan[run];
            for (int i = 0; i < plan.Length; i++)
            {
                int a = (x + (plan.XMoves ? i : 0)) * m * k, b = (z + (plan.YMoves ? i : 0)) * k * n;
                ReadOnlySpan<T> dy = pull.Dy.Values.Slice((start + i) * m * n, m * n);
                if (da is not null) Kernels.Gemm.Multiply(m, k, n, T.One, dy, n, 1, pull.Input(1).Values[b..], 1, n, T.One, da.Values[a..], k, workers);
                if (db is not null) Kernels.Gemm.Multiply(k, n, m, T.One, pull.Input(0).Values[a..], 1, k, dy, n, 1, T.One, db.Values[b..], n, workers);
            }
        }
    }

    public override long Macs(ReadOnlySpan<Operand?> inputs, ReadOnlySpan<Operand> outputs) =>
        (long)outputs[0].Shape.Count * inputs[0]!.Shape[^1];

    /// <summary>A vector as a row (side 0) or a column (side 1); anything else as it is.</summary>
    private static Shape AsMatrix(Shape shape, int side) => shape.Rank switch
    {
        0 => throw new ShapeException("a scalar is no matrix."),
        1 => side == 0 ? [1, shape[0]] : [shape[0], 1],
        _ => shape,
    };
}
