using System.Text;

namespace Tensorial.Reports.Pdf;

/// <summary>
/// Fonts that every program which shows PDF brings along (ISO 32000-1, 9.6.2.2): nothing is embedded. Helvetica has the characters of
/// Windows-1252, Symbol the Greek letters and the signs of mathematics.
/// </summary>
/// <param name="Resource">What pages call it.</param>
/// <param name="Name">Its PostScript name.</param>
/// <param name="Encoding">What its codes mean; null for its own.</param>
internal sealed partial record PdfFont(string Resource, string Name, string? Encoding)
{
    /// <summary>Characters of Windows-1252 from 0x80 to 0x9F; blanks where there is none. The others are those of Unicode.</summary>
    private const string Middle = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

    /// <summary>Characters of Symbol from 0x22 and from 0xA1 on; blanks where there is none that Unicode has.</summary>
    private const string SymbolLow = "∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_ αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼",
        SymbolHigh = "ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…  ↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇   ∏√⋅¬∧∨⇔⇐⇑⇒⇓◊⟨   ∑           ⟩∫";

    public static PdfFont Helvetica { get; } = new("F1", "Helvetica", "WinAnsiEncoding");

    public static PdfFont Bold { get; } = new("F2", "Helvetica-Bold", "WinAnsiEncoding");

    public static PdfFont Oblique { get; } = new("F3", "Helvetica-Oblique", "WinAnsiEncoding");

    public static PdfFont Symbol { get; } = new("F4", "Symbol", null);

    public static IReadOnlyList<PdfFont> All { get; } = [Helvetica, Bold, Oblique, Symbol];

    /// <summary>Width of a code's glyph, in sizes of the font.</summary>
    public double WidthOf(byte code) =>
        (
            this == Symbol ? SymbolWidths
            : this == Bold ? BoldWidths
            : HelveticaWidths
        )[code - 32] / 1000.0;

    /// <summary>The code of a character; null where the font has none.</summary>
    public byte? CodeOf(Rune character) =>
        this == Symbol
            ? Find(character, SymbolLow, 0x22) ?? Find(character, SymbolHigh, 0xA1)
            : character.Value switch
            {
                '\n' or '\t' => (byte)' ',
                // The soft hyphen is one that only the end of a line shows.
                (>= 0x20 and < 0x7F) or (>= 0xA0 and <= 0xFF and not 0xAD) => (byte)character.Value,
                _ => Find(character, Middle, 0x80),
            };

    private static byte? Find(Rune character, string characters, int first) =>
        character.IsBmp && characters.IndexOf((char)character.Value) is var at and >= 0 ? (byte)(first + at) : null;
}
