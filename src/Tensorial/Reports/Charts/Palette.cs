using System.Text;

namespace Tensorial.Reports.Charts;

/// <summary>Every colour of a report, for light and for dark surroundings.</summary>
internal sealed record Palette(Oklch Paper, Oklch Ink, Oklch Faint, Oklch Strong, Oklch First, Oklch Last, Oklch[] Lines)
{
    /// <summary>Hues of the categorical inks.</summary>
    public const int Hues = 4;

    /// <summary>Steps of the depth scale.</summary>
    public const int Depths = 16;

    /// <summary>Steps of the heat scale, from faint to strong.</summary>
    public const int Heats = 21;

    /// <summary>Blue, orange, green, mauve: after Okabe and Ito, darkened until a line of it has a contrast of 3 on paper.</summary>
    public static Palette Light { get; } =
        new(
            Paper: new(0.995, 0.002, 95),
            Ink: new(0.24, 0.01, 260),
            Faint: new(0.965, 0.02, 100),
            Strong: new(0.36, 0.105, 255),
            First: new(0.76, 0.15, 75),
            Last: new(0.30, 0.16, -70),
            Lines: [new(0.50, 0.15, 255), new(0.62, 0.17, 45), new(0.58, 0.12, 160), new(0.56, 0.16, 345)]
        );

    public static Palette Dark { get; } =
        new(
            Paper: new(0.20, 0.008, 260),
            Ink: new(0.91, 0.006, 95),
            Faint: new(0.26, 0.02, 275),
            Strong: new(0.88, 0.14, 100),
            First: new(0.90, 0.13, 95),
            Last: new(0.56, 0.19, -65),
            Lines: [new(0.72, 0.13, 250), new(0.76, 0.15, 60), new(0.76, 0.13, 165), new(0.74, 0.14, 345)]
        );

    public Oklch Heat(int step) => Oklch.Mix(Faint, Strong, step / (Heats - 1.0));

    /// <summary>Black or white, whichever reads better on a heat step.</summary>
    public Oklch HeatText(int step)
    {
        Oklch black = new(0, 0, 0),
            white = new(1, 0, 0),
            ground = Heat(step);
        return ground.Contrast(black) >= ground.Contrast(white) ? black : white;
    }

    public Oklch Depth(int step) => Oklch.Mix(First, Last, step / (Depths - 1.0));

    /// <summary>The class of a strength of 0 to 1.</summary>
    public static string HeatClass(double strength) =>
        "heat" + (int)Math.Round(Math.Clamp(double.IsFinite(strength) ? strength : 0, 0, 1) * (Heats - 1));

    /// <summary>Rules for the classes <c>hue</c>, <c>depth</c> and <c>heat</c>, and the ends of the scales as variables.</summary>
    public string Css()
    {
        StringBuilder css = new();
        css.Append($":root{{--paper:{Paper.Hex};--ink:{Ink.Hex};--depths:{Gradient(Depths, Depth)};--heats:{Gradient(Heats, Heat)}}}\n");
        for (int k = 0; k < Hues; k++)
            css.Append($".hue{k}{{--c:{Lines[k].Hex}}}");
        for (int k = 0; k < Depths; k++)
            css.Append($".depth{k}{{--c:{Depth(k).Hex}}}");
        for (int k = 0; k < Heats; k++)
            css.Append($".heat{k}{{background:{Heat(k).Hex};color:{HeatText(k).Hex}}}");
        return css.Append(".plain{--c:var(--ink)}\n").ToString();
    }

    /// <summary>
    /// Rules for a drawing that stands alone: the same classes, with their colours written out.
    /// </summary>
    public string FileCss()
    {
        string soft = Oklch.Mix(Paper, Ink, 0.62).Hex,
            rule = Oklch.Mix(Paper, Ink, 0.16).Hex;
        StringBuilder css = new();
        css.Append($"svg{{font:11px sans-serif}}.paper{{fill:{Paper.Hex}}}text{{fill:{soft}}}.title{{fill:{Ink.Hex}}}");
        css.Append($".heading{{fill:{Ink.Hex};font-weight:600;font-size:12px}}.level{{font-size:10.5px}}.empty{{font-style:italic}}");
        css.Append($".power{{font-size:8.5px}}path{{fill:none;stroke:{Ink.Hex}}}.grid{{stroke:{rule};stroke-width:.75}}");
        css.Append($".axis{{stroke:{soft}}}path.level{{stroke:{soft};stroke-dasharray:5 3}}.ramp{{stroke-width:8}}");
        css.Append(".line{stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round}.dots{stroke-width:4.6;stroke-linecap:round}");
        css.Append(".bars{stroke-width:.9}.mark{stroke-width:1.4}.pale{opacity:.35}");
        css.Append(".dash>.line{stroke-dasharray:5 3;stroke-linecap:butt}.dot>.line{stroke-dasharray:1 3}");
        for (int k = 0; k < Hues; k++)
            css.Append($".hue{k}>path{{stroke:{Lines[k].Hex}}}");
        for (int k = 0; k < Depths; k++)
            css.Append($".depth{k}>path{{stroke:{Depth(k).Hex}}}");
        for (int k = 0; k < Heats; k++)
            css.Append($"rect.heat{k}{{fill:{Heat(k).Hex}}}text.heat{k}{{fill:{HeatText(k).Hex}}}");
        return css.ToString();
    }

    private static string Gradient(int steps, Func<int, Oklch> colour) =>
        $"linear-gradient(90deg,{string.Join(',', Enumerable.Range(0, steps).Where(k => k % 3 == 0 || k == steps - 1).Select(k => colour(k).Hex))})";
}
