using Tensorial.Equations;
using Tensorial.Operations;

namespace Tensorial.Onnx;

/// <summary>What several rows of the table share.</summary>
internal static partial class OnnxOperators
{
    /// <summary>An operator without attributes.</summary>
    private static OnnxOperator Plain<T>(string type, int since = OldestOpset)
        where T : Operation, new() => new(type, since, NewestOpset, static (_, _) => new T()) { Record = typeof(T) };

    /// <summary>A reduction, whose axes were an attribute and became an input.</summary>
    private static OnnxOperator[] Reduction(string type, int axesAreInputSince, Func<Reduction> make) =>
        [
            new(
                type,
                OldestOpset,
                axesAreInputSince - 1,
                (a, _) => make() with { Axes = a.Integers("axes"), KeepDims = a.Flag("keepdims", true) }
            ),
            new(
                type,
                axesAreInputSince,
                NewestOpset,
                (a, _) => make() with { KeepDims = a.Flag("keepdims", true), NoneByDefault = a.Flag("noop_with_empty_axes") }
            ),
        ];

    private static ArgExtreme Extreme(OnnxAttributes a, ArgExtreme extreme) =>
        extreme with
        {
            Axis = a.Integer("axis", 0),
            KeepDims = a.Flag("keepdims", true),
            Last = a.Flag("select_last_index"),
        };

    private static Windowed Window(OnnxAttributes a, Windowed operation) =>
        operation with
        {
            KernelShape = a.Integers("kernel_shape") ?? [],
            Strides = a.Integers("strides") ?? [],
            Dilations = a.Integers("dilations") ?? [],
            Pads = a.Integers("pads") ?? [],
            AutoPad = Choice(a, "auto_pad", "NOTSET", AutoPads),
        };

    private static Operation Pool(OnnxAttributes a, Pooling pooling) => Window(a, pooling with { CeilMode = a.Flag("ceil_mode") });

    private static BatchNormalization Normalization(OnnxAttributes a, int outputs)
    {
        if (a.Flag("training_mode") || outputs > 1)
            throw new UnsupportedException("batch normalisation in training mode is not supported.");
        if (!a.Flag("spatial", true))
            throw new UnsupportedException("batch normalisation with spatial = 0 is not supported.");
        return new() { Epsilon = a.Float("epsilon", 1e-5f) };
    }

    private static readonly (string, AutoPad)[] AutoPads =
    [
        ("NOTSET", AutoPad.Explicit),
        ("VALID", AutoPad.Valid),
        ("SAME_UPPER", AutoPad.SameUpper),
        ("SAME_LOWER", AutoPad.SameLower),
    ];

    private static readonly (string, PadMode)[] PadModes =
    [
        ("constant", PadMode.Constant),
        ("reflect", PadMode.Reflect),
        ("edge", PadMode.Edge),
        ("wrap", PadMode.Wrap),
    ];

    private static PadMode ModeOf(OnnxAttributes a) => Choice(a, "mode", "constant", PadModes);

    private static readonly (string, Coordinates)[] CoordinateModes =
    [
        ("half_pixel", Coordinates.HalfPixel),
        ("half_pixel_symmetric", Coordinates.HalfPixelSymmetric),
        ("pytorch_half_pixel", Coordinates.PytorchHalfPixel),
        ("align_corners", Coordinates.AlignCorners),
        ("asymmetric", Coordinates.Asymmetric),
        ("tf_half_pixel_for_nn", Coordinates.HalfPixelForNearest),
        ("tf_crop_and_resize", Coordinates.CropAndResize),
    ];

    private static readonly (string, NearestMode)[] NearestModes =
    [
        ("round_prefer_floor", NearestMode.RoundPreferFloor),
        ("round_prefer_ceil", NearestMode.RoundPreferCeil),
        ("floor", NearestMode.Floor),
        ("ceil", NearestMode.Ceil),
    ];

    private static readonly (string, ResizeInterpolation)[] ResizeModes =
    [
        ("nearest", ResizeInterpolation.Nearest),
        ("linear", ResizeInterpolation.Linear),
        ("cubic", ResizeInterpolation.Cubic),
    ];

    private static ResizeInterpolation InterpolationOf(OnnxAttributes a) =>
        Choice(a, "mode", "nearest", [.. ResizeModes, ("bilinear", ResizeInterpolation.Linear)]);

    /// <summary>Sampling as it was before ONNX 11 gave it names.</summary>
    private static Sampling Grid(OnnxAttributes a) =>
        new()
        {
            Interpolation = InterpolationOf(a),
            Coordinates = Coordinates.Asymmetric,
            Nearest = NearestMode.Floor,
        };

    private static Resize Resized(OnnxAttributes a)
    {
        if (a.Flag("antialias"))
            throw new UnsupportedException("resizing with antialias = 1 is not supported.");
        return new()
        {
            HasRegion = true,
            Axes = a.Integers("axes"),
            AspectRatio = Choice(
                a,
                "keep_aspect_ratio_policy",
                "stretch",
                ("stretch", AspectRatio.Stretch),
                ("not_larger", AspectRatio.NotLarger),
                ("not_smaller", AspectRatio.NotSmaller)
            ),
            Sampling = new()
            {
                Interpolation = InterpolationOf(a),
                Coordinates = Choice(a, "coordinate_transformation_mode", "half_pixel", CoordinateModes),
                Nearest = Choice(a, "nearest_mode", "round_prefer_floor", NearestModes),
                CubicA = a.Float("cubic_coeff_a", -0.75f),
                ExcludeOutside = a.Flag("exclude_outside"),
                Outside = a.Float("extrapolation_value", 0),
            },
        };
    }

    private static Tensor ConstantOf(OnnxAttributes a)
    {
        if (a.Tensor("value") is { } tensor)
            return tensor;
        if (a.Float("value_float") is { } number)
            return new Tensor<float>([], new[] { number });
        if (a.Floats("value_floats") is { } numbers)
            return new Tensor<float>([numbers.Length], numbers.ToArray());
        if (a.Long("value_int") is { } integer)
            return new Tensor<long>([], new[] { integer });
        if (a.Longs("value_ints") is { } integers)
            return new Tensor<long>([integers.Length], integers.ToArray());
        if (a.Names.Any())
            throw new UnsupportedException($"constants given as '{string.Join(", ", a.Names)}' are not supported.");
        throw new BadInputException("a constant needs the attribute 'value'.");
    }

    private static ElementType TypeOf(int number) =>
        OnnxTensors.TypeOf(number)
        ?? throw new UnsupportedException($"the ONNX data type {number} (text, complex, 8-bit float or 4-bit) is not supported.");

    private static T Choice<T>(OnnxAttributes a, string name, string otherwise, params ReadOnlySpan<(string Text, T Value)> choices)
    {
        string text = a.Text(name) ?? otherwise;
        List<string> valid = [];
        foreach ((string candidate, T value) in choices)
        {
            if (candidate == text)
                return value;
            valid.Add(candidate);
        }
        throw new BadInputException($"Attribute '{name}' is '{text}'; it may be {string.Join(", ", valid)}.");
    }

    private static int Needed(int? value, string name) => value ?? throw Missing(name);

    /// <summary>Our equations can say more than ONNX's, which know single letters and nothing convolved.</summary>
    private static Equation PlainEquation(string text) =>
        Equation.Parse(text) is { IsPlain: true } plain
            ? plain
            : throw new BadInputException($"'{text}' is no equation of ONNX, whose axes are single letters, none of them convolved.");

    private static BadInputException Missing(string name) => new($"Attribute '{name}' is missing.");
}
