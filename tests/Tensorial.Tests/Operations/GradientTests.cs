using FsCheck;
using FsCheck.Fluent;
using Tensorial.Equations;
using Tensorial.Execution;
using Tensorial.Operations;
using Gemm = Tensorial.Operations.Gemm;
using Workers = Tensorial.Kernels.Workers;

namespace Tensorial.Tests.Operations;

/// <summary>Every gradient over random shapes and attributes, and that no operation was forgotten.</summary>
public class GradientTests
{
    private static readonly (Operation Operation, double Low, double High)[] Functions =
    [
        (new Abs(), -2, 2),
        (new Neg(), -2, 2),
        (new Relu(), -2, 2),
        (new Sign(), -2, 2),
        (new Exp(), -2, 2),
        (new Log(), 0.1, 3),
        (new Sqrt(), 0.1, 3),
        (new Reciprocal(), 0.3, 2),
        (new Floor(), -2, 2),
        (new Ceil(), -2, 2),
        (new Round(), -2, 2),
        (new Tanh(), -2, 2),
        (new Sigmoid(), -4, 4),
        (new Sin(), -4, 4),
        (new Cos(), -4, 4),
        (new Tan(), -1, 1),
        (new Sinh(), -2, 2),
        (new Cosh(), -2, 2),
        (new Asin(), -0.8, 0.8),
        (new Acos(), -0.8, 0.8),
        (new Atan(), -3, 3),
        (new Asinh(), -3, 3),
        (new Acosh(), 1.3, 3),
        (new Atanh(), -0.8, 0.8),
        (new Erf(), -2, 2),
        (new LeakyRelu(0.2f), -2, 2),
        (new ThresholdedRelu(0.5f), -2, 2),
        (new Elu(0.7f), -2, 2),
        (new Celu(1.3f), -2, 2),
        (new Selu(), -2, 2),
        (new HardSigmoid(), -4, 4),
        (new HardSwish(), -5, 5),
        (new Swish(), -5, 5),
        (new Swish(0.7f), -5, 5),
        (new Softplus(), -4, 4),
        (new Softsign(), -2, 2),
        (new Mish(), -4, 4),
        (new Gelu(), -3, 3),
        (new Gelu(Tanh: true), -3, 3),
        (new Shrink(0.2f, 0.7f), -2, 2),
        (new Swish(1.3f), -3, 3),
        (new Clip(-1, 1.5f), -2, 2),
        (new Clip(Max: 0.3f), -2, 2),
        (new Identity(), -1, 1),
        (new Dropout(), -1, 1),
        (new Flatten(1), -1, 1),
    ];

