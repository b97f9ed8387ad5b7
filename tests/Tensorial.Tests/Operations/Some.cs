namespace Tensorial.Tests.Operations;

/// <summary>Tensors and shapes made up from a seed.</summary>
internal static class Some
{
    /// <summary>Whole numbers from -8 to 8: sums and products of a few of them are exact in any floating-point type.</summary>
    public static Tensor<T> Whole<T>(Shape shape, int seed)
        where T : unmanaged
    {
        Random random = new(seed);
        Tensor<long> values = new(shape, Enumerable.Range(0, shape.ElementCount).Select(_ => (long)random.Next(-8, 9)).ToArray());
        return values.To(ElementTypes.Of<T>()).Of<T>();
    }

    /// <summary>Numbers spread evenly from -1 to 1.</summary>
    public static Tensor<T> Real<T>(Shape shape, int seed)
        where T : unmanaged
    {
        Random random = new(seed);
        Tensor<double> values = new(shape, Enumerable.Range(0, shape.ElementCount).Select(_ => 2 * random.NextDouble() - 1).ToArray());
        return values.To(ElementTypes.Of<T>()).Of<T>();
    }

    /// <summary>A shape of up to four small extents.</summary>
    public static Shape Shape(Random random, int leastRank = 0) =>
        [.. Enumerable.Range(0, random.Next(leastRank, 5)).Select(_ => random.Next(1, 5))];

    /// <summary>The multi-index of a position in row-major order.</summary>
    public static int[] Index(Shape shape, int position)
    {
        int[] index = new int[shape.Rank];
        for (int axis = shape.Rank - 1; axis >= 0; position /= shape[axis--])
            index[axis] = position % shape[axis];
        return index;
    }

    /// <summary>The value at a multi-index, whose axes are aligned at the end and of which extents of 1 take no notice.</summary>
    public static T At<T>(Tensor<T> tensor, ReadOnlySpan<int> index)
        where T : unmanaged
    {
        int[] strides = tensor.Shape.Strides();
        int position = 0;
        for (int axis = 1; axis <= strides.Length; axis++)
            if (tensor.Shape[^axis] > 1)
                position += index[^axis] * strides[^axis];
        return tensor.Values[position];
    }
}
