using Tensorial.Operations;

namespace Tensorial.Onnx;

internal static partial class OnnxOperators
{
    private static IEnumerable<OnnxOperator> Rows() =>
        [
            .. Functions(),
            .. Layers(),
            .. Reductions(),
            .. Movements(),
            .. MoreFunctions(),
            .. MoreLayers(),
            .. Indexing(),
            .. Quantized(),
            .. Control(),
            .. Microsoft(),
        ];

    private static OnnxOperator[] Functions() =>
        [
            Plain<Abs>("Abs"),
            Plain<Acos>("Acos"),
            Plain<Acosh>("Acosh", 9),
            Plain<Asin>("Asin"),
            Plain<Asinh>("Asinh", 9),
            Plain<Atan>("Atan"),
            Plain<Atanh>("Atanh", 9),
            Plain<Ceil>("Ceil"),
            Plain<Cos>("Cos"),
            Plain<Cosh>("Cosh", 9),
            Plain<Erf>("Erf", 9),
            Plain<Exp>("Exp"),
            Plain<Floor>("Floor"),
            Plain<HardSwish>("HardSwish", 14),
            Plain<Log>("Log"),
            Plain<Mish>("Mish", 18),
            Plain<Neg>("Neg"),
            Plain<Not>("Not"),
            Plain<Reciprocal>("Reciprocal"),
            Plain<Relu>("Relu"),
            Plain<Round>("Round", 11),
            Plain<Sigmoid>("Sigmoid"),
            Plain<Sign>("Sign", 9),
            Plain<Sin>("Sin"),
            Plain<Sinh>("Sinh", 9),
            Plain<Softplus>("Softplus"),
            Plain<Softsign>("Softsign"),
            Plain<Sqrt>("Sqrt"),
            Plain<Tan>("Tan"),
            Plain<Tanh>("Tanh"),
            new("Celu", 12, NewestOpset, (a, _) => new Celu(a.Float("alpha", 1))),
            new("Clip", 7, 10, (a, _) => new Clip(a.Float("min"), a.Float("max"))),
            new("Clip", 11, NewestOpset, (_, _) => new Clip()),
            new("Elu", 7, NewestOpset, (a, _) => new Elu(a.Float("alpha", 1))),
            new("Gelu", 20, NewestOpset, (a, _) => new Gelu(Choice(a, "approximate", "none", ("none", false), ("tanh", true)))),
            new("HardSigmoid", 7, NewestOpset, (a, _) => new HardSigmoid(a.Float("alpha", 0.2f), a.Float("beta", 0.5f))),
            new("LeakyRelu", 7, NewestOpset, (a, _) => new LeakyRelu(a.Float("alpha", 0.01f))),
            new("Selu", 7, NewestOpset, (a, _) => new Selu(a.Float("alpha", Selu.DefaultAlpha), a.Float("gamma", Selu.DefaultGamma))),
            new("Shrink", 9, NewestOpset, (a, _) => new Shrink(a.Float("bias", 0), a.Float("lambd", 0.5f))),
            new("ThresholdedRelu", 10, NewestOpset, (a, _) => new ThresholdedRelu(a.Float("alpha", 1))),
            Plain<Add>("Add"),
            Plain<Sub>("Sub"),
            Plain<Mul>("Mul"),
            Plain<Div>("Div"),
            Plain<Pow>("Pow"),
            Plain<PRelu>("PRelu"),
            new("Mod", 10, NewestOpset, (a, _) => new Mod(a.Flag("fmod"))),
            Plain<Max>("Max"),
            Plain<Min>("Min"),
            Plain<Sum>("Sum"),
            Plain<Mean>("Mean"),
            Plain<Equal>("Equal"),
            Plain<Less>("Less"),
            Plain<LessOrEqual>("LessOrEqual", 12),
            Plain<Greater>("Greater"),
            Plain<GreaterOrEqual>("GreaterOrEqual", 12),
            Plain<And>("And"),
            Plain<Or>("Or"),
            Plain<Xor>("Xor"),
            Plain<Where>("Where", 9),
        ];

