namespace Tensorial.Equations;

/// <summary>A tensor on the way from the operands to the result: its axes, numbered as in the problem, in no order yet.</summary>
internal sealed class IndexList(AxisIndex[] legs)
{
    public AxisIndex this[int axis] => legs[axis];

    public int Axes => legs.Length;

    /// <summary>Number of values; a floating-point number, as a search also looks at tensors that fit no memory.</summary>
    public double Size { get; } = SizeOf(legs);

    public bool Has(int axis) => legs[axis].Extent > 0;

    public IndexList Without(int axis)
    {
        AxisIndex[] rest = [.. legs];
        rest[axis] = default;
        return new(rest);
    }

    /// <summary>The same values, their sums along convolved axes counted on the other side of the relation.</summary>
    public IndexList Negated() => new([.. legs.Select(static leg => leg with { Scale = -leg.Scale, Start = -leg.Start })]);

    private static double SizeOf(AxisIndex[] legs)
    {
        double size = 1;
        foreach (AxisIndex leg in legs)
            if (leg.Extent > 0)
                size *= leg.Extent;
        return size;
    }
}
