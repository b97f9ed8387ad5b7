using System.Globalization;
using System.Text;

namespace Tensorial;

/// <summary>Text of files that are not trusted, on its way to people: a terminal interprets control characters, and a page has an end.</summary>
internal static class Printable
{
    /// <summary>Characters of a message: a paragraph.</summary>
    public const int LongestMessage = 2000;

    /// <summary>
    /// The text with every character that a terminal interprets, or that turns the direction of writing, as <c>\u001B</c>. Letters of all
    /// languages stay.
    /// </summary>
    public static string Escape(string text)
    {
        int first = 0;
        while (first < text.Length && IsPlain(text, first))
            first++;
        if (first == text.Length)
            return text;
        StringBuilder escaped = new(text, 0, first, text.Length + 16);
        for (int i = first; i < text.Length; i++)
            if (IsPlain(text, i))
                escaped.Append(text[i]);
            else
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:X4}");
        return escaped.ToString();
    }

    /// <summary>
    /// As <see cref="Escape"/>, but for lines that go on below, indented by two blanks, as those that point at a place in a text do.
    /// </summary>
    public static string EscapeMessage(string text) => string.Join("\n  ", text.ReplaceLineEndings("\n").Split("\n  ").Select(Escape));

    /// <summary>The text, or its beginning and its end where it is longer than that.</summary>
    public static string Shorten(string text, int longest = LongestMessage)
    {
        const string gap = " … ";
        int end = longest / 4;
        return text.Length <= longest
            ? text
            : string.Concat(text.AsSpan(0, longest - end - gap.Length), gap, text.AsSpan(text.Length - end));
    }

    private static bool IsPlain(string text, int at) =>
        text[at] is >= ' ' and < (char)0x7F
        || char.GetUnicodeCategory(text[at]) switch
        {
            UnicodeCategory.Control
            or UnicodeCategory.Format
            or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.PrivateUse => false,
            // Half a pair stands for nothing.
            UnicodeCategory.Surrogate => char.IsHighSurrogate(text[at])
                ? at + 1 < text.Length && char.IsLowSurrogate(text[at + 1])
                : at > 0 && char.IsHighSurrogate(text[at - 1]),
            _ => true,
        };
}
