using System.Globalization;
using System.Text;
using Tensorial.Analysis;
using Tensorial.Reports.Html;

namespace Tensorial.Reports.Charts;

/// <summary>
/// Draws a chart as SVG. Colours and fonts are classes of the report's style sheet, so that one drawing serves light, dark and print; the
/// script reads values back through the ends of the axes, which each drawing carries.
/// </summary>
internal static class ChartSvg
{
    /// <summary>A third of a pixel: points that move a curve by less are left out.</summary>
    private const double Tolerance = 0.33;

    public static void Write(Markup to, Chart chart)
    {
        Frame frame = FrameOf(chart);
        string size = string.Create(CultureInfo.InvariantCulture, $"0 0 {frame.Width} {frame.Height}");
        to.Open(
            "svg",
            ("viewBox", size),
            ("class", chart.Size is ChartSize.Wide ? "chart wide" : "chart"),
            ("role", "img"),
            ("aria-label", $"{chart.Title}. {chart.Description}"),
            ("data-x", Ends(chart.X, frame.Left, frame.Right)),
            ("data-y", Ends(chart.Y, frame.Bottom, frame.Top)),
            ("data-names", chart.X.Scale is OrdinalScale ordinal ? string.Join('\n', ordinal.Names) : null)
        );
        WriteContents(to, chart);
        to.Close();
    }

    /// <summary>Width and height of a chart's drawing, in pixels.</summary>
    public static (double Width, double Height) SizeOf(Chart chart) => (FrameOf(chart).Width, FrameOf(chart).Height);

    /// <summary>Axes and lines, for an SVG element that is open.</summary>
    public static void WriteContents(Markup to, Chart chart)
    {
        Frame frame = FrameOf(chart);
        WriteAxes(to, chart, frame);
        foreach (Level level in chart.Levels)
        {
            double y = frame.Y(chart.Y, level.Value);
            to.Open("path", ("class", "level"), ("d", $"M{At(frame.Left)} {At(y)}H{At(frame.Right)}"));
            to.Element("text", level.Label, ("class", "level"), ("x", At(frame.Right)), ("y", At(y - 4)), ("text-anchor", "end"));
        }
        foreach (Series series in chart.Series)
            WriteSeries(to, chart, frame, series);
        if (chart.Series.All(static s => s.Points.Count == 0))
        {
            to.Element(
                "text",
                chart.Empty,
                ("class", "empty"),
                ("x", At((frame.Left + frame.Right) / 2)),
                ("y", At((frame.Top + frame.Bottom) / 2)),
                ("text-anchor", "middle")
            );
        }
    }

    private static Frame FrameOf(Chart chart) => chart.Size is ChartSize.Wide ? new(540, 330) : new(340, 240);

    private static void WriteAxes(Markup to, Chart chart, Frame frame)
    {
        ValueList<double> across = chart.X.Scale.Ticks(5),
            up = chart.Y.Scale.Ticks(5);
        StringBuilder grid = new();
        foreach (double tick in up)
            grid.Append($"M{At(frame.Left)} {At(frame.Y(chart.Y, tick))}H{At(frame.Right)}");
        to.Open("path", ("class", "grid"), ("d", grid.ToString()));
        StringBuilder axis = new($"M{At(frame.Left)} {At(frame.Bottom)}H{At(frame.Right)}");
        foreach (double tick in across)
            axis.Append($"M{At(frame.X(chart.X, tick))} {At(frame.Bottom)}v4");
        to.Open("path", ("class", "axis"), ("d", axis.ToString()));
        to.Open("g", ("text-anchor", "end"));
        foreach (double tick in up)
            WriteTick(to, tick, chart.Y, up, frame.Left - 6, frame.Y(chart.Y, tick) + 4);
        to.Close().Open("g", ("text-anchor", "middle"));
        bool areNamed = chart.X.Scale is OrdinalScale { Names: var names } && AreNarrow(names, frame);
        foreach (double tick in areNamed ? [.. Enumerable.Range(1, (int)chart.X.Scale.High).Select(static k => (double)k)] : across)
            if (areNamed)
                to.Element(
                    "text",
                    ((OrdinalScale)chart.X.Scale).Names[(int)tick - 1],
                    ("x", At(frame.X(chart.X, tick))),
                    ("y", At(frame.Bottom + 19))
                );
            else
                WriteTick(to, tick, chart.X, across, frame.X(chart.X, tick), frame.Bottom + 19);
        to.Close();
        WriteTitle(to, chart.Y.Title, 0, 12, "start");
        WriteTitle(to, chart.X.Title, frame.Right, frame.Height - 5, "end");
    }

    /// <summary>Whether the names of an axis have room beside each other; numbers stand for those that have not.</summary>
    private static bool AreNarrow(ValueList<string> names, Frame frame)
    {
        // Of a letter in the larger type of narrow screens.
        const double letter = 9;
        return names.Count > 1 && (names.Max(static name => name.Length) + 1) * letter <= (frame.Right - frame.Left) / (names.Count - 1);
    }

