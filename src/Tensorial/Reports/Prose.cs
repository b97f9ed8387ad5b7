using System.Runtime.CompilerServices;
using System.Text;
using Tensorial.Analysis;

namespace Tensorial.Reports;

/// <summary>
/// Running text: runs of words in a few styles. An interpolated string makes one; what is interpolated is plain text unless it is a
/// <see cref="Run"/>.
/// </summary>
internal sealed record Prose(ValueList<Run> Runs)
{
    public static implicit operator Prose(string text) => new([new Run(text, RunStyle.Plain)]);

    /// <summary>Prose from an interpolated string: <c>Prose.Of($"cut {Prose.Code(name)} first")</c>.</summary>
    public static Prose Of(Builder text) => text.Prose;

    public static Run Code(string text) => new(text, RunStyle.Code);

    public static Run Strong(string text) => new(text, RunStyle.Strong);

    /// <summary>A variable of a formula.</summary>
    public static Run Variable(string text) => new(text, RunStyle.Variable);

    public static Run Subscript(string text) => new(text, RunStyle.Subscript);

    public static Prose operator +(Prose left, Prose right) => new([.. left.Runs, .. right.Runs]);

    /// <summary>The words alone.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        foreach (Run run in Runs)
            text.Append(run.Text);
        return text.ToString();
    }

    [InterpolatedStringHandler]
    public readonly struct Builder(int literalLength, int formattedCount)
    {
        private readonly List<Run> _runs = new(formattedCount + Math.Min(literalLength, formattedCount + 1));

        internal Prose Prose => new([.. _runs]);

        public void AppendLiteral(string text) => _runs.Add(new(text, RunStyle.Plain));

        public void AppendFormatted(string? text) => _runs.Add(new(text ?? "", RunStyle.Plain));

        public void AppendFormatted(int value) => AppendFormatted(Numbers.Count(value));

        public void AppendFormatted(Run run) => _runs.Add(run);

        public void AppendFormatted(Prose prose) => _runs.AddRange(prose.Runs);
    }
}

internal readonly record struct Run(string Text, RunStyle Style);

internal enum RunStyle
{
    Plain,
    Code,
    Strong,
    Variable,
    Subscript,
}
