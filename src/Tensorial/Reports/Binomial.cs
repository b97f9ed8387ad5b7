namespace Tensorial.Reports;

/// <summary>How far a measured part of so many samples may lie from the true one.</summary>
internal static class Binomial
{
    /// <summary>Quantile of the normal distribution at 97.5 %.</summary>
    private const double Z = 1.959963984540054;

    /// <summary>
    /// The 95 % interval of a probability by the score method (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927): inside 0 to 1, also where all
    /// samples agree.
    /// </summary>
    public static (double Low, double High) Interval(double part, int samples)
    {
        double n = Math.Max(1, samples),
            z2 = Z * Z,
            middle = (part + (z2 / (2 * n))) / (1 + (z2 / n)),
            half = Z / (1 + (z2 / n)) * Math.Sqrt((part * (1 - part) / n) + (z2 / (4 * n * n)));
        return (middle - half, middle + half);
    }
}
