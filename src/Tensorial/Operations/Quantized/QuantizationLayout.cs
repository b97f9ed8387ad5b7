namespace Tensorial.Operations;

/// <summary>
/// Which scale belongs to which value: one for all, one for each position along an axis, or one for each block of neighbours along it.
/// </summary>
/// <param name="Outer">Product of the extents before the axis.</param>
/// <param name="Extent">Extent of the axis; 1 where one scale serves all.</param>
/// <param name="Inner">Product of the extents behind the axis.</param>
/// <param name="Block">Neighbours along the axis that share a scale; 0 where a position along the axis has one scale throughout.</param>
internal readonly record struct QuantizationLayout(int Outer, int Extent, int Inner, int Block)
{
    /// <summary>The layout of scales of a shape over values of a shape.</summary>
    /// <exception cref="ShapeException">The scales fit neither the axis nor the blocks.</exception>
    public static QuantizationLayout From(Shape values, Shape scales, int axis, int block)
    {
        if (block == 0 && scales.ElementCount == 1 && scales.Rank <= 1)
            return new(1, 1, values.ElementCount, 0);
        axis = Operands.Axis(axis, values.Rank);
        (int outer, int extent, int inner) = (values.ElementCountOf(0, axis), values[axis], values.ElementCountOf(axis + 1, values.Rank));
        if (block == 0)
            return scales.Rank == 1 && scales[0] == extent
                ? new(outer, extent, inner, 0)
                : throw new ShapeException($"scales of shape {scales} fit neither all values nor axis {axis} of {values}.");
        if (block < 0)
            throw new ShapeException($"block_size is {block}; it must be 0 or more.");
        int blocks = (int)(((long)extent + block - 1) / block);
        return scales == values.With(axis, blocks)
            ? new(outer, extent, inner, block)
            : throw new ShapeException($"scales of shape {scales} do not stand for blocks of {block} along axis {axis} of {values}.");
    }

    /// <summary>Runs of neighbouring values with one scale, or, in blocks, with scales in a run of their own.</summary>
    public int Runs => Outer * Extent;

    /// <summary>Where the scale of a run lies; in blocks that of its first value, the next values having the next scales.</summary>
    public int ScaleOf(int run)
    {
        if (Extent == 1 && Block == 0)
            return 0;
        int position = run % Extent;
        return Block == 0 ? position : (run / Extent * ((Extent + Block - 1) / Block) + position / Block) * Inner;
    }
}
