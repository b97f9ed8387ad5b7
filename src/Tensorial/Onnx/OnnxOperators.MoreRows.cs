using System.Collections.Immutable;
using Tensorial.Execution;
using Tensorial.Operations;

namespace Tensorial.Onnx;

/// <summary>Rows of recurrent layers, attention, signals, indices, branches and loops.</summary>
internal static partial class OnnxOperators
{
    private static readonly (string, ScatterReduction)[] ScatterReductions =
    [
        ("none", ScatterReduction.None),
        ("add", ScatterReduction.Add),
        ("mul", ScatterReduction.Mul),
        ("max", ScatterReduction.Max),
        ("min", ScatterReduction.Min),
    ];

    private static OnnxOperator[] MoreFunctions() =>
        [
            new("BitShift", 11, NewestOpset, (a, _) => new Bitwise(Direction(a))),
            new("BitwiseAnd", 18, NewestOpset, (_, _) => new Bitwise(BitFunction.And)),
            new("BitwiseOr", 18, NewestOpset, (_, _) => new Bitwise(BitFunction.Or)),
            new("BitwiseXor", 18, NewestOpset, (_, _) => new Bitwise(BitFunction.Xor)),
            new("CumSum", 11, NewestOpset, (a, _) => new CumSum(a.Flag("exclusive"), a.Flag("reverse"))),
            new("IsInf", 10, NewestOpset, (a, _) => new IsInf(a.Flag("detect_negative", true), a.Flag("detect_positive", true))),
            Plain<IsNaN>("IsNaN", 9),
            new("Swish", 24, NewestOpset, (a, _) => new Swish(a.Float("alpha", 1))),
        ];

    private static OnnxOperator[] MoreLayers() =>
        [
            new("RNN", 7, NewestOpset, (a, _) => Walking(a, new Rnn())),
            new("GRU", 7, NewestOpset, (a, _) => Walking(a, new Gru { LinearBeforeReset = a.Flag("linear_before_reset") })),
            new("LSTM", 7, NewestOpset, (a, _) => Walking(a, new Lstm { InputForget = a.Flag("input_forget") })),
            new("GroupNormalization", 18, 20, (a, _) => Grouped(a, scalesGroups: true)),
            new("GroupNormalization", 21, NewestOpset, (a, _) => Grouped(a, scalesGroups: false)),
            new(
                "RMSNormalization",
                23,
                NewestOpset,
                (a, _) => new RmsNormalization(a.Integer("axis", -1)) { Epsilon = a.Float("epsilon", 1e-5f) }
            ),
            new("Attention", 23, NewestOpset, (a, _) => Attending(a)),
            new("GridSample", 16, NewestOpset, (a, _) => Sampled(a)),
            new("STFT", 17, NewestOpset, (a, _) => new Stft(a.Flag("onesided", true))),
            new("DFT", 17, 19, (a, _) => new Dft(a.Integer("axis", 1), a.Flag("inverse"), a.Flag("onesided"))),
            new("DFT", 20, NewestOpset, (a, _) => new Dft(-2, a.Flag("inverse"), a.Flag("onesided"))),
            new("BlackmanWindow", 17, NewestOpset, (a, _) => Spectral("BlackmanWindow", a)),
            new("HammingWindow", 17, NewestOpset, (a, _) => Spectral("HammingWindow", a)),
            new("HannWindow", 17, NewestOpset, (a, _) => Spectral("HannWindow", a)),
        ];

    private static OnnxOperator[] Indexing() =>
        [
            new("Compress", 9, NewestOpset, (a, _) => new Compress(a.Integer("axis"))),
            new("EyeLike", 9, NewestOpset, (a, _) => new EyeLike(a.Integer("k", 0), a.Integer("dtype") is { } type ? TypeOf(type) : null)),
            new("GatherND", 11, NewestOpset, (a, _) => new GatherND(a.Integer("batch_dims", 0))),
            new("NonMaxSuppression", 10, NewestOpset, (a, _) => new NonMaxSuppression(a.Flag("center_point_box"))),
            Plain<NonZero>("NonZero", 9),
            new("OneHot", 9, NewestOpset, (a, _) => new OneHot(a.Integer("axis", -1))),
            new("ReverseSequence", 10, NewestOpset, (a, _) => new ReverseSequence(a.Integer("time_axis", 0), a.Integer("batch_axis", 1))),
            new("Scatter", 9, 10, (a, _) => new ScatterElements(a.Integer("axis", 0))),
            new("ScatterElements", 11, NewestOpset, (a, _) => new ScatterElements(a.Integer("axis", 0), ReductionOf(a))),
            new("ScatterND", 11, NewestOpset, (a, _) => new ScatterND(ReductionOf(a))),
            new("TopK", 7, 9, (a, _) => new TopK(a.Integer("axis", -1), Count: Needed(a.Integer("k"), "k"))),
            new("TopK", 10, NewestOpset, (a, _) => new TopK(a.Integer("axis", -1), a.Flag("largest", true))),
            new("Trilu", 14, NewestOpset, (a, _) => new Trilu(a.Flag("upper", true))),
        ];

