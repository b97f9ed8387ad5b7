using Tensorial.Kernels.Blocked;

namespace Tensorial.Equations;

/// <summary>
/// Who is who in a step y = x * w: along each convolved axis x = stride·y + dilation·w - padding. Plain axes of x and y alone are batch, of
/// x and w input channels, of y and w output channels, of all three groups.
/// </summary>
internal sealed class PlaneRoles
{
    private readonly List<int> _batch = [],
        _groups = [],
        _inputs = [],
        _outputs = [],
        _space = [];
    private readonly IndexList[] _terms;
    private readonly PlaneAxis[] _axes;

    private PlaneRoles(Pair pair, int x, int y, int window, PlaneAxis[] axes, List<int> space)
    {
        (_terms, X, Y, Window, _axes, _space) = ([pair.Left, pair.Right, pair.Product], x, y, window, axes, space);
        for (int k = 0; k < pair.Left.Axes; k++)
        {
            if (space.Contains(k))
                continue;
            (bool inX, bool inY, bool inWindow) = (_terms[x].Has(k), _terms[y].Has(k), _terms[window].Has(k));
            if (inX && inY)
                (inWindow ? _groups : _batch).Add(k);
            else if (inX && inWindow)
                _inputs.Add(k);
            else if (inY && inWindow)
                _outputs.Add(k);
        }
    }

    /// <summary>
    /// Which of left (0), right (1) and product (2) is the signal, which the result of the convolution, which its kernel.
    /// </summary>
    public int X { get; }

    public int Y { get; }

    public int Window { get; }

    /// <summary>Where the kernel's values [groups · outputs, inputs, height, width] lie.</summary>
    public int[] Places { get; private set; } = [];

    public ConvolutionShape Shape
    {
        get
        {
            (int groups, PlaneAxis down, PlaneAxis right) = (Count(_groups), _axes.Length > 1 ? _axes[0] : PlaneAxis.One, _axes[^1]);
            return new(
                groups * Count(_inputs),
                groups * Count(_outputs),
                down.Taps,
                right.Taps,
                down.Stride,
                right.Stride,
                down.Dilation,
                right.Dilation,
                new(down.Before, right.Before, down.After, right.After),
                groups
            );
        }
    }

    /// <summary>A feature map, without a halo.</summary>
    public BlockedLayout Map(int place)
    {
        int height = _space.Count > 1 ? _terms[place][_space[0]].Extent : 1;
        return new(
            Count(_batch),
            Count(_groups) * Count(place == X ? _inputs : _outputs),
            height,
            _terms[place][_space[^1]].Extent,
            default
        );
    }

    /// <summary>Reads a step; null where it is nothing of the kind, or lies in another order.</summary>
    public static PlaneRoles? From(Pair pair, ReadOnlySpan<Layout> layouts)
    {
        IndexList[] terms = [pair.Left, pair.Right, pair.Product];
        List<int> convolved = [];
        for (int k = 0; k < pair.Left.Axes; k++)
            if (pair.Convolves(k))
                convolved.Add(k);
        if (convolved.Count is 0 or > 2)
            return null;
        int window = Enumerable.Range(0, 3).MinBy(place => convolved.Aggregate(1.0, (size, axis) => size * terms[place][axis].Extent));
        int y = window == 2 ? 1 : 2,
            x = 3 - window - y;
        return From(pair, layouts, convolved, x, y, window) ?? From(pair, layouts, convolved, y, x, window);
    }

    private static PlaneRoles? From(Pair pair, ReadOnlySpan<Layout> layouts, List<int> convolved, int x, int y, int window)
    {
        IndexList kernel =
            window == 0 ? pair.Left
            : window == 1 ? pair.Right
            : pair.Product;
        List<int> space = [.. layouts[x].Order.Where(convolved.Contains)];
        // Rows or columns that the kernel does not mix: a plane all the same, with a kernel of one tap along them.
        if (
            space.Count == 1
            && layouts[x].Order is [.., int down, int right]
            && (convolved.Contains(down) || convolved.Contains(right))
            && !(kernel.Has(down) && kernel.Has(right))
        )
            space = [down, right];
        PlaneAxis?[] axes =
        [
            .. space.Select(axis =>
                !convolved.Contains(axis) ? PlaneAxis.One
                : pair.Algebra.Modulus(axis) == 0 ? PlaneAxis.From(pair.RelationOf(axis), x, y, window)
                : null
            ),
        ];
        if (axes.Contains(null))
            return null;
        PlaneRoles roles = new(pair, x, y, window, [.. axes.OfType<PlaneAxis>()], space);
        roles.Order(layouts);
        if (!roles.Lies(layouts[x], x, roles._inputs) || !roles.Lies(layouts[y], y, roles._outputs))
            return null;
        roles.Places = roles.PlacesIn(layouts[window]);
        return roles;
    }

