using System.Collections.Immutable;
using Tensorial.Operations;

namespace Tensorial.Onnx;

/// <summary>The way back: from our records to operators.</summary>
internal static partial class OnnxOperators
{
    /// <summary>How an operator set writes an operation that was made here.</summary>
    /// <param name="operation">The operation; what it holds as properties becomes attributes or constant inputs.</param>
    /// <param name="opset">The operator set to write for.</param>
    /// <param name="type">Element type of the first operand, which some constant inputs share.</param>
    /// <exception cref="UnsupportedException">The operator set cannot say it, or nothing of ours creates the operation.</exception>
    public static OnnxForm Write(Operation operation, int opset, ElementType type = ElementType.Float32)
    {
        OnnxForm form =
            Form(operation, opset, type)
            ?? (
                All.FirstOrDefault(row => row.Domain.Length == 0 && row.Record == operation.GetType()) is { } plain
                    ? new OnnxForm(plain.Type)
                    : null
            )
            ?? throw new UnsupportedException($"{operation.Name} cannot be written as an ONNX operator.");
        return ByType[("", form.Type)].Any(row => opset >= row.Since && opset <= row.Until)
            ? form
            : throw new UnsupportedException($"{form.Type} does not exist in ONNX operator set {opset}.");
    }

    private static OnnxForm? Form(Operation operation, int opset, ElementType type) =>
        operation switch
        {
            Convolution c => Windowed("Conv", c, ("group", Unless(c.Groups, 1))),
            ConvolutionTranspose c => Windowed(
                "ConvTranspose",
                c,
                ("group", Unless(c.Groups, 1)),
                ("output_padding", Given(c.OutputPadding)),
                ("output_shape", Given(c.OutputShape))
            ),
            MaxPool p => Windowed("MaxPool", p, ("ceil_mode", Unless(p.CeilMode, false)), ("storage_order", Unless(p.ColumnMajor, false))),
            AveragePool p => Windowed(
                "AveragePool",
                p,
                ("ceil_mode", Unless(p.CeilMode, false)),
                ("count_include_pad", Unless(p.CountIncludePad, false))
            ),
            LpPool p => Windowed("LpPool", p, ("p", p.P), ("ceil_mode", Unless(p.CeilMode, false))),
            GlobalLpPool p => new("GlobalLpPool", ("p", p.P)),
            Gemm g => new(
                "Gemm",
                ("alpha", Unless(g.Alpha, 1)),
                ("beta", Unless(g.Beta, 1)),
                ("transA", Unless(g.TransposeA, false)),
                ("transB", Unless(g.TransposeB, false))
            ),
            Lstm l => Walked(l, ("input_forget", Unless(l.InputForget, false))),
            Gru g => Walked(g, ("linear_before_reset", Unless(g.LinearBeforeReset, false))),
            Rnn r => Walked(r),
            EinsumOf e => new("Einsum", ("equation", e.Equation.ToString())),
            BatchNormalization n => new("BatchNormalization", ("epsilon", n.Epsilon)),
            InstanceNormalization n => new("InstanceNormalization", ("epsilon", n.Epsilon)),
            LayerNormalization n => new("LayerNormalization", ("axis", n.Axis), ("epsilon", n.Epsilon)),
            Lrn n => new("LRN", ("size", n.Size), ("alpha", n.Alpha), ("beta", n.Beta), ("bias", n.Bias)),
            LeakyRelu f => new("LeakyRelu", ("alpha", f.Alpha)),
            Elu f => new("Elu", ("alpha", f.Alpha)),
            Selu f => new("Selu", ("alpha", f.Alpha), ("gamma", f.Gamma)),
            HardSigmoid f => new("HardSigmoid", ("alpha", f.Alpha), ("beta", f.Beta)),
            Gelu f => new("Gelu", ("approximate", f.Tanh ? "tanh" : "none")),
            Clip c when opset < 11 => new("Clip", ("min", c.Min), ("max", c.Max)),
            Clip c => new OnnxForm("Clip").Taking(Scalar(c.Min, type), Scalar(c.Max, type)),
            Softmax s => Line("Softmax", s, opset),
            LogSoftmax s => Line("LogSoftmax", s, opset),
            Dropout d => opset < 12 ? new("Dropout", ("ratio", d.Ratio)) : new("Dropout"),
            Reduction r => Reduced(r, opset),
            QuantizeLinear or DequantizeLinear => Quantization(operation, opset),
            _ => Movement(operation, opset, type),
        };

