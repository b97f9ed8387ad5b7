using Tensorial.Analysis;
using Tensorial.Reports.Charts;

namespace Tensorial.Reports.Html;

/// <summary>Tables and heat maps as HTML.</summary>
internal sealed class TableWriter(Markup to)
{
    public void Write(TableBlock block)
    {
        List<ValueList<Cell>> rows = [.. block.Table.Rows.Take((int)Math.Min(int.MaxValue, block.MaximumRows + 1L))];
        bool cut = rows.Count > block.MaximumRows;
        if (cut)
            rows.RemoveAt(rows.Count - 1);
        to.Open("figure", ("id", block.Id), ("class", "table")).Open("figcaption").Prose(block.Caption);
        if (cut)
            to.Text($" The first {Numbers.Count(block.MaximumRows)} rows; all are in the CSV file.");
        to.Close();
        to.Open(
            "div",
            ("class", block.IsLong ? "box long" : "box"),
            ("tabindex", "0"),
            ("role", "region"),
            ("aria-label", block.Caption.ToString())
        );
        to.Open("table", ("class", "sortable")).Open("thead").Open("tr");
        foreach (Column column in block.Table.Columns)
        {
            to.Element(
                "th",
                column.Title,
                ("scope", "col"),
                ("data-key", column.Key),
                ("class", IsText(column) ? "text" : null),
                ("title", column.Note.Length > 0 ? column.Note : null)
            );
        }
        to.Close().Close().Open("tbody").Line();
        foreach (ValueList<Cell> row in rows)
            WriteRow(block.Table.Columns, row);
        to.Close().Close().Close().Close();
    }

    public void Write(HeatMap map)
    {
        to.Open(
            "div",
            ("class", map.Rows.Count > 64 ? "box long" : "box"),
            ("tabindex", "0"),
            ("role", "region"),
            ("aria-label", map.Caption.ToString())
        );
        to.Open("table", ("class", "heat"))
            .Open("caption")
            .Prose(map.Caption)
            .Close()
            .Open("thead")
            .Open("tr")
            .Element("th", "kernel", ("scope", "col"), ("class", "text"));
        foreach (string column in map.Columns)
            to.Open("th", ("scope", "col")).Element("code", column).Close();
        foreach (string remark in map.Remarks)
            to.Element("th", remark, ("scope", "col"), ("class", "remark"));
        to.Close().Close().Open("tbody").Line();
        foreach (HeatRow row in map.Rows)
        {
            to.Open("tr").Open("th", ("scope", "row"), ("title", row.FullName));
            if (row.Target.Length > 0)
                to.Element("a", row.Name, ("href", "#" + row.Target));
            else
                to.Text(row.Name);
            to.Element("span", row.Detail, ("class", "note")).Close();
            foreach (HeatCell? cell in row.Cells)
            {
                if (cell is null)
                    to.Element("td", "·", ("class", "none"));
                else if (cell.Marked)
                    to.Open("td", ("class", Palette.HeatClass(cell.Strength)), ("title", cell.Explanation)).Element("b", cell.Text).Close();
                else
                    to.Element("td", cell.Text, ("class", Palette.HeatClass(cell.Strength)), ("title", cell.Explanation));
            }
            foreach (Prose remark in row.Remarks)
                to.Open("td", ("class", "remark")).Prose(remark).Close();
            to.Close().Line();
        }
        to.Close().Close().Close();
    }

    private void WriteRow(ValueList<Column> columns, ValueList<Cell> row)
    {
        to.Open("tr");
        for (int k = 0; k < columns.Count; k++)
        {
            Column column = columns[k];
            Cell cell = row[k];
            string shown = cell.Shown(column.Format);
            if (IsText(column))
            {
                to.Open("td", ("class", "text"));
                if (column.Format is CellFormat.Code && cell.Text is not null)
                    to.Element("code", shown, ("title", shown.Length > 40 ? shown : null));
                else
                    to.Text(shown);
                to.Close();
            }
            else
            {
                to.Element("td", shown);
            }
        }
        to.Close().Line();
    }

    private static bool IsText(Column column) => column.Format is CellFormat.Text or CellFormat.Code;
}
