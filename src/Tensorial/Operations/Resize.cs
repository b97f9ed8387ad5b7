using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// A tensor sampled on a finer or coarser grid, axis after axis. Inputs are X and scales or, with <see cref="HasRegion"/>, X, region,
/// scales and sizes, of which either scales or sizes is given. Extents that follow from scales are rounded down.
/// </summary>
public sealed record Resize : FloatOperation
{
    /// <summary>Whether the inputs are X, region, scales, sizes (ONNX 11 and later) instead of X, scales.</summary>
    public bool HasRegion { get; init; }

    /// <summary>Scales where they are not an input.</summary>
    public ImmutableArray<float>? Scales { get; init; }

    /// <summary>The axes that region, scales and sizes speak of; null for all.</summary>
    public ImmutableArray<int>? Axes { get; init; }

    /// <summary>How sizes keep the ratio of the extents.</summary>
    public AspectRatio AspectRatio { get; init; }

    /// <summary>How positions are found and values between them made.</summary>
    internal Sampling Sampling { get; init; } = new();

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "X");
        if (!x.Type.IsFloating() && x.Type is not (ElementType.UInt8 or ElementType.Int8))
            throw new UnsupportedException($"resizing of {x.Type} values is not supported.");
        Tensor? scales = inputs.Constant(HasRegion ? 2 : 1, "scales"),
            sizes = HasRegion ? inputs.Constant(3, "sizes") : null;
        if (HasRegion && Sampling.Coordinates == Coordinates.CropAndResize)
            _ = inputs.Constant(1, "roi");
        return [new(x.Type, [.. Resolve(x.Shape, null, scales, sizes).Select(static grid => grid.Output)])];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            y = outputs[0].Of<T>();
        SampledAxis[] grids = Resolve(x.Shape, inputs);
        Shape shape = x.Shape;
        ReadOnlyMemory<T> values = x.Memory;
        for (int axis = 0; axis < grids.Length; axis++)
        {
            if (grids[axis].IsIdentity)
                continue;
            Shape next = shape.With(axis, grids[axis].Output);
            T[] sampled = new T[next.ElementCount];
            Sample(values, shape.ElementCountOf(0, axis), grids[axis], shape.ElementCountOf(axis + 1, shape.Rank), sampled, workers);
            (shape, values) = (next, sampled);
        }
        values.Span.CopyTo(y.Values);
        if (Sampling.Coordinates == Coordinates.CropAndResize)
            Extrapolate(grids, y, T.CreateChecked(Sampling.Outside));
    }

    private void Sample<T>(ReadOnlyMemory<T> x, int outer, SampledAxis grid, int inner, T[] y, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ImmutableArray<Tap>[] taps = [.. Enumerable.Range(0, grid.Output).Select(position => Sampling.Taps(grid, position))];
        workers.For(
            outer,
            block =>
            {
                ReadOnlySpan<T> source = x.Span.Slice(block * grid.Input * inner, grid.Input * inner);
                Span<T> target = y.AsSpan(block * grid.Output * inner, grid.Output * inner);
                for (int position = 0; position < grid.Output; position++)
                {
                    Span<T> row = target.Slice(position * inner, inner);
                    foreach ((int index, double weight) in taps[position])
                        TensorPrimitives.MultiplyAdd(source.Slice(index * inner, inner), T.CreateTruncating(weight), row, row);
                }
            }
        );
    }

    /// <summary>Positions outside the input, along any axis, take the value meant for them.</summary>
    private void Extrapolate<T>(SampledAxis[] grids, Tensor<T> y, T value)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int[] strides = y.Shape.Strides();
        for (int axis = 0; axis < grids.Length; axis++)
        {
            SampledAxis grid = grids[axis];
            bool[] outside =
            [
                .. Enumerable.Range(0, grid.Output).Select(i => Sampling.Locate(grid, i)).Select(x => x < 0 || x > grid.Input - 1),
            ];
            for (int i = 0; i < y.Values.Length; i++)
                if (outside[i / strides[axis] % grid.Output])
                    y.Values[i] = value;
        }
    }

    internal override Reads? GradientReads(int input) => input == 0 ? new Reads(0b1110, 0) : null;

    /// <summary>The adjoint of sampling, axis after axis from the last: what a value gave to the result comes back to it.</summary>
    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx)
            return;
        SampledAxis[] grids = Resolve(dx.Shape, pull.Inputs);
        Tensor<T> values = pull.Dy.Clone();
        if (Sampling.Coordinates == Coordinates.CropAndResize)
            Extrapolate(grids, values, T.Zero);
        for (int axis = grids.Length - 1; axis >= 0; axis--)
            if (!grids[axis].IsIdentity)
                values = Spread(values, axis, grids[axis], workers);
        dx.Add<T>(values.Values);
    }

    private Tensor<T> Spread<T>(Tensor<T> dy, int axis, SampledAxis grid, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<T> dx = new(dy.Shape.With(axis, grid.Input));
        int inner = dy.Shape.ElementCountOf(axis + 1, dy.Shape.Rank);
        ImmutableArray<Tap>[] taps = [.. Enumerable.Range(0, grid.Output).Select(position => Sampling.Taps(grid, position))];
        workers.For(
            dy.Shape.ElementCountOf(0, axis),
            block =>
            {
                Span<T> target = dx.Values.Slice(block * grid.Input * inner, grid.Input * inner);
                for (int position = 0; position < grid.Output; position++)
                {
                    ReadOnlySpan<T> row = dy.Values.Slice((block * grid.Output + position) * inner, inner);
                    foreach ((int index, double weight) in taps[position])
                        TensorPrimitives.MultiplyAdd(
                            row,
                            T.CreateTruncating(weight),
                            target.Slice(index * inner, inner),
                            target.Slice(index * inner, inner)
                        );
                }
            }
        );
        return dx;
    }

    /// <summary>
    /// By axis, how many times every value is repeated, where that is all that happens; null for any other resizing.
    /// </summary>
    internal int[]? Repeats(Shape shape, ReadOnlySpan<Tensor?> inputs)
    {
        if (Sampling.Coordinates == Coordinates.CropAndResize)
            return null;
        SampledAxis[] grids = Resolve(shape, inputs);
        int[] factors = new int[grids.Length];
        for (int axis = 0; axis < grids.Length; axis++)
        {
            SampledAxis grid = grids[axis];
            factors[axis] = grid.Input == 0 ? 0 : grid.Output / grid.Input;
            if (factors[axis] == 0 || grid.Output != grid.Input * factors[axis])
                return null;
            for (int position = 0; position < grid.Output && !grid.IsIdentity; position++)
            {
                Tap[] taps = [.. Sampling.Taps(grid, position).Where(static tap => tap.Weight != 0)];
                if (taps is not [{ Weight: 1 } only] || only.Index != position / factors[axis])
                    return null;
            }
        }
        return factors;
    }

    /// <summary>
    /// By axis, the taps of every position, where every position is inside the input; null where a region is cut out.
    /// </summary>
    internal ImmutableArray<Tap>[][]? Taps(Shape shape, ReadOnlySpan<Tensor?> inputs) =>
        Sampling.Coordinates == Coordinates.CropAndResize
            ? null
            :
            [
                .. Resolve(shape, inputs)
                    .Select(grid =>
                        Enumerable
                            .Range(0, grid.Output)
                            .Select(position => grid.IsIdentity ? [new(position, 1)] : Sampling.Taps(grid, position))
                            .ToArray()
                    ),
            ];

    private SampledAxis[] Resolve(Shape shape, ReadOnlySpan<Tensor?> inputs) =>
        HasRegion
            ? Resolve(shape, inputs.Optional(1), inputs.Optional(2), inputs.Optional(3))
            : Resolve(shape, null, inputs.Optional(1), null);

    private SampledAxis[] Resolve(Shape shape, Tensor? region, Tensor? scalesGiven, Tensor? sizesGiven)
    {
        ImmutableArray<int> axes = Axes is { } some ? Operands.Axes(some, shape.Rank) : [.. Enumerable.Range(0, shape.Rank)];
        ImmutableArray<float> scales = scalesGiven is { Shape.ElementCount: > 0 } ? scalesGiven.Floats("scales") : Scales ?? [];
        ImmutableArray<int> sizes = sizesGiven is { Shape.ElementCount: > 0 } ? sizesGiven.Integers("sizes") : [];
        if (scales.IsEmpty == sizes.IsEmpty)
            throw new BadInputException("either scales or sizes must be given, and not both.");
        if (Math.Max(scales.Length, sizes.Length) != axes.Length)
            throw new ShapeException($"{Math.Max(scales.Length, sizes.Length)} scales or sizes do not fit {axes.Length} axes of {shape}.");
        ImmutableArray<float> corners = region is { Shape.ElementCount: > 0 } ? region.Floats("roi") : [];
        if (!corners.IsEmpty && corners.Length != 2 * axes.Length)
            throw new ShapeException($"roi has {corners.Length} values, not {2 * axes.Length}.");
        SampledAxis[] grids = [.. shape.Select(static extent => new SampledAxis(extent, extent, 1, 0, 1))];
        double common = AspectRatio == AspectRatio.Stretch || sizes.IsEmpty ? 0 : Common(shape, axes, sizes);
        for (int i = 0; i < axes.Length; i++)
        {
            int extent = shape[axes[i]];
            double scale =
                common > 0 ? common
                : sizes.IsEmpty ? scales[i]
                : (double)sizes[i] / extent;
            double output =
                common > 0 ? Math.Floor(common * extent + 0.5)
                : sizes.IsEmpty ? Math.Floor(extent * scales[i])
                : sizes[i];
            if (!(scale > 0) || !(output >= 1) || output > int.MaxValue)
                throw new ShapeException($"axis {axes[i]} of {shape} cannot be resized to {output} values by the scale {scale:0.###}.");
            (double from, double to) = corners.IsEmpty ? (0, 1) : (corners[i], corners[i + axes.Length]);
            grids[axes[i]] = new(extent, (int)output, scale, from, to);
        }
        return grids;
    }

    private double Common(Shape shape, ImmutableArray<int> axes, ImmutableArray<int> sizes)
    {
        IEnumerable<double> ratios = axes.Select((axis, i) => (double)sizes[i] / shape[axis]);
        return AspectRatio == AspectRatio.NotLarger ? ratios.Min() : ratios.Max();
    }
}
