using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>What lies outside a grid that is sampled.</summary>
public enum GridPadding
{
    /// <summary>Zeros.</summary>
    Zeros,

    /// <summary>The nearest value of the border.</summary>
    Border,

    /// <summary>The signal mirrored at its border.</summary>
    Reflection,
}

/// <summary>
/// X[n,c,x…] sampled at the positions that a grid [n,y…,d] names: d coordinates between -1 and 1, the last axis of X first.
/// </summary>
public sealed record GridSample : FloatOperation
{
    /// <summary>Points of the grid that are one piece of work.</summary>
    private const int Points = 256;

    /// <summary>Values of a point that the stack has room for.</summary>
    private const int FewTaps = 64;

    /// <summary>How values between samples are found.</summary>
    public ResizeInterpolation Interpolation { get; init; } = ResizeInterpolation.Linear;

    /// <summary>What lies outside of the signal.</summary>
    public GridPadding Padding { get; init; }

    /// <summary>Whether -1 and 1 are the centres of the outermost values instead of their outer edges.</summary>
    public bool AlignCorners { get; init; }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Floating(0, "X"),
            grid = inputs.Floating(1, "grid");
        int axes = x.Shape.Rank - 2;
        if (axes < 1 || grid.Shape.Rank != axes + 2 || grid.Shape[^1] != axes || grid.Shape[0] != x.Shape[0])
            throw new ShapeException($"a grid of {grid.Shape} does not sample {x.Shape}.");
        if (axes > 8)
            throw new UnsupportedException($"sampling of {axes} spatial axes is not supported.");
        if (x.Shape.ElementCount == 0 && grid.Shape.ElementCount > 0)
            throw new ShapeException($"nothing can be sampled from {x.Shape}.");
        return [new(x.Type, [x.Shape[0], x.Shape[1], .. grid.Shape.Skip(1).SkipLast(1)])];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            grid = inputs[1]!.Of<T>(),
            y = outputs[0].Of<T>();
        int planeX = x.Shape.ElementCountOf(2, x.Shape.Rank),
            planeY = y.Shape.ElementCountOf(2, y.Shape.Rank),
            channels = x.Shape[1],
            parts = (planeY + Points - 1) / Points;
        workers.For(
            x.Shape[0] * parts,
            part =>
            {
                (int image, int first) = (part / parts, part % parts * Points);
                int most = MostTaps(x.Shape.Rank - 2);
                Span<(int Offset, T Weight)> taps = most <= FewTaps ? stackalloc (int, T)[FewTaps] : new (int, T)[most];
                for (int to = first; to < Math.Min(planeY, first + Points); to++)
                {
                    int count = Taps(x.Shape, grid.Values, image * planeY + to, taps);
                    for (int c = 0; c < channels; c++)
                    {
                        ReadOnlySpan<T> plane = x.Values.Slice((image * channels + c) * planeX, planeX);
                        T sum = T.Zero;
                        foreach ((int offset, T weight) in taps[..count])
                            sum += weight * plane[offset];
                        y.Values[(image * channels + c) * planeY + to] = sum;
                    }
                }
            }
        );
    }

    internal override Reads? GradientReads(int input) =>
        input switch
        {
            0 => Reads.Input(1),
            1 => Reads.Input(0) | Reads.Input(1),
            _ => null,
        };

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is { } dx)
            ToSampled(pull, dx);
        if (pull.Gradient(1) is { } dg)
            ToGrid(pull, dg);
    }

    private void ToSampled<T>(in Pullback<T> pull, Tensor<T> dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Shape shape = dx.Shape;
        int planeX = shape.ElementCountOf(2, shape.Rank),
            planeY = pull.Dy.Shape.ElementCountOf(2, shape.Rank);
        var taps = new (int Offset, T Weight)[MostTaps(shape.Rank - 2)];
        for (int point = 0; point < shape[0] * planeY; point++)
            foreach ((int offset, T weight) in taps.AsSpan(0, Taps(shape, pull.Input(1).Values, point, taps)))
                for (int c = 0; c < shape[1]; c++)
                {
                    int plane = point / planeY * shape[1] + c;
                    dx.Values[plane * planeX + offset] += weight * pull.Dy.Values[plane * planeY + point % planeY];
                }
    }

    /// <summary>∂L/∂grid: along each axis the slopes of the shares stand in place of the shares.</summary>
    private void ToGrid<T>(in Pullback<T> pull, Tensor<T> dg)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Shape shape = pull.Shape(0);
        int axes = shape.Rank - 2,
            planeX = shape.ElementCountOf(2, shape.Rank),
            planeY = pull.Dy.Shape.ElementCountOf(2, shape.Rank);
        ReadOnlySpan<T> grid = pull.Input(1).Values,
            x = pull.Input(0).Values,
            dy = pull.Dy.Values;
        var taps = new (int Offset, T Weight)[MostTaps(axes)];
        for (int point = 0; point < shape[0] * planeY; point++)
        for (int axis = 0; axis < axes; axis++)
        {
            double sum = 0;
            foreach ((int offset, T weight) in taps.AsSpan(0, Taps(shape, grid, point, taps, sloped: axis)))
                for (int c = 0; c < shape[1]; c++)
                {
                    int plane = point / planeY * shape[1] + c;
                    sum += double.CreateTruncating(weight * x[plane * planeX + offset] * dy[plane * planeY + point % planeY]);
                }
            int place = point * axes + axes - 1 - axis;
            dg.Values[place] += T.CreateTruncating(sum * SlopeOfPlace(double.CreateTruncating(grid[place]), shape[2 + axis]));
        }
    }

    /// <summary>Values that make one, at most.</summary>
    private int MostTaps(int axes)
    {
        int most = 1;
        for (int axis = 0; axis < axes; axis++)
            most *= TapsAlong;
        return most;
    }

    private int TapsAlong =>
        Interpolation switch
        {
            ResizeInterpolation.Nearest => 1,
            ResizeInterpolation.Linear => 2,
            _ => 4,
        };

    /// <summary>Finds the values of a plane that make the value at one point of the grid.</summary>
    /// <param name="shape">Extents of what is sampled.</param>
    /// <param name="grid">The points.</param>
    /// <param name="point">Which of them.</param>
    /// <param name="taps">Where the values stand and what they are multiplied with.</param>
    /// <param name="sloped">An axis along which weights are the derivatives of those by the place; none where negative.</param>
    /// <returns>How many they are.</returns>
    private int Taps<T>(Shape shape, ReadOnlySpan<T> grid, int point, Span<(int Offset, T Weight)> taps, int sloped = -1)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int axes = shape.Rank - 2,
            count = 1;
        taps[0] = (0, T.One);
        Span<(int Index, double Share)> along = stackalloc (int, double)[4];
        for (int axis = 0; axis < axes; axis++)
        {
            int extent = shape[2 + axis];
            int found = Along(Locate(double.CreateTruncating(grid[point * axes + axes - 1 - axis]), extent), extent, along, axis == sloped);
            // From the last: what a value becomes takes its place and those behind.
            for (int k = count - 1; k >= 0; k--)
            {
                (int offset, T weight) = taps[k];
                for (int other = found - 1; other >= 0; other--)
                    taps[k * found + other] = (offset * extent + along[other].Index, weight * T.CreateTruncating(along[other].Share));
            }
            count *= found;
        }
        return count;
    }

    /// <summary>Where a coordinate lies along an axis, what lies outside brought in.</summary>
    private double Locate(double coordinate, int extent)
    {
        double at = AlignCorners ? (coordinate + 1) / 2 * (extent - 1) : ((coordinate + 1) * extent - 1) / 2;
        if (Interpolation == ResizeInterpolation.Nearest)
            at = Math.Round(at);
        return Padding switch
        {
            _ when double.IsNaN(at) && Padding != GridPadding.Zeros => 0,
            // A cubic curve goes on beyond the border, over values that repeat it; four values on it is that value.
            GridPadding.Border when Interpolation == ResizeInterpolation.Cubic => Math.Clamp(at, -4, extent + 3),
            GridPadding.Border => Math.Clamp(at, 0, extent - 1),
            GridPadding.Reflection => Reflected(at, extent),
            _ => at,
        };
    }

    private double Reflected(double at, int extent)
    {
        (double low, double high) = AlignCorners ? (0.0, extent - 1.0) : (-0.5, extent - 0.5);
        double range = high - low;
        if (range == 0 || !double.IsFinite(at))
            return 0;
        double turned = Math.Abs(at - low) % (2 * range);
        return low + (turned > range ? 2 * range - turned : turned);
    }

    /// <summary>The values along an axis that make one, and their shares.</summary>
    /// <returns>How many they are.</returns>
    private int Along(double at, int extent, Span<(int Index, double Share)> taps, bool slopes)
    {
        // What is no number, or too far away to count, meets nothing.
        if (!(Math.Abs(at) < 1 << 30))
            return 0;
        double floor = Math.Floor(at),
            rest = at - floor;
        int first = (int)floor - (Interpolation == ResizeInterpolation.Cubic ? 1 : 0),
            count = 0;
        for (int k = 0; k < TapsAlong; k++)
        {
            int index = first + k;
            bool isOutside = index < 0 || index >= extent;
            if (isOutside && Padding == GridPadding.Zeros)
                continue;
            if (isOutside && Padding == GridPadding.Reflection)
                index = (int)Reflected(index, extent);
            double share = Interpolation switch
            {
                ResizeInterpolation.Nearest => slopes ? 0 : 1,
                ResizeInterpolation.Linear when slopes => k == 0 ? -1 : 1,
                ResizeInterpolation.Linear => k == 0 ? 1 - rest : rest,
                _ when slopes => k < 2 ? KeysSlope(1 - k + rest) : -KeysSlope(k - 1 - rest),
                _ => Keys(Math.Abs(k - 1 - rest)),
            };
            taps[count++] = (Math.Clamp(index, 0, extent - 1), share);
        }
        return count;
    }

    /// <summary>The derivative of a place (<see cref="Locate"/>) by the coordinate; none on the border and beyond.</summary>
    private double SlopeOfPlace(double coordinate, int extent)
    {
        double slope = (AlignCorners ? extent - 1 : extent) / 2.0,
            at = AlignCorners ? (coordinate + 1) / 2 * (extent - 1) : ((coordinate + 1) * extent - 1) / 2;
        if (Padding == GridPadding.Border)
            return Interpolation == ResizeInterpolation.Cubic || at > 0 && at < extent - 1 ? slope : 0;
        if (Padding == GridPadding.Zeros)
            return slope;
        (double low, double range) = AlignCorners ? (0.0, extent - 1.0) : (-0.5, extent);
        if (range == 0 || !double.IsFinite(at))
            return 0;
        double turned = (at - low) % (2 * range);
        return Math.Abs(turned) > range == turned < 0 ? slope : -slope;
    }

    /// <summary>The derivative of <see cref="Keys"/> for t from 0 to 2.</summary>
    private static double KeysSlope(double t)
    {
        const double a = -0.75;
        return t < 1 ? (3 * (a + 2) * t - 2 * (a + 3)) * t : (3 * a * t - 10 * a) * t + 8 * a;
    }

    /// <summary>The cubic kernel (Keys 1981) with a = -0.75.</summary>
    private static double Keys(double t)
    {
        const double a = -0.75;
        return t < 1 ? ((a + 2) * t - (a + 3)) * t * t + 1 : ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
    }
}