    /// <summary>A letter after an underscore is an index: s_k.</summary>
    private static void WriteTitle(Markup to, string title, double x, double y, string anchor)
    {
        to.Open("text", ("class", "title"), ("x", At(x)), ("y", At(y)), ("text-anchor", anchor));
        string[] parts = title.Split('_');
        to.Text(parts[0]);
        foreach (string part in parts.AsSpan(1))
            to.Element("tspan", part[..1], ("class", "power"), ("dy", "2.5"))
                .Element("tspan", part[1..].Length > 0 ? part[1..] : "\u200b", ("dy", "-2.5"));
        to.Close();
    }

    private static void WriteTick(Markup to, double tick, Axis axis, ValueList<double> ticks, double x, double y)
    {
        to.Open("text", ("x", At(x)), ("y", At(y)));
        if (axis is { Format: TickFormat.PowerOfTen, Scale.Low: < 0.05 } && tick < 0.5)
        {
            to.Text("10").Element("tspan", Numbers.Count((long)Math.Round(Math.Log10(tick))), ("class", "power"), ("dy", "-4"));
        }
        else
        {
            to.Text(TickText(tick, axis.Format, ticks));
        }
        to.Close();
    }

    /// <summary>With as many decimals as the distance between ticks needs.</summary>
    private static string TickText(double tick, TickFormat format, ValueList<double> ticks)
    {
        if (format is TickFormat.PowerOfTen)
            return Numbers.Significant(tick, 1);
        if (format is TickFormat.Short)
            return Numbers.Short((long)Math.Round(tick));
        double step = ticks.Count > 1 ? ticks[1] - ticks[0] : 1;
        if (format is TickFormat.Percent)
            step *= 100;
        int decimals = step > 0 ? Math.Clamp((int)Math.Ceiling(-Math.Log10(step) - 1e-9), 0, 6) : 0;
        return format is TickFormat.Percent ? Numbers.Percent(tick, decimals) : Numbers.Fixed(tick, decimals);
    }

    private static void WriteSeries(Markup to, Chart chart, Frame frame, Series series)
    {
        List<(double X, double Y)> points = [.. series.Points.Select(p => (frame.X(chart.X, p.X), frame.Y(chart.Y, p.Y)))];
        if (points.Count == 0)
            return;
        bool dots = series.Dots || points.Count == 1;
        if (!dots)
            points = Thinning.Simplify(points, Tolerance);
        to.Open(
            "g",
            ("class", series.IsPale ? $"{series.Ink.Class} pale" : series.Ink.Class),
            ("data-name", series.Name),
            (
                "data-labels",
                dots && series.Points.Any(static p => p.Label.Length > 0)
                    ? string.Join('|', series.Points.Select(static p => p.Label))
                    : null
            )
        );
        StringBuilder line = new();
        foreach ((double x, double y) in points)
            line.Append(line.Length == 0 ? 'M' : 'L').Append(At(x)).Append(' ').Append(At(y));
        if (points.Count > 1 && series.HasLine)
            to.Open("path", ("class", "line"), ("d", line.ToString()));
        if (series.IsMark)
        {
            const double radius = 6;
            foreach ((double x, double y) in points)
                to.Open(
                    "path",
                    ("class", "mark"),
                    (
                        "d",
                        $"M{At(x - radius)} {At(y)}a{At(radius)} {At(radius)} 0 1 0 {At(2 * radius)} 0a{At(radius)} {At(radius)} 0 1 0 {At(-2 * radius)} 0"
                    )
                );
        }
        if (dots)
        {
            // A line of no length with round ends is a dot, at a fraction of a circle's bytes.
            line.Clear();
            foreach ((double x, double y) in points)
                line.Append('M').Append(At(x)).Append(' ').Append(At(y)).Append("h0");
            to.Open("path", ("class", "dots"), ("d", line.ToString()));
        }
        WriteRanges(to, chart, frame, series);
        to.Close();
    }

    /// <summary>Bars with ends, where points have a range.</summary>
    private static void WriteRanges(Markup to, Chart chart, Frame frame, Series series)
    {
        StringBuilder bars = new();
        foreach (Point point in series.Points)
            if (point.Range is { } range)
            {
                double x = frame.X(chart.X, point.X),
                    low = frame.Y(chart.Y, range.Low),
                    high = frame.Y(chart.Y, range.High);
                bars.Append($"M{At(x)} {At(low)}V{At(high)}M{At(x - 3)} {At(low)}h6M{At(x - 3)} {At(high)}h6");
            }
        if (bars.Length > 0)
            to.Open("path", ("class", "bars"), ("d", bars.ToString()));
    }

    /// <summary>Kind, low and high value, and where they lie.</summary>
    private static string Ends(Axis axis, double low, double high)
    {
        string kind = axis.Scale switch
        {
            LogScale => "log",
            OrdinalScale => "names",
            _ => axis.Format is TickFormat.Percent ? "percent" : "linear",
        };
        return $"{kind} {Numbers.Exact(axis.Scale.Low)} {Numbers.Exact(axis.Scale.High)} {At(low)} {At(high)}";
    }

    private static string At(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    /// <summary>The plot inside its margins, which hold tick labels left and below and the title of the upright axis above.</summary>
    private readonly record struct Frame(double Width, double Height)
    {
        public double Left => 50;

        public double Right => Width - 10;

        public double Top => 30;

        public double Bottom => Height - 44;

        public double X(Axis axis, double value) => Left + (axis.Scale.Position(value) * (Right - Left));

        public double Y(Axis axis, double value) => Bottom - (axis.Scale.Position(value) * (Bottom - Top));
    }
}
