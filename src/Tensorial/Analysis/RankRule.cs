using System.Globalization;

namespace Tensorial.Analysis;

/// <summary>What decides the rank that is kept at a cut.</summary>
public abstract record RankRule
{
    private RankRule() { }

    /// <summary>The rank kept: 1 to the cut's maximal rank.</summary>
    public abstract int RankAt(CutSpectrum spectrum);

    /// <summary>
    /// Reads <c>16</c> (a rank), <c>25%</c> (of the cut's maximal rank) or <c>loss=0.1</c> (the smallest rank within a norm loss).
    /// </summary>
    public static RankRule Parse(string text)
    {
        string trimmed = text.Trim();
        if (trimmed.StartsWith("loss=", StringComparison.Ordinal) && Number(trimmed[5..]) is >= 0 and < 1 and double loss)
            return new NormLoss(loss);
        if (trimmed.EndsWith('%') && Number(trimmed[..^1]) is > 0 and <= 100 and double percent)
            return new Fraction(percent / 100);
        if (int.TryParse(trimmed, NumberStyles.None, CultureInfo.InvariantCulture, out int rank) && rank > 0)
            return new Rank(rank);
        throw new BadInputException(
            $"\"{text}\" is no rank: write a whole number from 1, a part of the maximal rank such as 25%, or the norm loss allowed such as loss=0.1."
        );
    }

    /// <summary>This rank, or the maximal rank where that is smaller.</summary>
    public sealed record Rank(int Value) : RankRule
    {
        /// <inheritdoc/>
        public override int RankAt(CutSpectrum spectrum) => Math.Min(Value, spectrum.MaxRank);

        /// <inheritdoc/>
        public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>A part of the maximal rank, above 0 up to 1, rounded to the nearest rank but never to 0.</summary>
    public sealed record Fraction(double Value) : RankRule
    {
        /// <inheritdoc/>
        public override int RankAt(CutSpectrum spectrum) =>
            Math.Max(1, (int)Math.Round(Value * spectrum.MaxRank, MidpointRounding.AwayFromZero));

        /// <inheritdoc/>
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Value * 100:0.######}%");
    }

    /// <summary>The smallest rank whose norm loss does not exceed this.</summary>
    public sealed record NormLoss(double Value) : RankRule
    {
        /// <inheritdoc/>
        public override int RankAt(CutSpectrum spectrum) => Math.Max(1, spectrum.RankFor(Value));

        /// <inheritdoc/>
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"loss={Value}");
    }

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double value)
            ? value
            : null;
}
