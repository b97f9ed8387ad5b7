namespace Tensorial.Data.Jpeg;

/// <summary>
/// Components of fewer samples at the size of the picture. Halved ones are interpolated, a quarter of the farther neighbour and three of
/// the nearer, with libjpeg's rounding; others are repeated.
/// </summary>
internal static class JpegUpsampling
{
    /// <summary>One row of a component at the picture's width.</summary>
    /// <param name="component">The component.</param>
    /// <param name="row">The picture's row.</param>
    /// <param name="mostAcross">The largest horizontal sampling of all components.</param>
    /// <param name="mostDown">The largest vertical sampling.</param>
    /// <param name="to">Receives the row; may get some more than the width, which padding is for.</param>
    /// <param name="sums">Room for a row of the component.</param>
    public static void Row(JpegComponent component, int row, int mostAcross, int mostDown, Span<byte> to, Span<int> sums)
    {
        bool wide = component.Across == mostAcross,
            halfWide = 2 * component.Across == mostAcross && component.Width > 2,
            tall = component.Down == mostDown,
            halfTall = 2 * component.Down == mostDown;
        if (halfTall && (halfWide || wide))
        {
            int near = row / 2,
                far = Math.Clamp(row % 2 == 0 ? near - 1 : near + 1, 0, component.Height - 1);
            ReadOnlySpan<byte> nearest = Line(component, near),
                other = Line(component, far);
            if (wide)
            {
                int bias = row % 2 == 0 ? 1 : 2;
                for (int k = 0; k < component.Width; k++)
                    to[k] = (byte)((3 * nearest[k] + other[k] + bias) >> 2);
                return;
            }
            for (int k = 0; k < component.Width; k++)
                sums[k] = 3 * nearest[k] + other[k];
            Doubled(sums[..component.Width], to, 4, 8, 7);
        }
        else if (tall && halfWide)
        {
            ReadOnlySpan<byte> line = Line(component, row);
            for (int k = 0; k < component.Width; k++)
                sums[k] = line[k];
            Doubled(sums[..component.Width], to, 2, 1, 2);
        }
        else
        {
            ReadOnlySpan<byte> line = Line(component, row * component.Down / mostDown);
            if (wide)
                line.CopyTo(to);
            else
                for (int k = 0; k < to.Length && k * component.Across / mostAcross < line.Length; k++)
                    to[k] = line[k * component.Across / mostAcross];
        }
    }

    private static ReadOnlySpan<byte> Line(JpegComponent component, int row) =>
        component.Samples.AsSpan(row * component.Stride, component.Width);

    /// <summary>Twice as many samples, each from the nearer and the farther; the two at the ends are those there.</summary>
    private static void Doubled(ReadOnlySpan<int> from, Span<byte> to, int shift, int left, int right)
    {
        int last = from.Length - 1;
        // At the ends there is no farther neighbour: four times the nearer; without sums over rows nothing is to be rounded.
        to[0] = (byte)((4 * from[0] + left) >> shift);
        to[2 * last + 1] = (byte)((4 * from[last] + right) >> shift);
        for (int k = 0; k < last; k++)
        {
            to[2 * k + 1] = (byte)((3 * from[k] + from[k + 1] + right) >> shift);
            to[2 * k + 2] = (byte)((3 * from[k + 1] + from[k] + left) >> shift);
        }
    }
}
