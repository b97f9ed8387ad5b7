using System.Text;

namespace Tensorial.Reports.Pdf;

/// <summary>Text as the operators that show it, set from left to right at one size.</summary>
/// <param name="Operators">Between <c>BT</c> and <c>ET</c>.</param>
/// <param name="Width">In the units of the size.</param>
internal readonly record struct PdfText(string Operators, double Width)
{
    /// <summary>Width of narrow spaces, in sizes of the font.</summary>
    private const double Narrow = 0.2;

    /// <summary>
    /// Sets a text. Characters that neither the font nor Symbol has are composed of those that are there (‖, ₁, ⁻), or written as their
    /// code point, U+5377; what is copied out of the page is the character itself.
    /// </summary>
    /// <param name="text">Any text.</param>
    /// <param name="font">What it is set in.</param>
    /// <param name="size">Of the font.</param>
    /// <param name="rise">How far the baseline is raised.</param>
    public static PdfText Set(string text, PdfFont font, double size, double rise = 0)
    {
        StringBuilder to = new(),
            codes = new();
        PdfFont? running = null;
        double width = 0;
        foreach (Rune character in text.EnumerateRunes())
        {
            if (
                (font.CodeOf(character) is { } own ? (font, own) : (PdfFont.Symbol, PdfFont.Symbol.CodeOf(character))) is (var of, { } code)
            )
            {
                if (of != running)
                    Flush();
                running = of;
                codes.Append(PdfValue.Escaped(code));
                width += size * of.WidthOf(code);
                continue;
            }
            Flush();
            PdfText other = Other(character, font, size, rise);
            to.Append(other.Operators);
            width += other.Width;
        }
        Flush();
        return new(to.ToString(), width);

        void Flush()
        {
            if (codes.Length > 0)
                to.Append($"{Begin(running!, size, rise)}({codes}) Tj ");
            codes.Clear();
        }
    }

    private static PdfText Other(Rune character, PdfFont font, double size, double rise) =>
        character.Value switch
        {
            // Of no width.
            >= 0x200B and <= 0x200D or 0x2060 or 0xFEFF or 0xAD => default,
            // A blank, and back from its width.
            >= 0x2000 and <= 0x200A or 0x202F or 0x205F => new(
                $"{Begin(font, size, rise)}[( ) {PdfValue.Number(1000 * (font.WidthOf((byte)' ') - Narrow))}] TJ ",
                Narrow * size
            ),
            0x2016 => Instead(character, new($"{Begin(font, size, rise)}[(|) 60 (|)] TJ ", ((2 * font.WidthOf((byte)'|')) - 0.06) * size)),
            >= 0x2070 and <= 0x207F => Instead(character, Set(Small(character), font, 0.65 * size, rise + (0.33 * size))),
            >= 0x2080 and <= 0x208E => Instead(character, Set(Small(character), font, 0.65 * size, rise - (0.16 * size))),
            _ => Instead(character, Set($"U+{character.Value:X4}", font, size, rise)),
        };

    /// <summary>The sign that is raised or lowered, by its place in Unicode's block of superscripts and subscripts.</summary>
    private static string Small(Rune character) => character.Value == 0x2071 ? "i" : $"{"0123456789+−=()n"[character.Value & 15]}";

    /// <summary>What is read and copied is the character that the glyphs stand for.</summary>
    private static PdfText Instead(Rune character, PdfText glyphs) =>
        glyphs with
        {
            Operators = $"/Span << /ActualText {PdfValue.Text(character.ToString())} >> BDC {glyphs.Operators}EMC ",
        };

    private static string Begin(PdfFont font, double size, double rise) =>
        $"/{font.Resource} {PdfValue.Number(size)} Tf {PdfValue.Number(rise)} Ts ";
}