    private static OnnxOperator[] Layers() =>
        [
            new("Conv", 7, NewestOpset, (a, _) => Window(a, new Convolution { Groups = a.Integer("group", 1) })),
            new(
                "ConvTranspose",
                7,
                NewestOpset,
                (a, _) =>
                    Window(
                        a,
                        new ConvolutionTranspose
                        {
                            Groups = a.Integer("group", 1),
                            OutputPadding = a.Integers("output_padding") ?? [],
                            OutputShape = a.Integers("output_shape") ?? [],
                        }
                    )
            ),
            new(
                "Gemm",
                7,
                NewestOpset,
                (a, _) =>
                    new Gemm
                    {
                        Alpha = a.Float("alpha", 1),
                        Beta = a.Float("beta", 1),
                        TransposeA = a.Flag("transA"),
                        TransposeB = a.Flag("transB"),
                    }
            ),
            Plain<MatMul>("MatMul"),
            new("Einsum", 12, NewestOpset, (a, _) => new EinsumOf(PlainEquation(a.Text("equation") ?? throw Missing("equation")))),
            new("AveragePool", 7, NewestOpset, (a, _) => Pool(a, new AveragePool { CountIncludePad = a.Flag("count_include_pad") })),
            new("LpPool", 7, NewestOpset, (a, _) => Pool(a, new LpPool(a.Integer("p", 2)))),
            new(
                "MaxPool",
                7,
                NewestOpset,
                (a, outputs) => Pool(a, new MaxPool { WithIndices = outputs > 1, ColumnMajor = a.Flag("storage_order") })
            ),
            Plain<GlobalAveragePool>("GlobalAveragePool"),
            Plain<GlobalMaxPool>("GlobalMaxPool"),
            new("GlobalLpPool", 7, NewestOpset, (a, _) => new GlobalLpPool(a.Integer("p", 2))),
            new("BatchNormalization", 7, NewestOpset, Normalization),
            new("InstanceNormalization", 7, NewestOpset, (a, _) => new InstanceNormalization { Epsilon = a.Float("epsilon", 1e-5f) }),
            new(
                "LayerNormalization",
                17,
                NewestOpset,
                (a, _) => new LayerNormalization(a.Integer("axis", -1)) { Epsilon = a.Float("epsilon", 1e-5f) }
            ),
            new("LpNormalization", 7, NewestOpset, (a, _) => new LpNormalization(a.Integer("axis", -1), a.Integer("p", 2))),
            new(
                "LRN",
                7,
                NewestOpset,
                (a, _) =>
                    new Lrn(Needed(a.Integer("size"), "size"))
                    {
                        Alpha = a.Float("alpha", 1e-4f),
                        Beta = a.Float("beta", 0.75f),
                        Bias = a.Float("bias", 1),
                    }
            ),
            new("MeanVarianceNormalization", 9, NewestOpset, (a, _) => new MeanVarianceNormalization(a.Integers("axes") ?? [0, 2, 3])),
            new("Softmax", 7, 12, (a, _) => new Softmax(a.Integer("axis", 1), Flattened: true)),
            new("Softmax", 13, NewestOpset, (a, _) => new Softmax(a.Integer("axis", -1))),
            new("LogSoftmax", 7, 12, (a, _) => new LogSoftmax(a.Integer("axis", 1), Flattened: true)),
            new("LogSoftmax", 13, NewestOpset, (a, _) => new LogSoftmax(a.Integer("axis", -1))),
            new("Hardmax", 7, 12, (a, _) => new Hardmax(a.Integer("axis", 1), Flattened: true)),
            new("Hardmax", 13, NewestOpset, (a, _) => new Hardmax(a.Integer("axis", -1))),
            new("Dropout", 7, 11, (a, outputs) => new Dropout { Ratio = a.Float("ratio", 0.5f), WithMask = outputs > 1 }),
            new("Dropout", 12, NewestOpset, (_, outputs) => new Dropout { WithMask = outputs > 1 }),
        ];

    private static OnnxOperator[] Reductions() =>
        [
            .. Reduction("ReduceL1", 18, static () => new ReduceL1()),
            .. Reduction("ReduceL2", 18, static () => new ReduceL2()),
            .. Reduction("ReduceLogSum", 18, static () => new ReduceLogSum()),
            .. Reduction("ReduceLogSumExp", 18, static () => new ReduceLogSumExp()),
            .. Reduction("ReduceMax", 18, static () => new ReduceMax()),
            .. Reduction("ReduceMean", 18, static () => new ReduceMean()),
            .. Reduction("ReduceMin", 18, static () => new ReduceMin()),
            .. Reduction("ReduceProd", 18, static () => new ReduceProd()),
            .. Reduction("ReduceSum", 13, static () => new ReduceSum()),
            .. Reduction("ReduceSumSquare", 18, static () => new ReduceSumSquare()),
            new("ArgMax", 7, NewestOpset, (a, _) => Extreme(a, new ArgMax())),
            new("ArgMin", 7, NewestOpset, (a, _) => Extreme(a, new ArgMin())),
        ];

