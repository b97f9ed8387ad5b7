using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>Y = Alpha A B + Beta C, A and B optionally transposed, C stretched to the shape of the product and optional.</summary>
public sealed record Gemm : FloatOperation
{
    /// <summary>Factor of the product.</summary>
    public float Alpha { get; init; } = 1;

    /// <summary>Factor of the added matrix.</summary>
    public float Beta { get; init; } = 1;

    /// <summary>Whether the first matrix is transposed.</summary>
    public bool TransposeA { get; init; }

    /// <summary>Whether the second matrix is transposed.</summary>
    public bool TransposeB { get; init; }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo a = inputs.Floating(0, "A").OfRank(2, "A"),
            b = inputs.Floating(1, "B").OfRank(2, "B");
        (int m, int k) = TransposeA ? (a.Shape[1], a.Shape[0]) : (a.Shape[0], a.Shape[1]);
        (int inner, int n) = TransposeB ? (b.Shape[1], b.Shape[0]) : (b.Shape[0], b.Shape[1]);
        if (k != inner)
            throw new ShapeException($"the inner extents differ: {k} of A ({a.Shape}) against {inner} of B ({b.Shape}).");
        Shape shape = [m, n];
        if (inputs.Optional(2) is { } c && !Broadcasting.Reaches(c.Shape, shape))
            throw new ShapeException($"C of shape {c.Shape} does not stretch to {shape}.");
        return [new(a.Type, shape)];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> a = inputs[0]!.Of<T>(),
            b = inputs[1]!.Of<T>(),
            y = outputs[0].Of<T>();
        Tensor<T>? c = inputs.Optional(2)?.Of<T>();
        if (c is not null)
            Broadcasting.Stretched(c, y.Shape).CopyTo(y.Values);
        (int rowA, int columnA) = TransposeA ? (1, a.Shape[1]) : (a.Shape[1], 1);
        (int rowB, int columnB) = TransposeB ? (1, b.Shape[1]) : (b.Shape[1], 1);
        Kernels.MatrixProduct.Multiply(
            y.Shape[0],
            y.Shape[1],
            TransposeA ? a.Shape[0] : a.Shape[1],
            T.CreateChecked(Alpha),
            a.Values,
            rowA,
            columnA,
            b.Values,
            rowB,
            columnB,
            c is null ? T.Zero : T.CreateChecked(Beta),
            y.Values,
            y.Shape[1],
            workers
        );
    }

    private protected override Equations.Plan? PlanOf(ReadOnlySpan<Shape> inputs) =>
        Equations.Plan.Create(new([TransposeA ? "in" : "ni", TransposeB ? "oi" : "io"], "no"), null, inputs[..2]);

    internal override long Macs(ReadOnlySpan<ValueInfo?> inputs, ReadOnlySpan<ValueInfo> outputs) =>
        (long)outputs[0].Shape.ElementCount * inputs[0]!.Shape[TransposeA ? 0 : 1];

    internal override Reads? GradientReads(int input) =>
        input switch
        {
            0 => Reads.Input(1),
            1 => Reads.Input(0),
            _ => Reads.Nothing,
        };

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Tensor<T> dy = pull.Dy;
        (int m, int n, T alpha) = (dy.Shape[0], dy.Shape[1], T.CreateChecked(Alpha));
        // dA = alpha dY Bᵀ and dB = alpha Aᵀ dY, each transposed where the operand came transposed.
        if (pull.Gradient(0) is { } da)
        {
            Tensor<T> b = pull.Input(1);
            (int row, int column) = TransposeB ? (b.Shape[1], 1) : (1, b.Shape[1]);
            if (TransposeA)
                Kernels.MatrixProduct.Multiply(
                    da.Shape[0],
                    m,
                    n,
                    alpha,
                    b.Values,
                    column,
                    row,
                    dy.Values,
                    1,
                    n,
                    T.One,
                    da.Values,
                    m,
                    workers
                );
            else
                Kernels.MatrixProduct.Multiply(
                    m,
                    da.Shape[1],
                    n,
                    alpha,
                    dy.Values,
                    n,
                    1,
                    b.Values,
                    row,
                    column,
                    T.One,
                    da.Values,
                    da.Shape[1],
                    workers
                );
        }
        if (pull.Gradient(1) is { } db)
        {
            Tensor<T> a = pull.Input(0);
            (int row, int column) = TransposeA ? (a.Shape[1], 1) : (1, a.Shape[1]);
            if (TransposeB)
                Kernels.MatrixProduct.Multiply(
                    n,
                    db.Shape[1],
                    m,
                    alpha,
                    dy.Values,
                    1,
                    n,
                    a.Values,
                    column,
                    row,
                    T.One,
                    db.Values,
                    db.Shape[1],
                    workers
                );
            else
                Kernels.MatrixProduct.Multiply(
                    db.Shape[0],
                    n,
                    m,
                    alpha,
                    a.Values,
                    row,
                    column,
                    dy.Values,
                    n,
                    1,
                    T.One,
                    db.Values,
                    n,
                    workers
                );
        }
        pull.Gradient(2)?.AddProduct(dy, new([], new[] { T.CreateChecked(Beta) }));
    }
}