    /// <summary>Scales along an axis came with operator set 13, blocks and the type as an attribute with 21.</summary>
    private static OnnxForm Quantization(Operation operation, int opset)
    {
        (int axis, int block, ElementType? type) =
            operation is QuantizeLinear q ? (q.Axis, q.BlockSize, q.Type)
            : operation is DequantizeLinear d ? (d.Axis, d.BlockSize, d.Type)
            : default;
        if (opset < 21 && (block != 0 || type is not null))
            throw Beyond(operation, opset, "blocks or a type of its own");
        return new(
            operation.Name,
            ("axis", opset >= 13 ? Unless(axis, 1) : null),
            ("block_size", Unless(block, 0)),
            ("output_dtype", type is { } given ? OnnxTensors.DataTypeOf(given) : null)
        );
    }

    private static OnnxForm? Movement(Operation operation, int opset, ElementType type) =>
        operation switch
        {
            Constant c => new("Constant", ("value", c.Value)),
            Cast c => new("Cast", ("to", OnnxTensors.DataTypeOf(c.Type))),
            Concat c => new("Concat", ("axis", c.Axis)),
            Flatten f => new("Flatten", ("axis", f.Axis)),
            Gather g => new("Gather", ("axis", g.Axis)),
            Transpose t => new("Transpose", ("perm", Given(t.Order))),
            ShapeOf { Start: 0, End: null } => new("Shape"),
            ShapeOf s when opset >= 15 => new("Shape", ("start", s.Start), ("end", s.End)),
            Reshape { AllowZero: true } when opset < 14 => throw Beyond(operation, opset, "an extent of 0"),
            Reshape r => new OnnxForm("Reshape", ("allowzero", Unless(r.AllowZero, false))).Taking(Whole(r.Extents)),
            Expand e => new OnnxForm("Expand").Taking(Whole(e.Extents)),
            Tile t => new OnnxForm("Tile").Taking(Whole(t.Repeats)),
            Squeeze s => opset < 13 ? new("Squeeze", ("axes", s.Axes)) : new OnnxForm("Squeeze").Taking(Whole(s.Axes)),
            Unsqueeze u => opset < 13 ? new("Unsqueeze", ("axes", u.Axes)) : new OnnxForm("Unsqueeze").Taking(Whole(u.Axes)),
            Slice { Steps: not null } when opset < 10 => throw Beyond(operation, opset, "steps"),
            Slice s => opset < 10
                ? new("Slice", ("starts", s.Starts), ("ends", s.Ends), ("axes", s.Axes))
                : new OnnxForm("Slice").Taking(Whole(s.Starts), Whole(s.Ends), Whole(s.Axes), Whole(s.Steps)),
            Split { Sizes: null } s when opset >= 18 => new("Split", ("axis", s.Axis), ("num_outputs", s.Parts)),
            Split s => opset < 13
                ? new("Split", ("axis", s.Axis), ("split", s.Sizes))
                : new OnnxForm("Split", ("axis", s.Axis)).Taking(Whole(s.Sizes)),
            Pad { Mode: PadMode.Wrap } when opset < 19 => throw Beyond(operation, opset, "padding by wrapping around"),
            Pad p when opset < 11 => new("Pad", ("pads", p.Pads), ("mode", Text(p.Mode, PadModes)), ("value", p.Value)),
            Pad p => new OnnxForm("Pad", ("mode", Text(p.Mode, PadModes))).Taking(
                Whole(p.Pads),
                p.Pads is null ? null : Scalar(p.Value, type)
            ),
            Resize { HasRegion: true, Scales: null } r when opset >= 11 => Resized(r, opset),
            ScatterElements s => new("ScatterElements", ("axis", s.Axis), ("reduction", Named(s.Reduction, opset))),
            TopK { Count: null } t => new("TopK", ("axis", t.Axis), ("largest", opset >= 11 ? Unless(t.Largest, true) : null)),
            _ => null,
        };