    private static OnnxOperator[] Movements() =>
        [
            Plain<Identity>("Identity"),
            new("Cast", 7, NewestOpset, (a, _) => new Cast(TypeOf(Needed(a.Integer("to"), "to")))),
            Plain<CastLike>("CastLike", 15),
            new("Concat", 7, NewestOpset, (a, _) => new Concat(Needed(a.Integer("axis"), "axis"))),
            new("Constant", 7, NewestOpset, (a, _) => new Constant(ConstantOf(a))),
            new("ConstantOfShape", 9, NewestOpset, (a, _) => new ConstantOfShape(a.Tensor("value") ?? new Tensor<float>([1]))),
            new(
                "DepthToSpace",
                7,
                NewestOpset,
                (a, _) =>
                    new DepthToSpace(Needed(a.Integer("blocksize"), "blocksize"), Choice(a, "mode", "DCR", ("DCR", false), ("CRD", true)))
            ),
            Plain<Expand>("Expand", 8),
            new("Flatten", 7, NewestOpset, (a, _) => new Flatten(a.Integer("axis", 1))),
            new("Gather", 7, NewestOpset, (a, _) => new Gather(a.Integer("axis", 0))),
            new("GatherElements", 11, NewestOpset, (a, _) => new GatherElements(a.Integer("axis", 0))),
            new(
                "Pad",
                7,
                10,
                (a, _) =>
                    new Pad
                    {
                        Pads = a.Integers("pads"),
                        Mode = ModeOf(a),
                        Value = a.Float("value", 0),
                    }
            ),
            new("Pad", 11, NewestOpset, (a, _) => new Pad { Mode = ModeOf(a) }),
            Plain<Operations.Range>("Range", 11),
            new("Reshape", 7, NewestOpset, (a, _) => new Reshape { AllowZero = a.Flag("allowzero") }),
            new("Resize", 10, 10, (a, _) => new Resize { Sampling = Grid(a) }),
            new("Resize", 11, NewestOpset, (a, _) => Resized(a)),
            new("Shape", 7, NewestOpset, (a, _) => new ShapeOf(a.Integer("start", 0), a.Integer("end"))),
            Plain<SizeOf>("Size"),
            new(
                "Slice",
                7,
                9,
                (a, _) =>
                    new Slice
                    {
                        Starts = a.Integers("starts"),
                        Ends = a.Integers("ends"),
                        Axes = a.Integers("axes"),
                    }
            ),
            new("Slice", 10, NewestOpset, (_, _) => new Slice()),
            new("SpaceToDepth", 7, NewestOpset, (a, _) => new SpaceToDepth(Needed(a.Integer("blocksize"), "blocksize"))),
            new("Split", 7, 12, (a, outputs) => new Split(outputs, a.Integer("axis", 0)) { Sizes = a.Integers("split") }),
            new("Split", 13, 17, (a, outputs) => new Split(outputs, a.Integer("axis", 0))),
            new("Split", 18, NewestOpset, (a, outputs) => new Split(a.Integer("num_outputs", outputs), a.Integer("axis", 0))),
            new("Squeeze", 7, 12, (a, _) => new Squeeze { Axes = a.Integers("axes") }),
            new("Squeeze", 13, NewestOpset, (_, _) => new Squeeze()),
            Plain<Tile>("Tile"),
            new("Transpose", 7, NewestOpset, (a, _) => new Transpose(a.Integers("perm") ?? [])),
            new("Unsqueeze", 7, 12, (a, _) => new Unsqueeze { Axes = a.Integers("axes") }),
            new("Unsqueeze", 13, NewestOpset, (_, _) => new Unsqueeze()),
            new("Upsample", 7, 8, (a, _) => new Resize { Scales = a.Floats("scales"), Sampling = Grid(a) }),
            new("Upsample", 9, 9, (a, _) => new Resize { Sampling = Grid(a) }),
        ];
}
