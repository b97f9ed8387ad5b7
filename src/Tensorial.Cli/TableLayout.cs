using System.Globalization;
using System.Text;

namespace Tensorial.Cli;

/// <summary>
/// Which columns of a table are shown and how wide: those with content. Where the terminal is narrow, headings are wrapped at words first, then
/// columns give way, then names are shortened in their middle; numbers are always whole.
/// </summary>
internal sealed record TableLayout(IReadOnlyList<int> Shown, IReadOnlyList<int> Widths)
{
    private const string Gap = "  ",
        Ellipsis = "…";

    /// <summary>What is left of a name at least.</summary>
    private const int ShortestName = 12;

    /// <param name="table">The table.</param>
    /// <param name="width">Columns of the terminal; null where nothing limits a line.</param>
    public static TableLayout From(TextTable table, int? width)
    {
        int[] cells = [.. table.Columns.Select((_, k) => table.Rows.Select(row => Cells(row[k])).DefaultIfEmpty().Max())],
            full = [.. table.Columns.Select((column, k) => Math.Max(cells[k], Cells(column.Title)))],
            least = [.. table.Columns.Select((column, k) => Math.Max(cells[k], Words(column.Title).Max(Cells)))];
        // A heading over nothing says nothing: what was not measured has no column.
        List<int> shown = [.. Enumerable.Range(0, table.Columns.Count).Where(k => cells[k] > 0 || table.Rows.Count == 0)];
        if (shown.Count == 0)
            shown.Add(0);
        if (width is not { } room)
            return new(shown, full);

        while (Total(shown, least) > room && NextToGo(table, shown) is { } gone)
            shown.Remove(gone);
        while (
            Total(shown, least) > room
            && shown.Where(k => !table.Columns[k].IsNumber && least[k] > ShortestName).OrderByDescending(k => least[k]).ToArray()
                is [var longest, ..]
        )
            least[longest] = Math.Max(ShortestName, least[longest] - (Total(shown, least) - room));

        // The room that is left goes to the highest heading, again and again.
        while (
            shown.OrderByDescending(k => Wrap(table.Columns[k].Title, least[k]).Length).ThenBy(k => full[k]).ToArray() is [var highest, ..]
        )
        {
            int lines = Wrap(table.Columns[highest].Title, least[highest]).Length,
                wider = least[highest];
            while (wider < full[highest] && Wrap(table.Columns[highest].Title, wider).Length >= lines)
                wider++;
            if (lines == 1 || Total(shown, least) + wider - least[highest] > room)
                break;
            least[highest] = wider;
        }
        return new(shown, least);
    }

    /// <summary>The column that is missed least; null where all that are left must stay.</summary>
    private static int? NextToGo(TextTable table, List<int> shown)
    {
        int next = shown.MaxBy(k => (table.Columns[k].GivesWay, k));
        return table.Columns[next].GivesWay > 0 && shown.Count > 1 ? next : null;
    }

    private static int Total(List<int> shown, int[] widths) => shown.Sum(k => widths[k]) + Gap.Length * Math.Max(0, shown.Count - 1);

    public TableText Render(TextTable table)
    {
        string[][] headings = [.. Shown.Select(k => Wrap(table.Columns[k].Title, Widths[k]))];
        int lines = headings.Max(static heading => heading.Length);
        IEnumerable<string> heading = Enumerable
            .Range(0, lines)
            .Select(line => Line(table, k => headings[k].ElementAtOrDefault(line - lines + headings[k].Length) ?? ""));
        return new(
            [.. heading],
            [new string('─', Total([.. Shown], [.. Widths])), .. table.Rows.Select(row => Line(table, place => row[Shown[place]]))],
            [
                .. Enumerable
                    .Range(0, table.Columns.Count)
                    .Where(k => !Shown.Contains(k) && table.Rows.Any(row => row[k].Length > 0))
                    .Select(k => table.Columns[k].Title),
            ]
        );
    }

    /// <param name="table">The table.</param>
    /// <param name="textAt">What stands in a shown column, by its place among these.</param>
    private string Line(TextTable table, Func<int, string> textAt)
    {
        StringBuilder line = new();
        for (int place = 0; place < Shown.Count; place++)
        {
            int width = Widths[Shown[place]];
            string text = Shorten(textAt(place), width),
                blanks = new(' ', Math.Max(0, width - Cells(text)));
            line.Append(place > 0 ? Gap : "").Append(table.Columns[Shown[place]].IsNumber ? blanks + text : text + blanks);
        }
        return line.ToString().TrimEnd();
    }

    /// <summary>
    /// Text in lines of a width, broken at blanks, a list that is longer after its commas too; any other word that is longer stays whole.
    /// </summary>
    public static string[] Wrap(string text, int width)
    {
        List<string> lines = [];
        foreach (string word in Words(text))
        {
            string gap = lines.Count > 0 ? " " : "";
            string[] parts =
                Cells(word) > width
                    ? [.. word.Split(',').Select((part, k) => k < word.Count(static c => c == ',') ? part + ',' : part)]
                    : [word];
            foreach (string part in parts)
            {
                if (lines.Count > 0 && Cells(lines[^1]) + gap.Length + Cells(part) <= width)
                    lines[^1] += gap + part;
                else
                    lines.Add(part);
                gap = "";
            }
        }
        return [.. lines];
    }

    /// <summary>What is broken at; a number stays with its sign of percent.</summary>
    private static IEnumerable<string> Words(string text) =>
        text.Replace(" %", "\u00A0%", StringComparison.Ordinal).Split(' ').Select(static word => word.Replace('\u00A0', ' '));

    private static string Shorten(string text, int width)
    {
        if (Cells(text) <= width)
            return text;
        Rune[] runes = [.. text.EnumerateRunes()];
        int head = 0,
            tail = runes.Length,
            left = width - Cells(Ellipsis);
        // The end of a name tells more than its beginning: layer4.2.conv3.weight.
        while (head < tail)
        {
            bool fromEnd = runes.Length - tail <= head;
            int cells = Cells(runes[fromEnd ? tail - 1 : head]);
            if (cells > left)
                break;
            left -= cells;
            (head, tail) = fromEnd ? (head, tail - 1) : (head + 1, tail);
        }
        return string.Concat(runes[..head]) + Ellipsis + string.Concat(runes[tail..]);
    }

    /// <summary>Cells that a text takes on a terminal.</summary>
    public static int Cells(string text) => text.EnumerateRunes().Sum(Cells);

    private static int Cells(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.NonSpacingMark
                or UnicodeCategory.EnclosingMark
                or UnicodeCategory.Format
                or UnicodeCategory.Control
            ? 0
        : IsWide(rune.Value) ? 2
        : 1;

    /// <summary>East Asian wide and full-width characters, and pictures.</summary>
    private static bool IsWide(int code) =>
        code
            is (>= 0x1100 and <= 0x115F)
                or (>= 0x2E80 and <= 0x303E)
                or (>= 0x3041 and <= 0xA4CF)
                or (>= 0xAC00 and <= 0xD7A3)
                or (>= 0xF900 and <= 0xFAFF)
                or (>= 0xFE30 and <= 0xFE6F)
                or (>= 0xFF00 and <= 0xFF60)
                or (>= 0xFFE0 and <= 0xFFE6)
                or (>= 0x1F300 and <= 0x1FAFF)
                or (>= 0x20000 and <= 0x3FFFD);
}