    /// <summary>One operation of each kind at operands and attributes drawn for it.</summary>
    private static readonly Func<RandomOperands, (Operation Operation, Tensor?[] Inputs)>[] Rows =
    [
        r => Binary(r, new Add()),
        r => Binary(r, new Sub()),
        r => Binary(r, new Mul()),
        r => Binary(r, new Div(), 0.3, 2),
        r => Binary(r, new Pow(), 0.3, 2),
        r => (new Mod(r.Coin()), [r.Spread([3, 2], 0.2, 0.9), r.Spread([2], 1, 2)]),
        r => (new Mod(), [new Tensor<double>([2], new[] { 5.3, -7.2 }), new Tensor<double>([1], new[] { 2.0 })]),
        r => Variadic(r, new Max()),
        r => Variadic(r, new Min()),
        r => Variadic(r, new Sum()),
        r => Variadic(r, new Mean()),
        r => r.Shape(1) is var s ? (new PRelu(), [r.Spread(s), r.Spread(r.Narrowed(s))]) : default,
        r =>
            r.Shape(1) is var s
                ? (
                    new Where(),
                    [
                        new Tensor<bool>(
                            r.Narrowed(s) is var c ? c : s,
                            Enumerable.Range(0, c.ElementCount).Select(_ => r.Coin()).ToArray()
                        ),
                        r.Spread(s),
                        r.Spread(r.Narrowed(s)),
                    ]
                )
                : default,
        r => (new Clip(), [r.Spread(r.Shape()), Scalar(-0.7), r.Coin() ? Scalar(1.1) : null]),
        r => Reduction(r, new ReduceSum()),
        r => Reduction(r, new ReduceMean()),
        r => Reduction(r, new ReduceProd()),
        r => Reduction(r, new ReduceMax()),
        r => Reduction(r, new ReduceMin()),
        r => Reduction(r, new ReduceL1()),
        r => Reduction(r, new ReduceL2()),
        r => Reduction(r, new ReduceSumSquare()),
        r => Reduction(r, new ReduceLogSum(), 0.2),
        r => Reduction(r, new ReduceLogSumExp()),
        r => (new ReduceProd(), [new Tensor<double>([3], new[] { 2.0, 0, 3 })]),
        r => Line(r, axis => new Softmax(axis)),
        r => Line(r, axis => new LogSoftmax(axis)),
        r => Line(r, axis => new LpNormalization(axis, r.Coin() ? 1 : 2)),
        r => Line(r, axis => new Softmax(axis, Flattened: true)),
        r => Line(r, axis => new Hardmax(axis)),
        r =>
            (
                new BatchNormalization { Epsilon = 0.1f },
                [r.Spread([2, 3, .. r.Shape()]), r.Spread([3]), r.Spread([3]), r.Spread([3]), r.Spread([3], 0.3, 2)]
            ),
        r =>
            (
                new BatchNormalizationInTraining { Epsilon = 0.1f },
                [r.Spread([3, 2, .. r.Shape()]), r.Spread([2]), r.Spread([2]), r.Spread([2]), r.Spread([2], 0.3, 2)]
            ),
        r => (new InstanceNormalization { Epsilon = 0.1f }, [r.Spread([2, 3, .. r.Shape(1)]), r.Spread([3]), r.Spread([3])]),
        r =>
            r.Shape(2) is var s && r.Next(-s.Rank, s.Rank) is var axis && (axis < 0 ? axis + s.Rank : axis) is var from
                ? (
                    new LayerNormalization(axis) { Epsilon = 0.1f },
                    [r.Spread(s), r.Spread([.. s.Skip(from)]), r.Coin() ? r.Spread([s[^1]]) : null]
                )
                : default,
        r => r.Shape(2) is var s ? (new Lrn(r.Next(1, 5)) { Alpha = 0.7f, Bias = 1.3f }, [r.Spread(s)]) : default,
        r => r.Shape(2) is var s ? (new MeanVarianceNormalization(r.Axes(s.Rank)), [r.Spread([2, .. s.Skip(1)])]) : default,
        Convolve,
        ConvolveTransposed,
        r =>
            Pooled(
                r,
                (kernel, strides, pads) =>
                    new AveragePool
                    {
                        KernelShape = [.. kernel],
                        Strides = [.. strides],
                        Pads = [.. pads],
                        CountIncludePad = r.Coin(),
                        CeilMode = r.Coin(),
                    }
            ),
        r =>
            Pooled(
                r,
                (kernel, strides, pads) =>
                    new MaxPool
                    {
                        KernelShape = [.. kernel],
                        Strides = [.. strides],
                        Pads = [.. pads],
                        CeilMode = r.Coin(),
                        WithIndices = r.Coin(),
                    }
            ),
        r =>
            Pooled(
                r,
                (kernel, strides, pads) =>
                    new LpPool(r.Next(2, 4))
                    {
                        KernelShape = [.. kernel],
                        Strides = [.. strides],
                        Pads = [.. pads],
                    }
            ),
        r => (new GlobalAveragePool(), [r.Spread([2, .. r.Shape(2)])]),
        r => (new GlobalMaxPool(), [r.Spread([2, .. r.Shape(2)])]),
        r => (new GlobalLpPool(3), [r.Spread([2, .. r.Shape(2)])]),
        r =>
            (
                new Gemm
                {
                    Alpha = 0.7f,
                    Beta = 1.3f,
                    TransposeA = r.Coin() is var a && a,
                    TransposeB = r.Coin() is var b && b,
                },
                [r.Spread(a ? [4, 3] : [3, 4]), r.Spread(b ? [5, 4] : [4, 5]), r.Coin() ? r.Spread(r.Narrowed([3, 5])) : null]
            ),
        r => (new MatMul(), [r.Spread([2, 1, 3, 4]), r.Spread([5, 4, 2])]),
        r => (new MatMul(), [r.Spread([6, 3, 4]), r.Spread([4, 2])]),
        r => (new MatMul(), [r.Spread([4]), r.Spread([3, 4, 2])]),
        r => (new MatMul(), [r.Spread([3, 4]), r.Spread([4])]),
        r => Contract(r, "ab,bc->ac", [2, 3], [3, 4]),
        r => Contract(r, "bhqd,bhkd->bhqk", [2, 3, 2, 2], [2, 3, 4, 2]),
        r => Contract(r, "ij,jk,kl->il", [2, 3], [3, 2], [2, 4]),
        r => Contract(r, "iij->j", [3, 3, 4]),
        r => Contract(r, "ab,ac,ad->bcd", [3, 2], [3, 3], [3, 2]),
        r => Contract(r, "ab,cd->", [2, 3], [2, 2]),
        r => Contract(r, "...a,...a->...", [2, 3, 4], [1, 4]),
        r => Contract(r, "...ij,jk->...ki", [2, 1, 3, 2], [2, 3]),
        r => (new Concat(r.Coin() ? 1 : -2), [r.Spread([2, 3, 2]), r.Spread([2, 1, 2]), r.Spread([2, 4, 2])]),
        r => (new Split(3, 1), [r.Spread([2, 7, 2])]),
        r => (new Split(2, -1) { Sizes = [1, 2] }, [r.Spread([2, 3])]),
        r => (new Transpose([2, 0, 1]), [r.Spread([2, 3, 4])]),
        r => (new Transpose([]), [r.Spread(r.Shape())]),
        r =>
            (
                new Slice
                {
                    Starts = [1, -1],
                    Ends = [100, -9],
                    Axes = [0, 2],
                    Steps = [2, -r.Next(1, 3)],
                },
                [r.Spread([5, 2, 4])]
            ),
        r =>
            r.Next(0, 4) is var mode && r.Next(0, 3) is var amount
                ? (
                    new Pad { Mode = (PadMode)mode, Pads = [0, amount, r.Next(-1, 3), 1] },
                    [r.Spread([3, 4]), null, mode == 0 ? Scalar(0.4) : null]
                )
                : default,
        r => r.Shape(1) is var s && r.Next(0, s.Rank) is var axis ? (new Gather(axis), [r.Spread(s), r.Indices([2, 3], s[axis])]) : default,
        r =>
            r.Shape(1) is var s && r.Next(0, s.Rank) is var axis
                ? (new GatherElements(axis), [r.Spread(s), r.Indices(s.With(axis, 5), s[axis])])
                : default,
        r => r.Shape(1) is var s ? (new Expand { Extents = [2, .. s] }, [r.Spread(r.Narrowed(s))]) : default,
        r => (new Tile { Repeats = [2, 1, 3] }, [r.Spread([2, 3, 2])]),
        r => (new DepthToSpace(2, r.Coin()), [r.Spread([2, 8, 2, 3])]),
        r => (new SpaceToDepth(2), [r.Spread([2, 3, 4, 2])]),
        r => (new Reshape { Extents = [4, -1] }, [r.Spread([2, 2, 3])]),
        r => (new Squeeze(), [r.Spread([2, 1, 3])]),
        r => (new Unsqueeze { Axes = [0, 2] }, [r.Spread([2, 3])]),
        r => (new Cast(ElementType.Float64), [r.Spread([2, 3])]),
        r => (new CastLike(), [r.Spread([2, 3]), Scalar(0)]),
        r =>
            (
                new Resize
                {
                    Scales = [1, 1, 2, 1.5f],
                    Sampling = new() { Interpolation = (ResizeInterpolation)r.Next(0, 3), Coordinates = (Coordinates)r.Next(0, 5) },
                },
                [r.Spread([2, 1, 3, 4])]
            ),
        r =>
            (
                new Resize
                {
                    HasRegion = true,
                    Sampling = new()
                    {
                        Interpolation = ResizeInterpolation.Linear,
                        Coordinates = Coordinates.CropAndResize,
                        Outside = 2,
                    },
                },
                [r.Spread([4, 3]), new Tensor<float>([4], new[] { 0.1f, -0.3f, 0.9f, 0.8f }), null, new Tensor<long>([2], new[] { 3L, 5L })]
            ),
        r => Recurrent(r, new Rnn { Activations = [GateFunction.From("Softsign")] }, 1, 1),
        r => Recurrent(r, new Rnn { Direction = SequenceDirection.Reverse, BatchFirst = true }, 1, 1),
        r => Recurrent(r, new Gru { LinearBeforeReset = true, Direction = SequenceDirection.Bidirectional }, 3, 1),
        r => Recurrent(r, new Gru { LinearBeforeReset = true }, 3, 1),
        r => Recurrent(r, new Lstm { Direction = SequenceDirection.Bidirectional }, 4, 2),
        r => Recurrent(r, new Lstm { BatchFirst = true }, 4, 2),
        r =>
            (
                new GroupNormalization(2) { Epsilon = 0.1f, ScalesGroups = r.Coin() is var groups && groups },
                [r.Spread([2, 4, .. r.Shape()]), r.Spread([groups ? 2 : 4]), r.Spread([groups ? 2 : 4])]
            ),
        r =>
            r.Shape(2) is var s ? (new RmsNormalization(-2) { Epsilon = 0.1f }, [r.Spread(s), r.Spread([.. s.Skip(s.Rank - 2)])]) : default,
        r =>
            (
                new GridSample
                {
                    Interpolation = (ResizeInterpolation)r.Next(0, 3),
                    Padding = (GridPadding)r.Next(0, 3),
                    AlignCorners = r.Coin(),
                },
                [r.Spread([2, 2, 3, 4]), r.Spread([2, 2, 3, 2], -1.3, 1.3)]
            ),
        r =>
            (
                new Attention { IsCausal = r.Coin(), SoftCap = r.Coin() ? 1.5f : 0 },
                [r.Spread([1, 4, 2, 3]), r.Spread([1, 2, 3, 3]), r.Spread([1, 2, 3, 2])]
            ),
        r =>
            (
                new Attention { QueryHeads = 2, KeyHeads = 1 },
                [
                    r.Spread([2, 2, 6]),
                    r.Spread([2, 3, 3]),
                    r.Spread([2, 3, 2]),
                    new Tensor<bool>([2, 3], new[] { true, true, false, false, true, true }),
                ]
            ),
        r => (new ScatterND(), [r.Spread([4, 3]), Whole([2, 1], 3, 1), r.Spread([2, 3])]),
        r => (new ScatterND(ScatterReduction.Add), [r.Spread([4, 3]), Whole([3, 2], 3, 1, 0, 2, 3, 1), r.Spread([3])]),
        r => (new ScatterElements(1), [r.Spread([2, 3]), Whole([2, 2], 0, 2, -1, 1), r.Spread([2, 2])]),
        r => (new ScatterElements(0, ScatterReduction.Add), [r.Spread([2, 3]), Whole([1, 3], 1, 1, 0), r.Spread([1, 3])]),
        r => (new GatherND(), [r.Spread([2, 3, 2]), r.Indices([2, 2], 2)]),
        r => (new GatherND(1), [r.Spread([2, 3, 2]), r.Indices([2, 1], 3)]),
        r => (new TopK(r.Next(0, 2), r.Coin(), 2), [r.Spread([3, 4])]),
        r => (new CumSum(r.Coin(), r.Coin()), [r.Spread([2, 3]), Whole([], r.Next(0, 2))]),
        r => (new Trilu(r.Coin()), [r.Spread([2, 3, 4]), Whole([], r.Next(-2, 3))]),
        r => (new ReverseSequence(), [r.Spread([3, 2, 2]), Whole([2], 3, 2)]),
        r =>
            (
                new FusedMatMul(0.7f, r.Coin() is var a && a, r.Coin() is var b && b),
                [r.Spread(a ? [2, 4, 3] : [2, 3, 4]), r.Spread(b ? [5, 4] : [4, 5])]
            ),
        r =>
            (
                new DequantizeLinear(1),
                [new Tensor<sbyte>([2, 2], new sbyte[] { 3, -7, 100, 0 }), r.Spread([2]), new Tensor<sbyte>([2], new sbyte[] { 1, -2 })]
            ),
    ];

