using System.Globalization;

namespace Tensorial.Reports;

/// <summary>Numbers as people read them, the same in every country. Spaces inside a number never break.</summary>
internal static class Numbers
{
    private const string Thin = "\u202f";

    private const string Minus = "\u2212";

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    /// <summary>464,154</summary>
    public static string Count(long value) => value.ToString("N0", Invariant).Replace("-", Minus);

    /// <summary>Three digits and a word for the thousands: 464 k, 69.5 M, 4.09 G.</summary>
    public static string Short(long value)
    {
        double size = Math.Abs((double)value);
        (double unit, string word) = size switch
        {
            < 1e4 => (1, ""),
            < 999_500 => (1e3, "k"),
            < 999_500_000 => (1e6, "M"),
            < 999.5e9 => (1e9, "G"),
            _ => (1e12, "T"),
        };
        if (unit == 1)
            return Count(value);
        double shown = value / unit;
        if (shown == Math.Round(shown) && Math.Abs(shown) < 1000)
            return Count((long)shown) + Thin + word;
        string digits = shown.ToString(
            Math.Abs(shown) switch
            {
                < 9.995 => "0.00",
                < 99.95 => "0.0",
                _ => "#,##0",
            },
            Invariant
        );
        return digits.Replace("-", Minus) + Thin + word;
    }

    /// <summary>A fraction as 92.63 %.</summary>
    public static string Percent(double fraction, int decimals = 1) =>
        double.IsFinite(fraction) ? Fixed(100 * fraction, decimals) + Thin + "%" : "–";

    /// <summary>A difference of fractions in percentage points, with its sign: −1.4.</summary>
    public static string Points(double difference, int decimals = 2)
    {
        string text = Fixed(100 * difference, decimals);
        return difference > 0 && text.AsSpan().IndexOfAnyInRange('1', '9') >= 0 ? "+" + text : text;
    }

    /// <summary>So many decimals; a rounded zero has no sign.</summary>
    public static string Fixed(double value, int decimals)
    {
        if (!double.IsFinite(value))
            return "–";
        string text = Math.Abs(value).ToString("F" + decimals.ToString(Invariant), Invariant);
        return value < 0 && text.AsSpan().IndexOfAnyInRange('1', '9') >= 0 ? Minus + text : text;
    }

    /// <summary>So many significant digits: 0.0123, 1.23e-7, 12,300.</summary>
    public static string Significant(double value, int digits = 3)
    {
        if (!double.IsFinite(value))
            return "–";
        if (value == 0)
            return "0";
        double size = Math.Abs(value);
        if (size is < 1e-4 or >= 1e9)
            return value.ToString("0." + new string('#', digits - 1) + "e-0", Invariant).Replace("-", Minus);
        int decimals = Math.Max(0, digits - 1 - (int)Math.Floor(Math.Log10(size)));
        return value.ToString("N" + decimals.ToString(Invariant), Invariant).Replace("-", Minus);
    }

    /// <summary>A duration: 0.4 s, 2 min 5 s, 3 h 20 min.</summary>
    public static string Duration(double seconds) =>
        seconds switch
        {
            < 10 => Fixed(seconds, 1) + Thin + "s",
            < 60 => Fixed(seconds, 0) + Thin + "s",
            < 3600 => $"{(int)seconds / 60}{Thin}min {(int)seconds % 60}{Thin}s",
            _ => $"{(long)seconds / 3600}{Thin}h {(long)seconds / 60 % 60}{Thin}min",
        };

    /// <summary>Bytes, in units of 1,000: 1.87 MB.</summary>
    public static string Bytes(long bytes) => bytes < 10_000 ? Count(bytes) + Thin + "bytes" : Short(bytes) + "B";

    /// <summary>For machines: the shortest text that reads back to the same value.</summary>
    public static string Exact(double value) => value.ToString("R", Invariant);
}
