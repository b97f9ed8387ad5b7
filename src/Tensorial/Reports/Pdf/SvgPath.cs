using System.Globalization;
using System.Text;

namespace Tensorial.Reports.Pdf;

/// <summary>Path data of SVG as the path operators of PDF: <c>m</c>, <c>l</c>, <c>c</c>.</summary>
internal static class SvgPath
{
    /// <summary>How far the control points of a quarter circle lie from its ends, in radii: the Bézier curve is 0.03 % off at most.</summary>
    private const double Quarter = 0.5522847498;

    /// <summary>Writes a path; nothing is painted.</summary>
    /// <param name="to">The content of a page.</param>
    /// <param name="data">The commands M, L, H, V, h, v, and a for half circles: those that the figures are drawn with.</param>
    /// <exception cref="InvalidOperationException">Another command.</exception>
    public static void Write(StringBuilder to, string data)
    {
        (double x, double y) = (0, 0);
        int at = 0;
        while (at < data.Length)
        {
            char command = data[at++];
            int end = data.AsSpan(at).IndexOfAnyInRange('A', 'z') is var letters and >= 0 ? at + letters : data.Length;
            double[] numbers =
            [
                .. data[at..end]
                    .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                    .Select(static text => double.Parse(text, CultureInfo.InvariantCulture)),
            ];
            at = end;
            switch (command, numbers)
            {
                case ('M', [var left, var top]):
                    (x, y) = (left, top);
                    to.Append($"{PdfValue.Number(x)} {PdfValue.Number(y)} m ");
                    break;
                case ('a', [var radius, var same, 0, _, var sweep, var right, var down])
                    when radius == same && Math.Abs(double.Hypot(right, down) - (2 * radius)) < 0.05 * radius:
                    WriteHalfCircle(to, x, y, right, down, sweep == 0 ? 1 : -1);
                    (x, y) = (x + right, y + down);
                    break;
                default:
                    (x, y) = (command, numbers) switch
                    {
                        ('L', [var left, var top]) => (left, top),
                        ('H', [var left]) => (left, y),
                        ('V', [var top]) => (x, top),
                        ('h', [var right]) => (x + right, y),
                        ('v', [var down]) => (x, y + down),
                        _ => throw new InvalidOperationException($"No figure is drawn with the path command '{command}' in '{data}'."),
                    };
                    to.Append($"{PdfValue.Number(x)} {PdfValue.Number(y)} l ");
                    break;
            }
        }
    }

    /// <summary>Two quarter circles over a diameter.</summary>
    private static void WriteHalfCircle(StringBuilder to, double x, double y, double right, double down, int side)
    {
        // Half the diameter, and the radius upright to it on the side that the curve passes.
        (double ux, double uy) = (right / 2, down / 2);
        (double vx, double vy) = (-side * uy, side * ux);
        (double mx, double my) = (x + ux, y + uy);
        Curve((x + (Quarter * vx), y + (Quarter * vy)), (mx + vx - (Quarter * ux), my + vy - (Quarter * uy)), (mx + vx, my + vy));
        Curve(
            (mx + vx + (Quarter * ux), my + vy + (Quarter * uy)),
            (x + right + (Quarter * vx), y + down + (Quarter * vy)),
            (x + right, y + down)
        );

        void Curve(params ReadOnlySpan<(double X, double Y)> points)
        {
            foreach ((double px, double py) in points)
                to.Append($"{PdfValue.Number(px)} {PdfValue.Number(py)} ");
            to.Append("c ");
        }
    }
}