    private static OnnxForm Resized(Resize r, int opset)
    {
        if (opset < 18 && (r.Axes is not null || r.AspectRatio != AspectRatio.Stretch))
            throw Beyond(r, opset, "some axes or a kept aspect ratio");
        Sampling s = r.Sampling;
        return new(
            "Resize",
            ("mode", Text(s.Interpolation, ResizeModes)),
            ("coordinate_transformation_mode", Text(s.Coordinates, CoordinateModes)),
            ("nearest_mode", s.Interpolation == ResizeInterpolation.Nearest ? Text(s.Nearest, NearestModes) : null),
            ("cubic_coeff_a", s.CubicA),
            ("exclude_outside", Unless(s.ExcludeOutside, false)),
            ("extrapolation_value", Unless(s.Outside, 0)),
            ("axes", r.Axes),
            (
                "keep_aspect_ratio_policy",
                r.AspectRatio switch
                {
                    AspectRatio.NotLarger => "not_larger",
                    AspectRatio.NotSmaller => "not_smaller",
                    _ => null,
                }
            )
        );
    }

    /// <summary>How repeated places are reduced, where the operator set can say it.</summary>
    private static string? Named(ScatterReduction reduction, int opset) =>
        reduction == ScatterReduction.None ? null
        : opset >= 16 ? Text(reduction, ScatterReductions)
        : throw new UnsupportedException($"ONNX operator set {opset} has no ScatterElements with a reduction.");

    private static OnnxForm Windowed(string type, Windowed w, params ReadOnlySpan<(string, object?)> own) =>
        new(
            type,
            [
                ("kernel_shape", Given(w.KernelShape)),
                ("strides", Given(w.Strides)),
                ("dilations", Given(w.Dilations)),
                ("pads", w.AutoPad == AutoPad.Explicit ? Given(w.Pads) : null),
                ("auto_pad", w.AutoPad == AutoPad.Explicit ? null : Text(w.AutoPad, AutoPads)),
                .. own,
            ]
        );

    /// <summary>Both meanings of the axis agree when it is the last one; otherwise each belongs to its operator sets.</summary>
    private static OnnxForm Line(string type, SoftmaxLike s, int opset) =>
        s.Axis == -1 || s.Flattened == opset < 13
            ? new(type, ("axis", s.Axis))
            : throw Beyond(s, opset, s.Flattened ? "normalising several axes together" : "normalising an axis that is not the last");

    private static OnnxForm Reduced(Reduction r, int opset)
    {
        string type = r.Name;
        bool axesAreInput = ByType[("", type)].Max(static row => row.Since) <= opset;
        (string, object?) keep = ("keepdims", Unless(r.KeepDims, true));
        if (axesAreInput)
            return new OnnxForm(type, keep, ("noop_with_empty_axes", Unless(r.NoneByDefault, false))).Taking(Whole(r.Axes));
        return r.NoneByDefault && r.Axes is null or []
            ? throw Beyond(r, opset, "a reduction over no axes")
            : new(type, keep, ("axes", r.Axes));
    }

    private static UnsupportedException Beyond(Operation operation, int opset, string what) =>
        new($"ONNX operator set {opset} has no {operation.Name} for {what}.");

    /// <summary>A value, unless it is the operator's default.</summary>
    private static object? Unless<T>(T value, T otherwise)
        where T : struct, IEquatable<T> => value.Equals(otherwise) ? null : value;

    private static object? Given(ImmutableArray<int> values) => values.IsEmpty ? null : values;

    private static string Text<T>(T value, (string Text, T Value)[] choices)
        where T : struct, Enum => Array.Find(choices, choice => choice.Value.Equals(value)).Text;

    private static Tensor<long>? Whole(ImmutableArray<int>? values) =>
        values is { } list ? new([list.Length], list.Select(static value => (long)value).ToArray()) : null;

    private static Tensor? Scalar(float? value, ElementType type) =>
        value is { } number ? new Tensor<float>([], new[] { number }).To(type) : null;
}
