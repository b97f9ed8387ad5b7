using System.Text;

namespace Tensorial.Reports.Html;

/// <summary>
/// Writes elements, closing them in the order they were opened and escaping every text and attribute: the one door through which names of a
/// model reach the page. What comes out is also well-formed XML.
/// </summary>
internal sealed class Markup(TextWriter to)
{
    private static readonly HashSet<string> Void = ["meta", "input", "br", "hr", "path", "line", "rect", "circle", "wbr"];

    private readonly Stack<string> _open = new();

    /// <summary>Opens an element. Attributes whose value is null are left out.</summary>
    public Markup Open(string tag, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        bool isVoid = Void.Contains(tag);
        to.Write('<');
        to.Write(tag);
        foreach ((string name, string? value) in attributes)
        {
            if (value is null)
                continue;
            to.Write($" {name}=\"");
            WriteEscaped(value);
            to.Write('"');
        }
        to.Write(isVoid ? "/>" : ">");
        if (!isVoid)
            _open.Push(tag);
        return this;
    }

    public Markup Close()
    {
        to.Write($"</{_open.Pop()}>");
        return this;
    }

    public Markup Text(string text)
    {
        WriteEscaped(text);
        return this;
    }

    /// <summary>An element that holds text alone.</summary>
    public Markup Element(string tag, string text, params ReadOnlySpan<(string Name, string? Value)> attributes) =>
        Open(tag, attributes).Text(text).Close();

    public Markup Prose(Prose prose)
    {
        foreach (TextRun run in prose.Runs)
        {
            switch (run.Style)
            {
                case RunStyle.Code:
                    Element("code", run.Text);
                    break;
                case RunStyle.Strong:
                    Element("strong", run.Text);
                    break;
                case RunStyle.Variable:
                    Element("i", run.Text);
                    break;
                case RunStyle.Subscript:
                    Element("sub", run.Text);
                    break;
                default:
                    Text(run.Text);
                    break;
            }
        }
        return this;
    }

    public Markup Line()
    {
        to.Write('\n');
        return this;
    }

    /// <summary>Writes what is markup already. Only for our own style sheet and script.</summary>
    public Markup Raw(string markup)
    {
        to.Write(markup);
        return this;
    }

    /// <summary>
    /// Escapes what markup would read as its own, and shows what no page may hold (control characters, halves of surrogate pairs, the
    /// non-characters of XML) as the replacement character. Marks that turn the direction of writing are shown as such too: they could make
    /// a name read as another.
    /// </summary>
    private void WriteEscaped(string text)
    {
        foreach (Rune rune in text.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '<':
                    to.Write("&lt;");
                    break;
                case '>':
                    to.Write("&gt;");
                    break;
                case '&':
                    to.Write("&amp;");
                    break;
                case '"':
                    to.Write("&quot;");
                    break;
                case '\n' or '\t':
                    to.Write((char)rune.Value);
                    break;
                case < 0x20
                or (>= 0x7f and < 0xa0)
                or 0xfffe
                or 0xffff
                or 0x200e
                or 0x200f
                or (>= 0x202a and <= 0x202e)
                or (>= 0x2066 and <= 0x2069):
                    to.Write('\ufffd');
                    break;
                default:
                    to.Write(rune.ToString());
                    break;
            }
        }
    }
}
