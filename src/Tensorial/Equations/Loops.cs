namespace Tensorial.Equations;

/// <summary>The loops of a step, in the order in which the left term has them.</summary>
internal sealed class Loops
{
    public Loops(Pair pair, Layout left, Layout right)
    {
        bool isOuter = true;
        foreach (int axis in left.Order)
        {
            int derived = pair.Convolves(axis) ? pair.Derived(axis) : -1;
            AxisLoop loop = derived switch
            {
                < 0 => new(
                    axis,
                    AxisLoop.Plain,
                    !pair.Right.Has(axis) ? Role.Left
                        : pair.Product.Has(axis) ? Role.Batch
                        : Role.Summed,
                    pair.Left[axis].Extent
                ),
                0 => new(axis, 2, Role.Left, pair.Product[axis].Extent),
                1 => new(axis, 0, Role.Summed, pair.Left[axis].Extent),
                _ => new(axis, 0, Role.Left, pair.Left[axis].Extent),
            };
            Convolves |= derived >= 0;
            isOuter &= loop.Role != Role.Summed && derived < 0;
            (isOuter ? Outer : Inner).Add(loop);
            if (derived == 0)
                Unfolded.Add(new(axis, 1, Role.Summed, pair.Right[axis].Extent));
        }
        foreach (int axis in right.Order)
        {
            int derived = pair.Convolves(axis) ? pair.Derived(axis) : -1;
            Folds |= derived == 2;
            if (!pair.Left.Has(axis))
                Right.Add(new(axis, AxisLoop.Plain, Role.Right, pair.Right[axis].Extent));
            else if (derived == 1)
                Right.Add(new(axis, 2, Role.Right, pair.Product[axis].Extent));
            else if (derived == 2)
                Right.Add(new(axis, 1, Role.Right, pair.Right[axis].Extent));
        }
    }

    /// <summary>Batches and left axes that lie outside everything else in the left term.</summary>
    public List<AxisLoop> Outer { get; } = [];

    /// <summary>The left term's other loops.</summary>
    public List<AxisLoop> Inner { get; } = [];

    /// <summary>Summed loops over the right entries of axes along which the left term is unfolded.</summary>
    public List<AxisLoop> Unfolded { get; } = [];

    /// <summary>Loops of the right term and the product alone, in the right term's order.</summary>
    public List<AxisLoop> Right { get; } = [];

    /// <summary>Whether the left term is unfolded along an axis; the right one may be too, along another.</summary>
    public bool UnfoldsLeft => Unfolded.Count > 0;

    public bool Folds { get; }

    public bool Convolves { get; }

    public static int Count(List<AxisLoop> loops) => loops.Aggregate(1, static (count, loop) => checked(count * loop.Extent));
}

/// <summary>Nested loops and how far each moves within both terms and the product.</summary>
internal sealed class LoopNest(List<AxisLoop> loops, Layout left, Layout right, Layout result)
{
    private readonly (int Extent, int Left, int Right, int Result)[] _loops =
    [
        .. loops.Select(loop => (loop.Extent, left.Strides[loop.Axis], right.Strides[loop.Axis], result.Strides[loop.Axis])),
    ];

    public int Count { get; } = Loops.Count(loops);

    public (int Left, int Right, int Result) At(int index)
    {
        (int left, int right, int result) = (0, 0, 0);
        for (int k = _loops.Length - 1; k >= 0; k--)
        {
            (index, int own) = Math.DivRem(index, _loops[k].Extent);
            left += own * _loops[k].Left;
            right += own * _loops[k].Right;
            result += own * _loops[k].Result;
        }
        return (left, right, result);
    }
}