    private static readonly Arbitrary<int> Seeds = Gen.Choose(0, 100_000).ToArbitrary();

    [Fact]
    public void Functions_of_one_value_agree_with_finite_differences() =>
        Prop.ForAll(
                Seeds,
                seed =>
                {
                    RandomOperands random = new(seed);
                    Shape shape = random.Shape(1);
                    foreach ((Operation operation, double low, double high) in Functions)
                        GradientCheck.Agrees(operation, [random.Spread(shape, low, high)], seed & 0xFFF);
                }
            )
            .Holds();

    [Fact]
    public void Operations_agree_with_finite_differences() =>
        Prop.ForAll(
                Seeds,
                seed =>
                {
                    RandomOperands random = new(seed);
                    foreach (Func<RandomOperands, (Operation, Tensor?[])> row in Rows)
                    {
                        (Operation operation, Tensor?[] inputs) = row(random);
                        GradientCheck.Agrees(operation, inputs, seed & 0xFFF);
                    }
                }
            )
            .Holds();

    /// <summary>What has no gradient because its result, or all it reads, are no real numbers.</summary>
    private static readonly Type[] Discrete =
    [
        typeof(And),
        typeof(Or),
        typeof(Xor),
        typeof(Not),
        typeof(Equal),
        typeof(Less),
        typeof(LessOrEqual),
        typeof(Greater),
        typeof(GreaterOrEqual),
        typeof(ArgMax),
        typeof(ArgMin),
        typeof(ShapeOf),
        typeof(SizeOf),
        typeof(Constant),
        typeof(ConstantOfShape),
        typeof(Tensorial.Operations.Range),
        typeof(Unknown),
        typeof(GradientOf),
        typeof(QuantizeLinear),
        typeof(DynamicQuantizeLinear),
        typeof(ConvInteger),
        typeof(MatMulInteger),
        typeof(QLinearConv),
        typeof(QLinearMatMul),
        typeof(QGemm),
        typeof(QuantizedFunction),
        typeof(NonMaxSuppression),
        typeof(NonZero),
        typeof(OneHot),
        typeof(EyeLike),
        typeof(IsInf),
        typeof(IsNaN),
        typeof(Bitwise),
        typeof(SignalWindow),
    ];

