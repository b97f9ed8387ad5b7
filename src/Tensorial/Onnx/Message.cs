using System.Text;

namespace Tensorial.Onnx;

/// <summary>Texts from a file that is not trusted, on their way to people.</summary>
internal static class Message
{
    private const int Longest = 1000;

    /// <summary>The text without control characters, which could rewrite a terminal, and no longer than a paragraph.</summary>
    public static string Tidy(string text)
    {
        StringBuilder tidy = new(Math.Min(text.Length, Longest + 1));
        foreach (char letter in text.AsSpan(0, Math.Min(text.Length, Longest)))
            tidy.Append(char.IsControl(letter) ? '\uFFFD' : letter);
        return text.Length > Longest ? tidy.Append('…').ToString() : tidy.ToString();
    }
}