    private static OnnxOperator[] Control() =>
        [
            new(
                "If",
                7,
                NewestOpset,
                (a, _) => new If(new Subgraph(Body(a, "then_branch").Graph), new Subgraph(Body(a, "else_branch").Graph))
            ),
            new("Loop", 7, NewestOpset, (a, _) => Body(a, "body") is var body ? new Loop(new Subgraph(body.Graph), body.OwnInputs) : null!),
        ];

    private static BitFunction Direction(OnnxAttributes a) =>
        a.Has("direction")
            ? Choice(a, "direction", "", ("LEFT", BitFunction.ShiftLeft), ("RIGHT", BitFunction.ShiftRight))
            : throw Missing("direction");

    private static ScatterReduction ReductionOf(OnnxAttributes a) => Choice(a, "reduction", "none", ScatterReductions);

    private static OnnxBody Body(OnnxAttributes a, string name) => a.Body(name) ?? throw Missing(name);

    private static GroupNormalization Grouped(OnnxAttributes a, bool scalesGroups) =>
        new(Needed(a.Integer("num_groups"), "num_groups")) { Epsilon = a.Float("epsilon", 1e-5f), ScalesGroups = scalesGroups };

    private static SignalWindow Spectral(string type, OnnxAttributes a) =>
        new(type, a.Flag("periodic", true), a.Integer("output_datatype") is { } number ? TypeOf(number) : ElementType.Float32);

    private static GridSample Sampled(OnnxAttributes a) =>
        new()
        {
            Interpolation = Choice(
                a,
                "mode",
                "linear",
                ("linear", ResizeInterpolation.Linear),
                ("bilinear", ResizeInterpolation.Linear),
                ("nearest", ResizeInterpolation.Nearest),
                ("cubic", ResizeInterpolation.Cubic),
                ("bicubic", ResizeInterpolation.Cubic)
            ),
            Padding = Choice(
                a,
                "padding_mode",
                "zeros",
                ("zeros", GridPadding.Zeros),
                ("border", GridPadding.Border),
                ("reflection", GridPadding.Reflection)
            ),
            AlignCorners = a.Flag("align_corners"),
        };

    private static Attention Attending(OnnxAttributes a)
    {
        if (a.Integer("qk_matmul_output_mode", 0) is < 0 or > 3)
            throw new BadInputException("Attribute 'qk_matmul_output_mode' may be 0 to 3.");
        return new()
        {
            IsCausal = a.Flag("is_causal"),
            Scale = a.Float("scale"),
            SoftCap = a.Float("softcap", 0),
            QueryHeads = a.Integer("q_num_heads", 0),
            KeyHeads = a.Integer("kv_num_heads", 0),
            ProductsAfter = a.Integer("qk_matmul_output_mode", 0),
        };
    }

    private static readonly (string, SequenceDirection)[] SequenceDirections =
    [
        ("forward", SequenceDirection.Forward),
        ("reverse", SequenceDirection.Reverse),
        ("bidirectional", SequenceDirection.Bidirectional),
    ];

    private static OnnxForm Walked(Recurrent layer, params ReadOnlySpan<(string, object?)> own)
    {
        GateFunction[] functions = [.. layer.Activations];
        return new(
            layer.Name,
            [
                ("hidden_size", Unless(layer.HiddenSize, 0)),
                ("direction", Text(layer.Direction, SequenceDirections)),
                ("activations", Some([.. functions.Select(static f => f.Name)])),
                ("activation_alpha", Some([.. functions.Where(static f => f.Takes.Alpha).Select(static f => f.Alpha)])),
                ("activation_beta", Some([.. functions.Where(static f => f.Takes.Beta).Select(static f => f.Beta)])),
                ("clip", Unless(layer.Clip, 0)),
                ("layout", Unless(layer.BatchFirst, false)),
                .. own,
            ]
        );

        static object? Some<T>(ImmutableArray<T> values) => values.IsEmpty ? null : values;
    }

    private static Recurrent Walking(OnnxAttributes a, Recurrent layer) =>
        layer with
        {
            HiddenSize = a.Integer("hidden_size", 0),
            Direction = Choice(a, "direction", "forward", SequenceDirections),
            Activations = ActivationsOf(a),
            Clip = a.Float("clip", 0),
            BatchFirst = a.Flag("layout"),
        };

    /// <summary>Functions take what parameters they need from the lists, in their order.</summary>
    private static ImmutableArray<GateFunction> ActivationsOf(OnnxAttributes a)
    {
        Queue<float> alphas = new(a.Floats("activation_alpha") ?? []),
            betas = new(a.Floats("activation_beta") ?? []);
        return
        [
            .. (a.Texts("activations") ?? []).Select(name =>
                GateFunction.From(name).Takes is var takes
                    ? GateFunction.From(
                        name,
                        takes.Alpha && alphas.TryDequeue(out float alpha) ? alpha : null,
                        takes.Beta && betas.TryDequeue(out float beta) ? beta : null
                    )
                    : default
            ),
        ];
    }
}