    /// <summary>What has none yet; docs/operators.md says so.</summary>
    private static readonly Type[] Untrained =
    [
        typeof(If),
        typeof(Tensorial.Operations.Loop),
        typeof(Subgraph),
        typeof(Compress),
        typeof(Dft),
        typeof(Stft),
        // Made for gradients, and in none itself.
        typeof(BatchNormalizationAgain),
        // Made when a network is compiled for inference.
        typeof(FakeQuantize),
        typeof(CompiledBody),
    ];

    [Fact]
    public void Every_operation_is_checked_or_discrete()
    {
        HashSet<Type> known =
        [
            .. Functions.Select(static f => f.Operation.GetType()),
            .. Rows.Select(static row => row(new(1)).Operation.GetType()),
            .. Discrete,
            .. Untrained,
        ];
        IEnumerable<Type> all = typeof(Operation)
            .Assembly.GetTypes()
            // Private ones of the slow path of --check stand in for operations that are in the list.
            .Where(static type => type.IsSubclassOf(typeof(Operation)) && !type.IsAbstract && !type.IsNestedPrivate);
        Assert.Empty(all.Except(known).Select(static type => type.Name));
    }

    [Fact]
    public void Gradients_are_refused_for_integers() =>
        Assert.Throws<UnsupportedException>(() =>
            new Add().Backward(
                new(
                    [
                        [2],
                        [2],
                    ],
                    [null, null],
                    [null],
                    [new Tensor<int>([2])],
                    [new Tensor<int>([2]), null]
                ),
                Workers.Serial
            )
        );

