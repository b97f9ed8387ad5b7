namespace Tensorial.Analysis;

/// <summary>One truncation: along which cut, and to which rank.</summary>
public sealed record CutStep(Cut Cut, RankRule Rule)
{
    /// <summary>Reads cuts made one after another, such as <c>o|ihw:16,i|ohw:25%</c>.</summary>
    /// <exception cref="BadInputException">A part is not a cut, a colon and a rank.</exception>
    public static ValueList<CutStep> ParseSequence(string text) => [.. text.Split(',').Select(Parse)];

    private static CutStep Parse(string text)
    {
        int colon = text.IndexOf(':');
        return colon > 0
            ? new(Cut.Parse(text[..colon]), RankRule.Parse(text[(colon + 1)..]))
            : throw new BadInputException(
                $"\"{text}\" is no truncation: a cut, a colon and a rank are needed, such as o|ihw:16, o|ihw:25% or o|ihw:loss=0.1."
            );
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Cut}:{Rule}";
}
