using System.CommandLine;
using System.Globalization;

namespace Tensorial.Cli;

/// <summary>Ranges of numbers that options take.</summary>
internal static class OptionRanges
{
    /// <summary>Refuses what lies outside a range, and what is no number at all.</summary>
    /// <param name="option">An option that takes one number.</param>
    /// <param name="least">The least it takes; <see cref="double.Epsilon"/> for all above 0.</param>
    /// <param name="most">The most it takes.</param>
    public static Option<T> Between<T>(this Option<T> option, double least, double most = double.MaxValue)
    {
        option.Validators.Add(result =>
        {
            if (
                result.Tokens.Count > 0
                && double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                && !(value >= least && value <= most)
            )
                result.AddError(
                    string.Create(CultureInfo.InvariantCulture, $"{option.Name} takes {Words(least, most)}, not {result.Tokens[0].Value}.")
                );
        });
        return option;
    }

    private static string Words(double least, double most) =>
        (least, most) switch
        {
            (double.Epsilon, double.MaxValue) => "a number above 0",
            (double.Epsilon, _) => FormattableString.Invariant($"a number above 0 and up to {most}"),
            (_, double.MaxValue) => FormattableString.Invariant($"a number of {least} or more"),
            _ => FormattableString.Invariant($"a number from {least} to {most}"),
        };
}