    private static Tensor<long> Whole(Shape shape, params long[] values) => new(shape, values);

    /// <summary>A layer of 3 steps, 2 sequences (the second one shorter), 2 values in and 2 of state.</summary>
    private static (Operation, Tensor?[]) Recurrent(RandomOperands r, Recurrent layer, int gates, int states)
    {
        int directions = layer.Direction == SequenceDirection.Bidirectional ? 2 : 1;
        Shape state = layer.BatchFirst ? [2, directions, 2] : [directions, 2, 2];
        return (
            layer,
            [
                r.Spread(layer.BatchFirst ? [2, 3, 2] : [3, 2, 2]),
                r.Spread([directions, 2 * gates, 2]),
                r.Spread([directions, 2 * gates, 2]),
                r.Coin() ? r.Spread([directions, 4 * gates]) : null,
                r.Coin() ? new Tensor<int>([2], new[] { 3, 2 }) : null,
                r.Spread(state),
                states > 1 ? r.Spread(state) : null,
            ]
        );
    }

    private static Tensor<double> Scalar(double value) => new([], new[] { value });

    private static (Operation, Tensor?[]) Binary(RandomOperands r, Operation operation, double low = -2, double high = 2)
    {
        Shape shape = r.Shape();
        (Shape x, Shape y) = r.Coin() ? (shape, r.Narrowed(shape)) : (r.Narrowed(shape), shape);
        return (operation, [r.Spread(x, low, high), r.Spread(y, low + 0.01, high)]);
    }

