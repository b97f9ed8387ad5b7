using System.Globalization;
using Tensorial.Analysis;

namespace Tensorial.Reports;

/// <summary>
/// Rows of values under columns that know how to show them. The page and the CSV file are two writings of the same table.
/// </summary>
/// <param name="Rows">One cell for each column. May be made as it is read.</param>
internal sealed record Table(ValueList<Column> Columns, IEnumerable<ValueList<Cell>> Rows);

/// <param name="Key">The column's name in CSV, camelCase.</param>
/// <param name="Title">Its name for people.</param>
/// <param name="Format">How its numbers are shown.</param>
/// <param name="Note">What it means, where the title does not say; empty for none.</param>
internal sealed record Column(string Key, string Title, CellFormat Format, string Note = "");

/// <summary>How the cells of a column are shown; CSV always has the whole number, fractions as fractions.</summary>
internal enum CellFormat
{
    Text,
    Code,
    Count,
    Percent,
    PercentFine,
    Points,
    Significant,
    Fixed3,
}

/// <summary>A number, a text, or nothing.</summary>
internal readonly record struct Cell
{
    private Cell(double? number, string? text) => (Number, Text) = (number, text);

    public double? Number { get; }

    public string? Text { get; }

    public static Cell None => default;

    public static implicit operator Cell(double? value) => new(value, null);

    public static implicit operator Cell(int? value) => new(value, null);

    public static implicit operator Cell(long? value) => new(value, null);

    public static implicit operator Cell(string? text) => new(null, text);

    /// <summary>As people read it.</summary>
    public string Shown(CellFormat format) =>
        Number is not { } number
            ? Text ?? "–"
            : format switch
            {
                CellFormat.Count => Numbers.Count((long)number),
                CellFormat.Percent => Numbers.Percent(number),
                CellFormat.PercentFine => Numbers.Percent(number, 2),
                CellFormat.Points => Numbers.Points(number),
                CellFormat.Fixed3 => Numbers.Fixed(number, 3),
                CellFormat.Significant => Numbers.Significant(number),
                _ => number.ToString(CultureInfo.InvariantCulture),
            };

    /// <summary>As machines read it; empty for nothing.</summary>
    public string Exact => Number is { } number ? Numbers.Exact(number) : Text ?? "";
}
