using Tensorial.Analysis;

namespace Tensorial.Reports.Charts;

/// <summary>Lines over two axes: all that the reports need to draw. <see cref="ChartSvg"/> turns one into SVG.</summary>
/// <param name="Title">Stands above it.</param>
/// <param name="Description">What a reader would see in it, for those who cannot.</param>
internal sealed record Chart(string Title, string Description, Axis X, Axis Y, ValueList<Series> Series)
{
    /// <summary>Values worth a horizontal line.</summary>
    public ValueList<Level> Levels { get; init; } = [];

    /// <summary>Which line is which, where the figure does not say for all its charts.</summary>
    public Legend? Legend { get; init; }

    public ChartSize Size { get; init; } = ChartSize.Panel;

    /// <summary>Said in place of the lines where there are none.</summary>
    public string Empty { get; init; } = "nothing measured";
}

/// <param name="Title">What is measured, with its unit.</param>
internal sealed record Axis(string Title, Scale Scale, TickFormat Format);

/// <summary>A line, points, or both.</summary>
/// <param name="Name">Shown with each value.</param>
/// <param name="Ink">Its colour and dash.</param>
internal sealed record Series(string Name, Ink Ink, ValueList<Point> Points)
{
    /// <summary>
    /// Whether each point was measured, and so gets a dot; otherwise the line is a curve of which points may be thinned out.
    /// </summary>
    public bool Dots { get; init; }

    /// <summary>Whether its points are joined.</summary>
    public bool HasLine { get; init; } = true;

    /// <summary>Whether its points are rings around points of other series.</summary>
    public bool IsMark { get; init; }

    /// <summary>Whether it stands back behind others.</summary>
    public bool IsPale { get; init; }
}

/// <param name="Label">Said with the value, such as the rank; empty for none.</param>
internal readonly record struct Point(double X, double Y, string Label = "")
{
    /// <summary>Where the true value may lie, drawn as a bar; null where that is not known.</summary>
    public (double Low, double High)? Range { get; init; }
}

internal sealed record Level(double Value, string Label);

/// <summary>Panel: a third of a page, as for small multiples. Wide: half a page or more.</summary>
internal enum ChartSize
{
    Panel,
    Wide,
}

internal enum TickFormat
{
    Number,
    Percent,
    Short,
    PowerOfTen,
}

/// <summary>Which line is which.</summary>
/// <param name="Entries">Names and inks; empty for a scale of depth alone.</param>
/// <param name="Depth">The ends of the depth scale, from the first layer to the last; null where the inks are not of depth.</param>
internal sealed record Legend(ValueList<LegendEntry> Entries, DepthScale? Depth = null);

internal sealed record LegendEntry(string Name, Ink Ink);

internal sealed record DepthScale(string First, string Last);
