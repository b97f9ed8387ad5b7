namespace Tensorial.Operations;

/// <summary>Indices of several axes at once: the last axis of a tensor of indices holds one position for each of the first axes.</summary>
internal static class IndexTuples
{
    /// <summary>Axes that each tuple names.</summary>
    /// <exception cref="ShapeException">There is no last axis, or it names more axes than there are.</exception>
    public static int Depth(Shape indices, int axes) =>
        indices.Rank > 0 && indices[^1] is var depth && depth >= 1 && depth <= axes
            ? depth
            : throw new ShapeException($"indices of shape {indices} name no 1 to {axes} axes along their last one.");

    /// <summary>Where the slice that each tuple names begins, within one entry of the batch axes.</summary>
    /// <param name="given">The indices.</param>
    /// <param name="shape">Extents that they point into, without batch axes.</param>
    /// <param name="depth">How many of them a tuple names.</param>
    public static int[] Places(Tensor given, Shape shape, int depth)
    {
        ReadOnlySpan<long> values = given.To(ElementType.Int64).Of<long>().Values;
        int[] strides = shape.Strides(),
            extents = [.. shape.Take(depth)],
            places = new int[values.Length / depth];
        for (int i = 0; i < places.Length; i++)
        {
            ReadOnlySpan<long> tuple = values.Slice(i * depth, depth);
            int place = 0;
            for (int axis = 0; axis < tuple.Length; axis++)
            {
                long index = tuple[axis],
                    extent = extents[axis];
                if (index < 0)
                    index += extent;
                if ((ulong)index >= (ulong)extent)
                    throw new BadInputException($"index {tuple[axis]} lies outside axis {axis} of {extent} values.");
                place += (int)index * strides[axis];
            }
            places[i] = place;
        }
        return places;
    }

    public static void CheckType(ValueInfo indices)
    {
        if (indices.Type is not (ElementType.Int64 or ElementType.Int32))
            throw new BadInputException($"indices must hold Int64 numbers, not {indices.Type}.");
    }
}
