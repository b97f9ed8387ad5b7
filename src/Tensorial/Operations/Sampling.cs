using System.Collections.Immutable;

namespace Tensorial.Operations;

/// <summary>How values between grid points are made.</summary>
public enum ResizeInterpolation
{
    /// <summary>The nearest sample.</summary>
    Nearest,

    /// <summary>Linear between neighbours.</summary>
    Linear,

    /// <summary>Cubic over four neighbours.</summary>
    Cubic,
}

/// <summary>Where a position of the result lies in the input; the names are ONNX's coordinate_transformation_mode.</summary>
public enum Coordinates
{
    /// <summary>ONNX <c>half_pixel</c>: (x + 0.5) / scale - 0.5.</summary>
    HalfPixel,

    /// <summary>ONNX <c>half_pixel_symmetric</c>: centred for outputs of rounded extent.</summary>
    HalfPixelSymmetric,

    /// <summary>ONNX <c>pytorch_half_pixel</c>: half pixel, and 0 where the output has extent 1.</summary>
    PytorchHalfPixel,

    /// <summary>ONNX <c>align_corners</c>: first and last samples coincide.</summary>
    AlignCorners,

    /// <summary>ONNX <c>asymmetric</c>: x / scale.</summary>
    Asymmetric,

    /// <summary>ONNX <c>tf_half_pixel_for_nn</c>: (x + 0.5) / scale.</summary>
    HalfPixelForNearest,

    /// <summary>ONNX <c>tf_crop_and_resize</c>: within a region of interest.</summary>
    CropAndResize,
}

/// <summary>Which neighbour is nearest; the first two differ for positions halfway between.</summary>
public enum NearestMode
{
    /// <summary>Rounds, halves down.</summary>
    RoundPreferFloor,

    /// <summary>Rounds, halves up.</summary>
    RoundPreferCeil,

    /// <summary>Rounds down.</summary>
    Floor,

    /// <summary>Rounds up.</summary>
    Ceil,
}

/// <summary>
/// Whether wanted extents are met one by one, or by one scale for all: the largest that does not exceed, or the smallest that reaches
/// them.
/// </summary>
public enum AspectRatio
{
    /// <summary>Every axis to its own extent.</summary>
    Stretch,

    /// <summary>One scale for all axes, no extent larger than asked.</summary>
    NotLarger,

    /// <summary>One scale for all axes, no extent smaller than asked.</summary>
    NotSmaller,
}

/// <summary>One axis to be resized.</summary>
/// <param name="Input">Extent of the input.</param>
/// <param name="Output">Extent of the result.</param>
/// <param name="Scale">Result over input, before rounding.</param>
/// <param name="From">Begin of the region that is sampled, 0 to 1.</param>
/// <param name="To">End of the region that is sampled, 0 to 1.</param>
internal readonly record struct SampledAxis(int Input, int Output, double Scale, double From, double To)
{
    public bool IsIdentity => Scale == 1 && Input == Output && From == 0 && To == 1;
}

/// <summary>A value of the input that takes part in a value of the result.</summary>
internal readonly record struct Tap(int Index, double Weight);

/// <summary>The rules by which a resized axis is sampled.</summary>
internal sealed record Sampling
{
    public ResizeInterpolation Interpolation { get; init; }

    public Coordinates Coordinates { get; init; }

    public NearestMode Nearest { get; init; }

    /// <summary>The parameter a of the cubic kernel (Keys 1981); -0.5 reproduces quadratics.</summary>
    public float CubicA { get; init; } = -0.75f;

    /// <summary>Whether cubic taps outside the input are left out, the others weighing more, instead of repeating the edge.</summary>
    public bool ExcludeOutside { get; init; }

    /// <summary>The value of positions outside the input when a region is sampled.</summary>
    public float Outside { get; init; }

    /// <summary>Where a position of the result lies along the input.</summary>
    public double Locate(SampledAxis axis, int position)
    {
        double half = (position + 0.5) / axis.Scale - 0.5,
            length = axis.Scale * axis.Input;
        return Coordinates switch
        {
            Coordinates.HalfPixelSymmetric => axis.Input / 2.0 * (1 - axis.Output / length) + half,
            Coordinates.PytorchHalfPixel => axis.Output > 1 ? half : 0,
            Coordinates.AlignCorners => length == 1 ? 0 : position * (axis.Input - 1) / (length - 1),
            Coordinates.Asymmetric => position / axis.Scale,
            Coordinates.HalfPixelForNearest => (position + 0.5) / axis.Scale,
            Coordinates.CropAndResize => axis.Output > 1
                ? axis.From * (axis.Input - 1) + position * (axis.To - axis.From) * (axis.Input - 1) / (axis.Output - 1)
                : 0.5 * (axis.From + axis.To) * (axis.Input - 1),
            _ => half,
        };
    }

    /// <summary>The values of the input that make one value of the result; their weights sum to 1.</summary>
    public ImmutableArray<Tap> Taps(SampledAxis axis, int position)
    {
        double at = Locate(axis, position),
            floor = Math.Floor(at),
            rest = at - floor;
        int first = (int)floor;
        return Interpolation switch
        {
            ResizeInterpolation.Nearest => [new(Within(Round(at), axis), 1)],
            ResizeInterpolation.Linear => [new(Within(first, axis), 1 - rest), new(Within(first + 1, axis), rest)],
            _ => Cubic(axis, first, rest),
        };
    }

    private int Round(double at) =>
        (int)(
            Nearest switch
            {
                NearestMode.Floor => Math.Floor(at),
                NearestMode.Ceil => Math.Ceiling(at),
                NearestMode.RoundPreferCeil => Math.Floor(at + 0.5),
                _ => Math.Ceiling(at - 0.5),
            }
        );

    private ImmutableArray<Tap> Cubic(SampledAxis axis, int first, double rest)
    {
        double total = 0;
        List<Tap> taps = [];
        for (int k = -1; k <= 2; k++)
        {
            if (ExcludeOutside && (first + k < 0 || first + k >= axis.Input))
                continue;
            double weight = Keys(Math.Abs(k - rest));
            taps.Add(new(Within(first + k, axis), weight));
            total += weight;
        }
        return [.. taps.Select(tap => tap with { Weight = tap.Weight / total })];
    }

    private double Keys(double t) =>
        t switch
        {
            < 1 => ((CubicA + 2) * t - (CubicA + 3)) * t * t + 1,
            < 2 => ((CubicA * t - 5 * CubicA) * t + 8 * CubicA) * t - 4 * CubicA,
            _ => 0,
        };

    private static int Within(int index, SampledAxis axis) => Math.Clamp(index, 0, axis.Input - 1);
}
