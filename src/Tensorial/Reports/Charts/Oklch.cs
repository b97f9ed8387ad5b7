namespace Tensorial.Reports.Charts;

/// <summary>
/// A colour in OKLCH (Björn Ottosson, 2020): equal steps of lightness look equal, so a scale whose lightness runs evenly reads evenly, also
/// for colour-blind eyes and in grey print.
/// </summary>
/// <param name="Lightness">0 black, 1 white.</param>
/// <param name="Chroma">0 grey, about 0.3 the most a screen shows; too much is reduced until the screen shows it.</param>
/// <param name="Hue">Degrees.</param>
internal readonly record struct Oklch(double Lightness, double Chroma, double Hue)
{
    /// <summary>Evenly between two colours; the hue turns the way the numbers run.</summary>
    public static Oklch Mix(Oklch from, Oklch to, double t) =>
        new(
            from.Lightness + (t * (to.Lightness - from.Lightness)),
            from.Chroma + (t * (to.Chroma - from.Chroma)),
            from.Hue + (t * (to.Hue - from.Hue))
        );

    /// <summary>Relative luminance as WCAG 2 defines it.</summary>
    public double Luminance
    {
        get
        {
            (double r, double g, double b) = Linear();
            return (0.2126 * r) + (0.7152 * g) + (0.0722 * b);
        }
    }

    /// <summary>Contrast ratio as WCAG 2 defines it, 1 to 21.</summary>
    public double Contrast(Oklch other)
    {
        double a = Luminance,
            b = other.Luminance;
        return (Math.Max(a, b) + 0.05) / (Math.Min(a, b) + 0.05);
    }

    /// <summary>#rrggbb</summary>
    public string Hex
    {
        get
        {
            (double r, double g, double b) = Linear();
            return $"#{Byte(r):x2}{Byte(g):x2}{Byte(b):x2}";
        }
    }

    private (double R, double G, double B) Linear()
    {
        double chroma = Chroma;
        while (true)
        {
            (double R, double G, double B) colour = Linear(chroma);
            double lowest = Math.Min(colour.R, Math.Min(colour.G, colour.B)),
                highest = Math.Max(colour.R, Math.Max(colour.G, colour.B));
            if ((lowest >= -1e-4 && highest <= 1 + 1e-4) || chroma < 1e-3)
                return (Math.Clamp(colour.R, 0, 1), Math.Clamp(colour.G, 0, 1), Math.Clamp(colour.B, 0, 1));
            chroma *= 0.97;
        }
    }

    private (double R, double G, double B) Linear(double chroma)
    {
        double a = chroma * Math.Cos(Hue * Math.PI / 180),
            b = chroma * Math.Sin(Hue * Math.PI / 180);
        double l = Math.Pow(Lightness + (0.3963377774 * a) + (0.2158037573 * b), 3);
        double m = Math.Pow(Lightness - (0.1055613458 * a) - (0.0638541728 * b), 3);
        double s = Math.Pow(Lightness - (0.0894841775 * a) - (1.2914855480 * b), 3);
        return (
            (4.0767416621 * l) - (3.3077115913 * m) + (0.2309699292 * s),
            (-1.2684380046 * l) + (2.6097574011 * m) - (0.3413193965 * s),
            (-0.0041960863 * l) - (0.7034186147 * m) + (1.7076147010 * s)
        );
    }

    private static int Byte(double linear) =>
        (int)Math.Round(255 * (linear <= 0.0031308 ? 12.92 * linear : (1.055 * Math.Pow(linear, 1 / 2.4)) - 0.055));
}
