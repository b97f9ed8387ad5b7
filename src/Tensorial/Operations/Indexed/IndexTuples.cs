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
            places = new int[values.Length / depth];
        for (int i = 0; i < places.Length; i++)
        for (int axis = 0; axis < depth; axis++)
        {
            long index = values[i * depth + axis],
                extent = shape[axis];
            if (index < -extent || index >= extent)
                throw new BadInputException($"index {index} lies outside axis {axis} of {extent} values.");
            places[i] += (int)(index < 0 ? index + extent : index) * strides[axis];
        }
        return places;
    }

    public static void CheckType(ValueInfo indices)
    {
        if (indices.Type is not (ElementType.Int64 or ElementType.Int32))
            throw new BadInputException($"indices must hold Int64 numbers, not {indices.Type}.");
    }
}
