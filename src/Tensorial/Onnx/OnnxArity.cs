using System.Globalization;

namespace Tensorial.Onnx;

/// <summary>
/// How many inputs and outputs the operators of ONNX have, by operator set: every operator of the standard domain, whether this library
/// evaluates it or not. In a pattern <c>r</c> is a value that must be there, <c>o</c> one that may be absent, and <c>*</c> any number more.
/// </summary>
/// <remarks>
/// Taken from the operator schemas of onnx (<c>onnx.defs</c>), which a test compares it with. Two rows are looser than the schema,
/// as runtimes are: Gemm's third input before operator set 11 and Resize's second and third in 11 may be absent.
/// </remarks>
internal static class OnnxArity
{
    /// <summary>The inputs and outputs of an operator from an operator set on.</summary>
    internal sealed record Signature(int Since, string Inputs, string Outputs);

    /// <summary>The signature that is in force; null for an operator that this table does not know.</summary>
    public static Signature? Of(string type, int opset) => ByType[type].LastOrDefault(row => row.Since <= opset);

    /// <summary>Checks one node of the standard domain.</summary>
    /// <param name="type">The operator.</param>
    /// <param name="opset">The operator set that the model imports.</param>
    /// <param name="inputs">Names of the node's inputs; an absent one is empty.</param>
    /// <param name="outputs">Names of its outputs.</param>
    /// <exception cref="BadInputException">There are too many or too few, or one that must be there is absent; says which.</exception>
    public static void Check(string type, int opset, ReadOnlySpan<string> inputs, ReadOnlySpan<string> outputs)
    {
        if (Of(type, opset) is not { } signature)
            return;
        Check(signature.Inputs, inputs, "input");
        bool single = signature.Outputs[0] == 'r' && !signature.Outputs.AsSpan(1).ContainsAny('r', '*');
        // Of several results a node may leave any unnamed; one that has a main result must name it.
        Check(single ? signature.Outputs : signature.Outputs.Replace('r', 'o'), outputs, "output");
        if (!outputs.ContainsAnyExcept(""))
            throw new BadInputException("it names no output, so that nothing can read what it computes.");
    }

    private static void Check(string pattern, ReadOnlySpan<string> names, string what)
    {
        bool isOpen = pattern.EndsWith('*');
        int most = isOpen ? pattern.Length - 1 : pattern.Length;
        if (!isOpen && names.Length > most)
            throw new BadInputException($"it has {names.Length} {what}s; the operator has at most {most}.");
        int least = pattern.LastIndexOf('r') + 1;
        if (names.Length < least)
            throw new BadInputException($"it has {names.Length} {what}s; the operator needs {least}.");
        for (int i = 0; i < names.Length; i++)
            if (names[i].Length == 0 && (i >= most ? what == "input" : pattern[i] == 'r'))
                throw new BadInputException($"its {what} {i} has no name, and the operator needs it.");
    }