    private static (Operation, Tensor?[]) Variadic(RandomOperands r, Operation operation)
    {
        Shape shape = r.Shape();
        return (operation, [r.Spread(shape), r.Spread(r.Narrowed(shape), -1.91, 2.03), r.Spread(r.Narrowed(shape), -2.03, 1.91)]);
    }

    private static (Operation, Tensor?[]) Reduction(RandomOperands r, Reduction operation, double low = -2)
    {
        Shape shape = r.Shape(1);
        return (operation with { Axes = r.Coin() ? r.Axes(shape.Rank) : null, KeepDims = r.Coin() }, [r.Spread(shape, low)]);
    }

    private static (Operation, Tensor?[]) Line(RandomOperands r, Func<int, Operation> of)
    {
        Shape shape = r.Shape(1);
        return (of(r.Next(-shape.Rank, shape.Rank)), [r.Spread(shape)]);
    }

    private static (Operation, Tensor?[]) Contract(RandomOperands r, string equation, params Shape[] shapes) =>
        (new EinsumOf(Equation.Parse(equation)), [.. shapes.Select(shape => r.Spread(shape))]);

    private static int[] Draw(RandomOperands r, int count, int low, int past) =>
        [.. Enumerable.Range(0, count).Select(_ => r.Next(low, past))];

    private static (Operation, Tensor?[]) Convolve(RandomOperands r)
    {
        int axes = r.Next(1, 4),
            groups = r.Next(1, 3);
        Convolution operation = new()
        {
            Groups = groups,
            Strides = [.. Draw(r, axes, 1, 3)],
            Dilations = [.. Draw(r, axes, 1, 3)],
            Pads = [.. Draw(r, 2 * axes, 0, 3)],
        };
        return (
            operation,
            [
                r.Spread([2, 2 * groups, .. Draw(r, axes, 4, 7)]),
                r.Spread([2 * groups, 2, .. Draw(r, axes, 1, 3)]),
                r.Coin() ? r.Spread([2 * groups]) : null,
            ]
        );
    }

    private static (Operation, Tensor?[]) ConvolveTransposed(RandomOperands r)
    {
        int axes = r.Next(1, 3),
            groups = r.Next(1, 3);
        ConvolutionTranspose operation = new()
        {
            Groups = groups,
            Strides = [.. Draw(r, axes, 1, 3)],
            Dilations = [.. Draw(r, axes, 1, 3)],
            Pads = [.. Draw(r, 2 * axes, 0, 2)],
        };
        return (
            operation,
            [
                r.Spread([2, 2 * groups, .. Draw(r, axes, 2, 5)]),
                r.Spread([2 * groups, 3, .. Draw(r, axes, 2, 4)]),
                r.Coin() ? r.Spread([3 * groups]) : null,
            ]
        );
    }

    private static (Operation, Tensor?[]) Pooled(RandomOperands r, Func<int[], int[], int[], Operation> of)
    {
        int axes = r.Next(1, 3);
        return (of(Draw(r, axes, 2, 4), Draw(r, axes, 1, 3), Draw(r, 2 * axes, 0, 2)), [r.Spread([2, 2, .. Draw(r, axes, 4, 7)])]);
    }
}
