using Tensorial.Operations;

namespace Tensorial.Onnx;

/// <summary>Rows of quantised operators, and of those that ONNX Runtime adds to the standard.</summary>
internal static partial class OnnxOperators
{
    private const string Runtime = "com.microsoft";

    private static OnnxOperator[] Quantized() =>
        [
            new("QuantizeLinear", 10, NewestOpset, (a, _) => Quantizing(a)),
            new("DequantizeLinear", 10, NewestOpset, (a, _) => Dequantizing(a)),
            Plain<DynamicQuantizeLinear>("DynamicQuantizeLinear", 11),
            new("ConvInteger", 10, NewestOpset, (a, _) => new ConvInteger(Convolved(a))),
            new("QLinearConv", 10, NewestOpset, (a, _) => new QLinearConv(Convolved(a))),
            Plain<MatMulInteger>("MatMulInteger", 10),
            Plain<QLinearMatMul>("QLinearMatMul", 10),
        ];

    private static OnnxOperator[] Microsoft() =>
        [
            Added("QuantizeLinear", static a => Quantizing(a)),
            Added("DequantizeLinear", static a => Dequantizing(a)),
            Added(
                "QGemm",
                static a => new QGemm
                {
                    Alpha = a.Float("alpha", 1),
                    TransposeA = a.Flag("transA"),
                    TransposeB = a.Flag("transB"),
                }
            ),
            Function("QLinearAdd", 2, static _ => new Add()),
            Function("QLinearMul", 2, static _ => new Mul()),
            Function("QLinearSigmoid", 1, static _ => new Sigmoid()),
            Function("QLinearLeakyRelu", 1, static a => new LeakyRelu(a.Float("alpha", 0.01f))),
            Function("QLinearGlobalAveragePool", 1, static a => ChannelsFirst(a, new GlobalAveragePool())),
            Function(
                "QLinearAveragePool",
                1,
                static a => ChannelsFirst(a, Pool(a, new AveragePool { CountIncludePad = a.Flag("count_include_pad") }))
            ),
            Function("QLinearSoftmax", 1, static a => Softened(a)),
            Function("QLinearConcat", 0, static a => new Concat(Needed(a.Integer("axis"), "axis"))),
            Added("FusedMatMul", static a => Product(a)),
            Added("Gelu", static _ => new Gelu()),
            Added("QuickGelu", static a => new Swish(a.Float("alpha", 1.702f))),
        ];

    private static OnnxOperator Added(string type, Func<OnnxAttributes, Operation> bind) =>
        new(type, 1, int.MaxValue, (a, _) => bind(a)) { Domain = Runtime };

    private static OnnxOperator Function(string type, int operands, Func<OnnxAttributes, Operation> bind) =>
        Added(type, a => new QuantizedFunction(type, bind(a), operands));

    private static Convolution Convolved(OnnxAttributes a) => (Convolution)Window(a, new Convolution { Groups = a.Integer("group", 1) });

    private static QuantizeLinear Quantizing(OnnxAttributes a) =>
        new(a.Integer("axis", 1), a.Integer("block_size", 0), Given(a, "output_dtype"));

    private static DequantizeLinear Dequantizing(OnnxAttributes a) =>
        new(a.Integer("axis", 1), a.Integer("block_size", 0), Given(a, "output_dtype"));

    private static ElementType? Given(OnnxAttributes a, string name) => a.Integer(name, 0) is var number and not 0 ? TypeOf(number) : null;

    private static Operation ChannelsFirst(OnnxAttributes a, Operation operation) =>
        a.Flag("channels_last") ? throw new UnsupportedException("channels_last = 1 is not supported.") : operation;

    private static Softmax Softened(OnnxAttributes a) => new(a.Integer("axis", -1), Flattened: a.Integer("opset", 13) < 13);

    private static FusedMatMul Product(OnnxAttributes a) =>
        a.Flag("transBatchA") || a.Flag("transBatchB")
            ? throw new UnsupportedException("a product with transBatchA or transBatchB is not supported.")
            : new(a.Float("alpha", 1), a.Flag("transA"), a.Flag("transB"));
}
