using Tensorial.Kernels;

namespace Tensorial.Equations;

/// <summary>
/// How a step reads an operand, or a piece of it: through tables of addresses, so that no order of axes needs a copy and no convolution an
/// unfolded matrix. Only axes that windows reach beyond, or stride over, are repacked first.
/// </summary>
internal sealed class Addressing
{
    private readonly UnfoldedAxis?[] _unfolded;
    private readonly int[] _strides;

    /// <param name="pair">The step.</param>
    /// <param name="own">The operand's place in it.</param>
    /// <param name="layout">Where the operand's values lie.</param>
    /// <param name="axes">The axes of a piece, outermost first.</param>
    /// <param name="isNew">Whether the order of the axes is not that of the layout.</param>
    public Addressing(Pair pair, int own, Layout layout, int[] axes, bool isNew = false)
    {
        IndexList term = own == 0 ? pair.Left : pair.Right;
        _unfolded = new UnfoldedAxis?[term.Axes];
        foreach (int axis in axes)
            if (pair.Convolves(axis) && pair.Derived(axis) == own)
                _unfolded[axis] = new(pair.RelationOf(axis), own);
        bool isDirect = !isNew && axes.All(axis => _unfolded[axis]?.IsOwn(term[axis].Extent) ?? true);
        _strides = [.. layout.Strides];
        if (isDirect)
            return;
        int size = 1;
        foreach (int axis in axes.Reverse())
        {
            _strides[axis] = size;
            size = checked(size * (_unfolded[axis]?.Extent ?? term[axis].Extent));
        }
        Laying = new([
            .. axes.Select(axis => (_unfolded[axis]?.Extent ?? term[axis].Extent, layout.Strides[axis], _unfolded[axis]?.Copies())),
        ]);
    }

    /// <summary>Lays a piece out anew; null where it is read where it lies.</summary>
    public Packing? Laying { get; }

    /// <summary>Where plain axes of a piece lie.</summary>
    public Layout Layout => new([], _strides);

    /// <summary>Addresses of all iterations of some loops.</summary>
    public AddressTable Table(List<AxisLoop> loops)
    {
        int stride = -1,
            next = -1;
        bool isEven = true;
        foreach (AxisLoop loop in Enumerable.Reverse(loops).Where(static loop => loop.Extent > 1))
        {
            int own = Offset(loop, 1) - Offset(loop, 0);
            for (int k = 0; isEven && k < loop.Extent; k++)
                isEven = Offset(loop, k) == k * own;
            isEven &= own >= 0 && (next < 0 || own == next);
            if (!isEven)
                break;
            if (stride < 0)
                stride = own;
            next = own * loop.Extent;
        }
        if (isEven)
            return AddressTable.Even(Loops.Count(loops), Math.Max(stride, 0));
        int[] offsets = [0];
        foreach (AxisLoop loop in loops)
            offsets = [.. offsets.SelectMany(offset => Enumerable.Range(0, loop.Extent).Select(k => offset + Offset(loop, k)))];
        return AddressTable.From(offsets);
    }

    private int Offset(AxisLoop loop, int entry) =>
        _strides[loop.Axis] * (_unfolded[loop.Axis] is { } unfolded ? unfolded.Offset(loop.Place, entry) : entry);
}