    /// <summary>Axes of a role in the order in which the feature maps have them.</summary>
    private void Order(ReadOnlySpan<Layout> layouts)
    {
        (int[] x, int[] y) = (layouts[X].Order, layouts[Y].Order);
        foreach (List<int> role in (List<int>[])[_batch, _groups, _inputs])
            role.Sort((a, b) => Array.IndexOf(x, a) - Array.IndexOf(x, b));
        _outputs.Sort((a, b) => Array.IndexOf(y, a) - Array.IndexOf(y, b));
    }

    /// <summary>Whether a feature map lies as batch, groups, channels, rows, columns, one value after another.</summary>
    private bool Lies(Layout layout, int place, List<int> channels)
    {
        int stride = 1;
        foreach (int axis in Enumerable.Reverse([.. _batch, .. _groups, .. channels, .. _space]))
        {
            int extent = _terms[place][axis].Extent;
            if (extent > 1 && layout.Strides[axis] != stride)
                return false;
            stride *= extent;
        }
        return true;
    }

    private int[] PlacesIn(Layout layout)
    {
        int[] places = [0];
        foreach (int axis in (int[])[.. _groups, .. _outputs, .. _inputs, .. _space])
        {
            int extent = Math.Max(1, _terms[Window][axis].Extent),
                stride = layout.Strides[axis];
            bool runsBackwards = _space.IndexOf(axis) is >= 0 and int k && _axes[k].RunsBackwards;
            places =
            [
                .. places.SelectMany(place =>
                    Enumerable.Range(0, extent).Select(tap => place + (runsBackwards ? extent - 1 - tap : tap) * stride)
                ),
            ];
        }
        return places;
    }

    private int Count(List<int> axes) =>
        axes.Aggregate(
            1,
            (count, axis) => count * Math.Max(_terms[0][axis].Extent, Math.Max(_terms[1][axis].Extent, _terms[2][axis].Extent))
        );
}

/// <summary>One convolved axis of a plane.</summary>
internal sealed record PlaneAxis(int Taps, int Stride, int Dilation, int Before, int After, bool RunsBackwards)
{
    /// <summary>The axis that a row lacks.</summary>
    public static PlaneAxis One { get; } = new(1, 1, 1, 0, 0, false);

    /// <summary>The relation of three entries as x = stride·y + dilation·w - before; null where it has another form, or crops.</summary>
    /// <param name="mirrored">Whether x is taken backwards.</param>
    public static PlaneAxis? From(IndexRelation incidence, int x, int y, int window, bool mirrored = false)
    {
        long sign = mirrored ? -incidence.Scale(x) : incidence.Scale(x),
            total = mirrored ? incidence.Total + sign * (incidence.Extent(x) - 1) : incidence.Total,
            stride = -sign * incidence.Scale(y),
            dilation = -sign * incidence.Scale(window),
            shift = sign * total;
        int taps = incidence.Extent(window);
        if (Math.Abs(sign) != 1 || stride < 1 || stride > int.MaxValue || Math.Abs(dilation) > int.MaxValue)
            return null;
        bool runsBackwards = dilation < 0;
        if (runsBackwards)
            (dilation, shift) = (-dilation, shift + dilation * (taps - 1));
        long after = stride * (incidence.Extent(y) - 1) + dilation * (taps - 1) + shift - (incidence.Extent(x) - 1);
        return shift > 0 || after <= -stride
            ? null
            : new(taps, (int)stride, (int)dilation, (int)-shift, (int)Math.Max(0, after), runsBackwards);
    }
}
