using System.CommandLine;
using Tensorial.Compression;

namespace Tensorial.Cli;

/// <summary>--check: what a command reports is computed again on a sample, by slow and independent code.</summary>
internal static class Checks
{
    public static Option<bool> Create() =>
        new("--check")
        {
            Description =
                "Compute what is reported again on a sample by slow, independent code in float64, and end with exit code 5 where both differ by more than the tolerance (docs/checks.md).",
        };

    /// <summary>Says what was checked and how far both were apart.</summary>
    /// <exception cref="NumericalException">A claim does not hold.</exception>
    public static void Report(Terminal terminal, params IEnumerable<RecomputedClaim> claims)
    {
        List<string> broken = [];
        foreach (RecomputedClaim claim in claims)
        {
            // Who asked for a check is told where there was none, quiet or not.
            if (claim.LeftOut is null)
                terminal.Note($"check: {claim}");
            else
                terminal.Warn($"check: {claim}");
            if (!claim.Agrees)
                broken.Add(claim.ToString());
        }
        if (broken.Count > 0)
            throw new NumericalException($"--check finds other values than were computed: {string.Join("; ", broken)}.");
    }
}
