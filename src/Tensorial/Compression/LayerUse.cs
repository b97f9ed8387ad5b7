using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>One node that multiplies with a layer's weights, and the extents there for one image.</summary>
/// <param name="Node">The node.</param>
/// <param name="Operand">The node's input that holds the weights: 1, or 0 of a matrix product from the left.</param>
/// <param name="Input">
/// Extents of what it reads beside them: [1, i, ...] of a convolution, rows of i values of a dense or recurrent layer.
/// </param>
/// <param name="Output">Extents of what it answers.</param>
internal sealed record LayerUse(Node Node, int Operand, Shape Input, Shape Output)
{
    /// <summary>The name of what the node reads beside its weights.</summary>
    internal string Data => Node.Inputs[1 - Operand];

    /// <summary>The name of what it makes, the first of several.</summary>
    internal string Made => Node.Outputs.First(static name => name.Length > 0);

    /// <summary>Whether it is a recurrent layer, of which the product with its input is factored.</summary>
    internal bool IsRecurrent => Node.Operation is Recurrent;

    /// <summary>Whether it is a transposed convolution.</summary>
    internal bool IsTransposed => Node.Operation is ConvolutionTranspose;

    /// <summary>Axes of space: 1 to 3 of a convolution, none of a dense layer.</summary>
    internal int Space => Node.Operation is Windowed ? Input.Rank - 2 : 0;

    /// <summary>The axis of a dense layer's input along which it sums.</summary>
    internal int SummedAxis =>
        Operand == 0 ? Input.Rank - 2
        : Node.Operation is Gemm { TransposeA: true } ? 0
        : Input.Rank - 1;

    /// <summary>Places read: rows (all axes of space but the last) and columns. Of a dense layer its rows.</summary>
    internal (int Rows, int Columns) Read => Space > 0 ? Places(Input) : (Input.ElementCount / Math.Max(1, Input[SummedAxis]), 1);

    /// <summary>Places written.</summary>
    internal (int Rows, int Columns) Written => Space > 0 ? Places(Output) : Read;

    /// <summary>
    /// Products with the whole kernel: one for every place written, or read where a transposed convolution spreads what it reads.
    /// </summary>
    internal long Products => IsTransposed ? (long)Read.Rows * Read.Columns : (long)Written.Rows * Written.Columns;

    private static (int Rows, int Columns) Places(Shape shape) => (shape.ElementCountOf(2, shape.Rank - 1), shape[shape.Rank - 1]);
}
