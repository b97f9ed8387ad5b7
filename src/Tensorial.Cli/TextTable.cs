namespace Tensorial.Cli;

/// <summary>A column of a table for people.</summary>
/// <param name="Heading">Its heading, with the unit; one that ends in '#' is over numbers, which align right and are never shortened.</param>
/// <param name="GivesWay">0 for a column that is always shown; where a terminal is too narrow, those of the largest number go first.</param>
internal readonly record struct Column(string Heading, int GivesWay = 0)
{
    public bool IsNumber => Heading.EndsWith('#');

    public string Title => Heading.TrimEnd('#');

    public static implicit operator Column(string heading) => new(heading);
}

/// <summary>A table for people: a heading, a rule, rows; as wide as it needs to be, or laid out for a terminal.</summary>
internal sealed class TextTable(params ReadOnlySpan<Column> columns)
{
    /// <summary>Characters of a cell, which may hold a name out of a stranger's file.</summary>
    private const int LongestCell = 200;

    private readonly List<string[]> _rows = [];

    public IReadOnlyList<Column> Columns { get; } = columns.ToArray();

    public IReadOnlyList<string[]> Rows => _rows;

    /// <summary>Adds a row; a cell for each column.</summary>
    public void AddRow(params ReadOnlySpan<string> cells)
    {
        if (cells.Length != Columns.Count)
            throw new ArgumentException($"{cells.Length} cells for {Columns.Count} columns.", nameof(cells));
        string[] row = new string[cells.Length];
        for (int i = 0; i < row.Length; i++)
            row[i] = Printable.Shorten(Printable.Escape(cells[i]), LongestCell);
        _rows.Add(row);
    }

    /// <summary>The lines of the table.</summary>
    /// <param name="width">Columns of the terminal; null where nothing limits a line.</param>
    public TableText Render(int? width) => TableLayout.From(this, width).Render(this);
}

/// <summary>A table as text.</summary>
/// <param name="Heading">Lines of the heading.</param>
/// <param name="Body">The rule and the rows.</param>
/// <param name="LeftOut">Titles of columns that did not fit.</param>
internal sealed record TableText(IReadOnlyList<string> Heading, IReadOnlyList<string> Body, IReadOnlyList<string> LeftOut);
