using Tensorial.Analysis;

namespace Tensorial.Reports;

/// <summary>A document as a tree of values: what is said, not how it looks. <see cref="Html.HtmlWriter"/> sets it as a page.</summary>
/// <param name="Title">Names the page.</param>
/// <param name="Kind">What sort of document this is, in a few words.</param>
internal sealed record Report(string Title, string Kind, ValueList<Section> Sections);

/// <summary>A part with a heading and an entry in the contents.</summary>
/// <param name="Id">A fragment name, unique in the report.</param>
internal sealed record Section(string Id, string Title, ValueList<Block> Blocks);

/// <summary>Anything that stands in a section.</summary>
internal abstract record Block;

internal sealed record Heading(string Text) : Block;

internal sealed record Paragraph(Prose Text) : Block
{
    /// <summary>Whether it carries the answer and is set larger.</summary>
    public bool Leads { get; init; }
}

/// <summary>Explanations beside the thread, in a frame.</summary>
internal sealed record Aside(string Title, ValueList<Block> Blocks) : Block;

/// <summary>Terms and what they mean, or names and their values.</summary>
internal sealed record Definitions(ValueList<Definition> Items) : Block;

internal sealed record Definition(Prose Term, Prose Meaning);

/// <summary>The few numbers to remember.</summary>
internal sealed record KeyNumbers(ValueList<KeyNumber> Items) : Block;

internal sealed record KeyNumber(string Value, string Label, string Note = "");

/// <summary>Charts that share a caption and a legend.</summary>
/// <param name="Id">A fragment name, unique in the report.</param>
internal sealed record Figure(string Id, Prose Caption, ValueList<Charts.Chart> Charts) : Block
{
    public Charts.Legend? Legend { get; init; }
}

/// <summary>A matrix of numbers whose backgrounds say how strong they are.</summary>
/// <param name="Caption">What the numbers are.</param>
/// <param name="Columns">Headings of the cells.</param>
internal sealed record HeatMap(Prose Caption, ValueList<string> Columns, ValueList<HeatRow> Rows) : Block
{
    /// <summary>Headings of words that follow the cells of each row.</summary>
    public ValueList<string> Remarks { get; init; } = [];
}

/// <param name="Name">The row's name.</param>
/// <param name="FullName">The name without abbreviation, for those who ask.</param>
/// <param name="Detail">A few words more.</param>
/// <param name="Target">The fragment its name leads to; empty for none.</param>
/// <param name="Cells">One for each column; null where there is nothing to say.</param>
internal sealed record HeatRow(string Name, string FullName, string Detail, string Target, ValueList<HeatCell?> Cells)
{
    /// <summary>One for each heading of <see cref="HeatMap.Remarks"/>.</summary>
    public ValueList<Prose> Remarks { get; init; } = [];
}

/// <param name="Strength">0 for the faintest background, 1 for the strongest.</param>
/// <param name="Text">The number.</param>
/// <param name="Explanation">What it says, for those who ask.</param>
/// <param name="Marked">Whether it stands out; what that means is the caption's to say.</param>
internal sealed record HeatCell(double Strength, string Text, string Explanation, bool Marked);

/// <summary>The scale under a heat map.</summary>
/// <param name="Faint">What the faintest means.</param>
/// <param name="Strong">What the strongest means.</param>
internal sealed record HeatScale(string Faint, string Strong, Prose Note) : Block;

/// <summary>Several views of the same thing, one of which is seen.</summary>
/// <param name="Id">Unique in the report.</param>
/// <param name="Label">What is chosen.</param>
internal sealed record ReportChoice(string Id, string Label, ValueList<Option> Options) : Block
{
    /// <summary>Which option is seen first.</summary>
    public int First { get; init; }
}

internal sealed record Option(string Label, ValueList<Block> Blocks);

/// <summary>Many parts of the same kind, each closed until it is opened.</summary>
/// <param name="Label">What one of them is: layer.</param>
internal sealed record Deck(string Label, ValueList<Card> Cards) : Block;

/// <param name="Id">A fragment name, unique in the report.</param>
internal sealed record Card(string Id, string Name, string Detail, ValueList<Block> Blocks);

/// <summary>A table to be read; long ones can be sorted and filtered.</summary>
/// <param name="Id">A fragment name, unique in the report.</param>
internal sealed record TableBlock(string Id, Prose Caption, Table Table) : Block
{
    /// <summary>Whether it is long enough to scroll in a box of its own, with a filter.</summary>
    public bool IsLong { get; init; }

    /// <summary>Rows shown at most; what is left out is in the CSV file.</summary>
    public int MaximumRows { get; init; } = int.MaxValue;
}
