using System.Globalization;
using System.Text;

namespace Tensorial.Reports.Pdf;

/// <summary>The simplest values of PDF as text (ISO 32000-1, 7.3).</summary>
internal static class PdfValue
{
    /// <summary>A number, to a thousandth.</summary>
    public static string Number(double value) => Math.Round(value, 3).ToString("0.###", CultureInfo.InvariantCulture);

    /// <summary>Any text, as UTF-16.</summary>
    public static string Text(string text) => $"<FEFF{Convert.ToHexString(Encoding.BigEndianUnicode.GetBytes(text))}>";

    /// <summary>A code of a font, inside of parentheses.</summary>
    public static string Escaped(byte code) =>
        code switch
        {
            (byte)'(' or (byte)')' or (byte)'\\' => $"\\{(char)code}",
            >= 32 and < 127 => $"{(char)code}",
            _ => $"\\{Convert.ToString(code, 8).PadLeft(3, '0')}",
        };

    /// <summary>#rrggbb as three numbers of 0 to 1.</summary>
    public static string Color(string hex)
    {
        int rgb = int.Parse(hex.AsSpan(1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return $"{Number((rgb >> 16) / 255.0)} {Number(((rgb >> 8) & 255) / 255.0)} {Number((rgb & 255) / 255.0)}";
    }
}
