using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// The matrix product of the last two axes; axes before them are batches and stretch. A vector stands for a row on the left, a column on
/// the right.
/// </summary>
public sealed record MatMul : FloatOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo a = inputs.Floating(0, "A"),
            b = inputs.Floating(1, "B");
        (Shape left, Shape right) = (AsMatrix(a.Shape, 0), AsMatrix(b.Shape, 1));
        if (left[^1] != right[^2])
            throw new ShapeException($"the inner extents differ: {left[^1]} of A ({a.Shape}) against {right[^2]} of B ({b.Shape}).");
        Shape batch = Broadcasting.Join(Shape.From(left.Extents[..^2]), Shape.From(right.Extents[..^2]));
        int[] rows = a.Shape.Rank > 1 ? [left[^2]] : [],
            columns = b.Shape.Rank > 1 ? [right[^1]] : [];
        return [new(a.Type, [.. batch, .. rows, .. columns])];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> a = inputs[0]!.Of<T>(),
            b = inputs[1]!.Of<T>(),
            y = outputs[0].Of<T>();
        Products products = Products.From(a.Shape, b.Shape);
        (int m, int k, int n) = products.Extents;
        foreach ((int left, int right, int product) in products.Places())
            Kernels.MatrixProduct.Multiply(
                m,
                n,
                k,
                T.One,
                a.Values[left..],
                k,
                1,
                b.Values[right..],
                n,
                1,
                T.Zero,
                y.Values[product..],
                n,
                workers
            );
    }

    internal override Reads? GradientReads(int input) => Reads.Input(1 - input);

    /// <summary>dA = dY Bᵀ, dB = Aᵀ dY for every pair of matrices; a matrix that stood against several sums over them.</summary>
    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Tensor<T>? da = pull.Gradient(0),
            db = pull.Gradient(1);
        Products products = Products.From(pull.Shape(0), pull.Shape(1));
        (int m, int k, int n) = products.Extents;
        foreach ((int left, int right, int product) in products.Places())
        {
            ReadOnlySpan<T> dy = pull.Dy.Values[product..];
            if (da is not null)
                Kernels.MatrixProduct.Multiply(
                    m,
                    k,
                    n,
                    T.One,
                    dy,
                    n,
                    1,
                    pull.Input(1).Values[right..],
                    1,
                    n,
                    T.One,
                    da.Values[left..],
                    k,
                    workers
                );
            if (db is not null)
                Kernels.MatrixProduct.Multiply(
                    k,
                    n,
                    m,
                    T.One,
                    pull.Input(0).Values[left..],
                    1,
                    k,
                    dy,
                    n,
                    1,
                    T.One,
                    db.Values[right..],
                    n,
                    workers
                );
        }
    }

    private protected override Equations.Plan? PlanOf(ReadOnlySpan<Shape> inputs)
    {
        const char batch = Equations.Equation.Ellipsis;
        (bool isRow, bool isColumn) = (inputs[0].Rank == 1, inputs[1].Rank == 1);
        return Equations.Plan.Create(
            new(
                [isRow ? "i" : $"{batch}ni", isColumn ? "i" : $"{batch}io"],
                $"{(isRow && isColumn ? "" : batch)}{(isRow ? "" : "n")}{(isColumn ? "" : "o")}"
            ),
            null,
            inputs[..2]
        );
    }

    internal override long Macs(ReadOnlySpan<ValueInfo?> inputs, ReadOnlySpan<ValueInfo> outputs) =>
        (long)outputs[0].Shape.ElementCount * inputs[0]!.Shape[^1];

    /// <summary>A vector as a row (side 0) or a column (side 1); anything else as it is.</summary>
    private static Shape AsMatrix(Shape shape, int side) =>
        shape.Rank switch
        {
            0 => throw new ShapeException("a scalar is no matrix."),
            1 => side == 0 ? [1, shape[0]] : [shape[0], 1],
            _ => shape,
        };

    /// <summary>Pairs of matrices [m, k] and [k, n] that stand against each other.</summary>
    private readonly record struct Products((int M, int K, int N) Extents, Broadcasting.BroadcastPlan Batches)
    {
        public static Products From(Shape a, Shape b)
        {
            (Shape left, Shape right) = (AsMatrix(a, 0), AsMatrix(b, 1));
            (int m, int k, int n) = (left[^2], left[^1], right[^1]);
            Shape lefts = Shape.From(left.Extents[..^2]),
                rights = Shape.From(right.Extents[..^2]),
                all = Broadcasting.Join(lefts, rights);
            // One matrix on the right for all batches: the batches are so many more rows.
            if (rights.ElementCount == 1 && lefts.ElementCount > 1)
                (m, lefts, all) = (m * lefts.ElementCount, [], []);
            return new((m, k, n), new(lefts, rights, all));
        }

        /// <summary>Where the matrices of each pair and their product begin.</summary>
        public IEnumerable<(int Left, int Right, int Product)> Places()
        {
            (int m, int k, int n) = Extents;
            for (int run = 0; run < Batches.Runs; run++)
            {
                (int start, int x, int z) = Batches[run];
                for (int i = 0; i < Batches.Length; i++)
                    yield return ((x + (Batches.XMoves ? i : 0)) * m * k, (z + (Batches.YMoves ? i : 0)) * k * n, (start + i) * m * n);
            }
        }
    }
}