    private static readonly (string Inputs, string Outputs, string Operators)[] Rows =
    [
        (
            "",
            "r",
            """
            Constant RandomNormal RandomUniform SequenceEmpty:11
            """
        ),
        (
            "o",
            "r",
            """
            Optional:15 OptionalHasElement:18
            """
        ),
        (
            "r",
            "r",
            """
            Abs Acos Acosh:9 ArgMax ArgMin Asin Asinh:9 Atan Atanh:9 AveragePool Bernoulli:15 BitwiseNot:18 BlackmanWindow:17 Cast
            Ceil Celu:12 Clip ConcatFromSequence:11 ConstantOfShape:9 Cos Cosh:9 DepthToSpace Det:11 Elu Erf:9 Exp EyeLike:9 Flatten
            Floor Gelu:20 GlobalAveragePool GlobalLpPool GlobalMaxPool HammingWindow:17 HannWindow:17 HardSigmoid HardSwish:14
            Hardmax Identity ImageDecoder:20 IsInf:10 IsNaN:9 LRN LeakyRelu Log LogSoftmax LpNormalization LpPool MaxPool
            MeanVarianceNormalization:9 Mish:18 Multinomial Neg NonZero:9 Not OptionalGetElement:15 OptionalHasElement:15 Pad
            RandomNormalLike RandomUniformLike Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean
            ReduceMin ReduceProd ReduceSum ReduceSumSquare RegexFullMatch:20 Relu Round:11 Selu SequenceLength:11 Shape Shrink:9
            Sigmoid Sign:9 Sin Sinh:9 Size Slice Softmax Softplus Softsign SpaceToDepth Sqrt Squeeze StringNormalizer:10 Swish:24
            Tan Tanh TfIdfVectorizer:9 ThresholdedRelu:10 Transpose Unsqueeze Upsample
            """
        ),
        (
            "r",
            "r*",
            """
            If Split
            """
        ),
        (
            "r",
            "ro",
            """
            Dropout MaxPool:8
            """
        ),
        (
            "r",
            "rooo",
            """
            Unique:11
            """
        ),
        (
            "r",
            "rr",
            """
            StringSplit:20 TopK
            """
        ),
        (
            "r",
            "rrr",
            """
            DynamicQuantizeLinear:11
            """
        ),
        (
            "r*",
            "r",
            """
            Concat Einsum:12 Max Mean Min SequenceConstruct:11 Sum
            """
        ),
        (
            "r*",
            "r*",
            """
            Scan:9 SequenceMap:17
            """
        ),
        (
            "ro",
            "r",
            """
            DFT:17 ReduceL1:18 ReduceL2:18 ReduceLogSum:18 ReduceLogSumExp:18 ReduceMax:18 ReduceMean:18 ReduceMin:18 ReduceProd:18
            ReduceSum:13 ReduceSumSquare:18 SequenceErase:11 SplitToSequence:11 Squeeze:13 Trilu:14
            """
        ),
        (
            "ro",
            "r*",
            """
            Split:13
            """
        ),
        (
            "rr",
            "r",
            """
            Add AffineGrid:20 And BitShift:11 BitwiseAnd:18 BitwiseOr:18 BitwiseXor:18 CastLike:15 CenterCropPad:18 Compress:9
            CumSum:11 Div Equal Expand:8 Gather GatherElements:11 GatherND:11 Greater GreaterOrEqual:12 GridSample:16 Less
            LessOrEqual:12 MatMul MaxRoiPool Mod:10 Mul Or PRelu Pow RMSNormalization:23 Reshape Resize:10 ReverseSequence:10
            SequenceAt:11 StringConcat:20 Sub Tile Unsqueeze:13 Upsample:9 Xor
            """
        ),
        (
            "rr",
            "rr",
            """
            TopK:10
            """
        ),
        (
            "oo*",
            "r*",
            """
            Loop:11
            """
        ),
        (
            "or*",
            "r*",
            """
            Scan:8
            """
        ),
        (
            "roo",
            "r",
            """
            Clip:11 DFT:20
            """
        ),
        (
            "roo",
            "ro",
            """
            Dropout:12
            """
        ),
        (
            "rro",
            "r",
            """
            Conv ConvTranspose DequantizeLinear:10 Gemm MaxUnpool:9 NegativeLogLikelihoodLoss:12 Pad:11 QuantizeLinear:10
            SequenceInsert:11 TensorScatter:24
            """
        ),
        (
            "rro",
            "ro",
            """
            SoftmaxCrossEntropyLoss:12
            """
        ),
        (
            "rro",
            "roo",
            """
            LayerNormalization:17
            """
        ),
        (
            "rrr",
            "r",
            """
            Col2Im:18 GroupNormalization:18 InstanceNormalization OneHot:9 Range:11 RoiAlign:10 Scatter:9 ScatterElements:11
            ScatterND:11 Where:9
            """
        ),
        (
            "oor*",
            "r*",
            """
            Loop
            """
        ),
        (
            "rooo",
            "r",
            """
            Resize:11
            """
        ),
        (
            "rroo",
            "r",
            """
            ConvInteger:10 MatMulInteger:10 Pad:18 STFT:17
            """
        ),
        (
            "rrro",
            "r",
            """
            RotaryEmbedding:23
            """
        ),
        (
            "rrooo",
            "r",
            """
            NonMaxSuppression:10
            """
        ),
        (
            "rrroo",
            "r",
            """
            DeformConv:19 Slice:10
            """
        ),
        (
            "rrrrr",
            "r",
            """
            MelWeightMatrix:17
            """
        ),
        (
            "rrrrr",
            "roo",
            """
            BatchNormalization:14
            """
        ),
        (
            "rrrrr",
            "roooo",
            """
            BatchNormalization
            """
        ),
        (
            "rrrooo",
            "oo",
            """
            GRU RNN
            """
        ),
        (
            "rrrooo",
            "rooo",
            """
            Attention:23
            """
        ),
        (
            "rrroooo",
            "rooo",
            """
            Attention:24
            """
        ),
        (
            "rrrooooo",
            "ooo",
            """
            LSTM
            """
        ),
        (
            "rrrrrrrr",
            "r",
            """
            QLinearMatMul:10
            """
        ),
        (
            "rrrrrrrro",
            "r",
            """
            QLinearConv:10
            """
        ),
    ];

    private static readonly ILookup<string, Signature> ByType = Rows.SelectMany(static row =>
            row.Operators.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries)
                .Select(text => (Name: text.Split(':')[0], Row: new Signature(SinceOf(text), row.Inputs, row.Outputs)))
        )
        .OrderBy(static row => row.Row.Since)
        .ToLookup(static row => row.Name, static row => row.Row);

    private static int SinceOf(string text) =>
        text.Contains(':', StringComparison.Ordinal) ? int.Parse(text.Split(':')[1], CultureInfo.InvariantCulture) : 1;

    /// <summary>All rows, for the test that compares them with the schemas.</summary>
    internal static IEnumerable<(string Type, Signature Signature)> All =>
        ByType.SelectMany(static group => group.Select(row => (group.Key, row)));
}
