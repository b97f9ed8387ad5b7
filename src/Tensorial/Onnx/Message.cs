namespace Tensorial.Onnx;

/// <summary>Texts from a file that is not trusted, on their way to people.</summary>
internal static class Message
{
    private const int Longest = 1000;

    /// <summary>The text with control characters, which could rewrite a terminal, escaped, and no longer than a paragraph.</summary>
    public static string Tidy(string text) => Printable.Shorten(Printable.Escape(Printable.Shorten(text, Longest)), Longest);
}
