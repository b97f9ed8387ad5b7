using System.Runtime.CompilerServices;
using System.Text;
using Tensorial.Analysis;

namespace Tensorial.Reports;

/// <summary>
/// Running text: runs of words in a few styles. An interpolated string makes one; what is interpolated is plain text unless it is a
/// <see cref="TextRun"/>.
/// </summary>
internal sealed record Prose(ValueList<TextRun> Runs)
{
    public static implicit operator Prose(string text) => new([new TextRun(text, RunStyle.Plain)]);

    /// <summary>Prose from an interpolated string: <c>Prose.Of($"cut {Prose.Code(name)} first")</c>.</summary>
    public static Prose From(Builder text) => text.Prose;

    public static TextRun Code(string text) => new(text, RunStyle.Code);

    public static TextRun Strong(string text) => new(text, RunStyle.Strong);

    /// <summary>A variable of a formula.</summary>
    public static TextRun Variable(string text) => new(text, RunStyle.Variable);

    public static TextRun Subscript(string text) => new(text, RunStyle.Subscript);

    public static Prose operator +(Prose left, Prose right) => new([.. left.Runs, .. right.Runs]);

    /// <summary>The words alone.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        foreach (TextRun run in Runs)
            text.Append(run.Text);
        return text.ToString();
    }

    [InterpolatedStringHandler]
    public readonly struct Builder(int literalLength, int formattedCount)
    {
        private readonly List<TextRun> _runs = new(formattedCount + Math.Min(literalLength, formattedCount + 1));

        internal Prose Prose => new([.. _runs]);

        public void AppendLiteral(string text) => _runs.Add(new(text, RunStyle.Plain));

        public void AppendFormatted(string? text) => _runs.Add(new(text ?? "", RunStyle.Plain));

        public void AppendFormatted(int value) => AppendFormatted(Numbers.Count(value));

        public void AppendFormatted(TextRun run) => _runs.Add(run);

        public void AppendFormatted(Prose prose) => _runs.AddRange(prose.Runs);
    }
}

internal readonly record struct TextRun(string Text, RunStyle Style);

internal enum RunStyle
{
    Plain,
    Code,
    Strong,
    Variable,
    Subscript,
}
