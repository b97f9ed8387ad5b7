namespace Tensorial.Operations;

/// <summary>Entries of equal shape along a new first axis.</summary>
internal static class Stacking
{
    /// <exception cref="ShapeException">The entries differ in type or extents.</exception>
    public static Tensor Stack(IReadOnlyList<Tensor> entries)
    {
        Tensor first = entries[0];
        Shape shape = [entries.Count, .. first.Shape];
        foreach (Tensor entry in entries)
            if (entry.Shape != first.Shape || entry.ElementType != first.ElementType)
                throw new ShapeException($"one round made {first}, another {entry}; they cannot be collected.");
        Tensor stacked = Tensor.Zeros(first.ElementType, shape);
        int length = first.Shape.ElementCount;
        for (int i = 0; i < entries.Count && length > 0; i++)
            entries[i].Bytes(0, length).CopyTo(stacked.Bytes(i * length, length));
        return stacked;
    }

    /// <summary>One entry of the first axis, or of another one.</summary>
    public static Tensor Entry(Tensor tensor, int axis, int index)
    {
        Tensor at = new Gather(axis).Apply(tensor, new Tensor<long>([], new[] { (long)index }))[0];
        return at;
    }
}
