using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>Why constants that could have been learnt are left as they are.</summary>
internal static class FixedConstantRules
{
    /// <summary>Numbers of activation functions that are neither short nor roots: √(2/π), GELU's 0.044715, SELU's two.</summary>
    private static readonly double[] Famous = [0.7978845608, 0.044715, 0.035677408, 1.0507009874, 1.6732632423, 1.7580993408];

    /// <summary>A clause that follows "because"; null where an operation learns nothing of the kind.</summary>
    /// <param name="node">The node that reads the constant.</param>
    /// <param name="input">As which input.</param>
    /// <param name="role">What it would be trained as.</param>
    /// <param name="through">An operation between constant and node through which training does not follow.</param>
    /// <param name="isBehindLayers">Whether the node lies behind a first layer with weights.</param>
    public static string? Reason(Node node, int input, WeightRole? role, string? through, bool isBehindLayers) =>
        node.Operation switch
        {
            BatchNormalization when input > 2 => through is null ? null : $"the running statistics are computed, by {through}",
            _ when through is "DequantizeLinear" => "it is stored in 8 bits",
            _ when role is not null && through is not null => $"it is read through {through}, which training does not follow",
            ConvInteger or MatMulInteger or QLinearConv or QLinearMatMul or QGemm when role is not null => "it is stored in 8 bits",
            _ when role is not null => $"{node.Operation.Name} has no gradient for it here",
            _ when IsForm(node, input) => null,
            Add or Mul or Sub or Div when !isBehindLayers => "it prepares the input, before the first layer",
            Add or Mul when through is not null => $"it is read through {through}, which training does not follow",
            Add or Mul => "it is a single number, or holds whole numbers in several axes, as grids and masks do",
            Sub or Div or Pow => $"{node.Operation.Name} is no layer with weights",
            Gather or Concat or Where or Expand or Tile => $"{node.Operation.Name} only moves it",
            Unknown => $"{node.Operation.Name} has no gradient here",
            _ => $"{node.Operation.Name} is no layer with weights",
        };

    /// <summary>Whether what an operation reads here is a bound, a size, a step, a number of padding: never learnt.</summary>
    private static bool IsForm(Node node, int input) =>
        node.Operation
            is BatchNormalization
                or BatchNormalizationInTraining
                or InstanceNormalization
                or Resize
                or Clip
                or Pad
                or Reshaping
                or Equal
                or Less
                or LessOrEqual
                or Greater
                or GreaterOrEqual
                or QuantizeLinear
                or DynamicQuantizeLinear
                or QuantizedFunction
                or QLinearConv
                or QLinearMatMul
                or QGemm
                or ConvInteger
                or MatMulInteger
                or Slice
                or Operations.Range
                or OneHot
                or TopK
                or NonMaxSuppression
                or CastLike
        || (node.Operation is DequantizeLinear && input > 0);

    /// <summary>
    /// Whether a single number is one that people write: at most three decimals, a fraction 1/n, a root of one of these, or a famous one.
    /// Training leaves numbers of seven digits.
    /// </summary>
    public static bool IsWrittenDown(double value) =>
        value == 0
        || !double.IsFinite(value)
        || IsWhole(1000 * value)
        || IsWhole(1 / value)
        || IsWhole(1000 * value * value)
        || IsWhole(1 / (value * value))
        || Famous.Any(famous => Math.Abs(Math.Abs(value) - famous) < 1e-5 * famous);

    /// <summary>Whole within what float32 rounds.</summary>
    private static bool IsWhole(double value) => Math.Abs(value - Math.Round(value)) <= 4e-7 * Math.Abs(value) && Math.Round(value) != 0;
}
