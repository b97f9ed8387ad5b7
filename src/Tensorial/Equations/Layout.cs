namespace Tensorial.Equations;

/// <summary>
/// Where a term's values lie: its axes, outermost first, and the distance between neighbours along each axis of the problem.
/// </summary>
internal sealed record Layout(int[] Order, int[] Strides)
{
    /// <summary>Values one after another in the order given.</summary>
    public static Layout From(IndexList term, params ReadOnlySpan<int> order)
    {
        int[] strides = new int[term.Axes];
        for (int place = order.Length - 1, stride = 1; place >= 0; stride *= term[order[place--]].Extent)
            strides[order[place]] = stride;
        return new(order.ToArray(), strides);
    }

    /// <summary>
    /// An operand as the caller brings it: an axis that it names twice advances in both places, one that it does not name stands still.
    /// </summary>
    public static Layout From(IndexList term, string operand, Shape shape, string axes)
    {
        int[] own = shape.Strides(),
            strides = new int[term.Axes];
        for (int place = 0; place < operand.Length; place++)
            if (axes.IndexOf(operand[place], StringComparison.Ordinal) is >= 0 and int axis)
                strides[axis] += own[place];
        int[] named = [.. operand.Distinct().Select(axis => axes.IndexOf(axis, StringComparison.Ordinal)).Where(term.Has)];
        return new([.. named, .. Enumerable.Range(0, term.Axes).Where(axis => term.Has(axis) && !named.Contains(axis))], strides);
    }
}

/// <summary>One loop of a step: over the entries of an axis, which of a convolved one being told by <see cref="Place"/>.</summary>
/// <param name="Axis">The axis.</param>
/// <param name="Place">0, 1 or 2: the entry of the left term, the right one or the product; <see cref="Plain"/> where all share it.</param>
/// <param name="Role">What it is in the matrix product.</param>
/// <param name="Extent">Number of entries.</param>
internal readonly record struct AxisLoop(int Axis, int Place, Role Role, int Extent)
{
    public const int Plain = 3;
}

/// <summary>An axis of a matrix product C[batch, left, right] = Σ A[batch, left, summed] B[batch, summed, right].</summary>
internal enum Role
{
    Batch,
    Left,
    Right,
    Summed,
}
