using Tensorial.Reports.Charts;

namespace Tensorial.Tests.Reports;

public class PaletteTests
{
    public static TheoryData<bool> Surroundings => [false, true];

    [Theory]
    [MemberData(nameof(Surroundings))]
    public void Numbers_read_on_every_step_of_the_heat_scale(bool dark)
    {
        Palette palette = Of(dark);
        for (int k = 0; k < Palette.Heats; k++)
            Assert.InRange(palette.Heat(k).Contrast(palette.HeatText(k)), 4.5, 21);
    }

    [Theory]
    [MemberData(nameof(Surroundings))]
    public void Scales_run_evenly_in_lightness_away_from_the_paper(bool dark)
    {
        Palette palette = Of(dark);
        double sign = dark ? 1 : -1;
        double[] lightness = [.. Enumerable.Range(0, Palette.Heats).Select(k => palette.Heat(k).Lightness)];
        foreach ((double before, double after) in lightness.Zip(lightness.Skip(1)))
            Assert.InRange(sign * (after - before), 0.02, 0.04);
        double[] luminance = [.. Enumerable.Range(0, Palette.Depths).Select(k => palette.Depth(k).Luminance)];
        Assert.Equal(luminance.OrderDescending(), luminance);
    }

    [Theory]
    [MemberData(nameof(Surroundings))]
    public void Lines_and_words_stand_out_from_the_paper(bool dark)
    {
        Palette palette = Of(dark);
        Assert.All(palette.Lines, line => Assert.InRange(line.Contrast(palette.Paper), 3, 21));
        Assert.InRange(palette.Ink.Contrast(palette.Paper), 7, 21);
        for (int k = 0; k < Palette.Depths; k++)
            Assert.InRange(palette.Depth(k).Contrast(palette.Paper), 2, 21);
    }

    [Fact]
    public void The_ends_of_the_known_world_are_black_and_white()
    {
        Assert.Equal("#000000", new Oklch(0, 0, 0).Hex);
        Assert.Equal("#ffffff", new Oklch(1, 0, 0).Hex);
        Assert.Equal(21, new Oklch(0, 0, 0).Contrast(new(1, 0, 0)), 1e-3);
        // sRGB red in OKLCH, from Ottosson's page.
        Assert.Equal("#ff0000", new Oklch(0.62796, 0.25768, 29.234).Hex);
    }

    private static Palette Of(bool dark) => dark ? Palette.Dark : Palette.Light;
}
