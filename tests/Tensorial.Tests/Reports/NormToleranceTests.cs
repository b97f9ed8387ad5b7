using Tensorial.Analysis;
using Tensorial.Reports;

namespace Tensorial.Tests.Reports;

public class NormToleranceTests
{
    private static LayerAnalysis Kernel(string name, params ValueList<CutSpectrum> cuts) =>
        new()
        {
            Name = name,
            Node = name,
            Operation = "Conv",
            Shape = [2, 2, 2, 2],
            Axes = ["o", "i", "h", "w"],
            Parameters = 16,
            Norm = 5,
            Cuts = cuts,
        };

    private static readonly CutSpectrum Out = new("o|ihw", 2, 8, [4, 3]),
        Filters = new("oi|hw", 4, 4, [4, 3, 2, 1]);

    private static TruncationResult Measured(string layer, string cut, double normLoss, int right) =>
        new()
        {
            Layer = layer,
            Cut = cut,
            Rank = 1,
            Rule = "1",
            NormLoss = normLoss,
            Top1 = right / 1000.0,
            Samples = 1000,
            Parameters = 10,
        };

    /// <summary>Three kernels of which deeper ones bear more along o|ihw and less along oi|hw, at 900 of 1,000 images untouched.</summary>
    private static readonly Findings Three = new(
        MadeUp.Of([Kernel("a", Out, Filters), Kernel("b", Out, Filters), Kernel("c", Out, Filters)], withData: false) with
        {
            Baseline = new(1000, 0.9, 1, 0.3),
            Truncations =
            [
                Measured("a", "o|ihw", 0.15, 890),
                Measured("a", "o|ihw", 0.4, 889),
                Measured("b", "o|ihw", 0.25, 895),
                // Right again further on, but one on the way is not: what comes after does not count.
                Measured("b", "o|ihw", 0.5, 800),
                Measured("b", "o|ihw", 0.7, 900),
                Measured("c", "o|ihw", 0.6, 900),
                Measured("a", "oi|hw", 0.35, 900),
                Measured("b", "oi|hw", 0.2, 900),
                Measured("c", "oi|hw", 0.1, 100),
                // Neither one cut of one kernel.
                Measured("all", "o|ihw", 0.9, 900),
                Measured("a", "o|ihw,oi|hw", 0.9, 900),
            ],
        }
    );

    [Fact]
    public void Kernels_are_counted_by_the_norm_loss_they_bear()
    {
        NormTolerance tolerance = NormTolerance.From(Three)!;
        Assert.Equal([0.15, 0.25, 0.6], tolerance.Kernels.Where(static k => k.Cut == "o|ihw").Select(static k => k.NormLoss));
        Assert.Equal([0.35, 0.2, 0], tolerance.Kernels.Where(static k => k.Cut == "oi|hw").Select(static k => k.NormLoss));
        CutTolerance[] cuts = [.. tolerance.ByCut()];
        Assert.Equal(["o|ihw", "oi|hw", "all"], cuts.Select(static cut => cut.Cut));
        Assert.Equal([3, 2, 1, 1], cuts[0].Tolerating);
        Assert.Equal([2, 2, 1, 0], cuts[1].Tolerating);
        Assert.Equal([5, 4, 2, 1], cuts[2].Tolerating);
        Assert.Equal((1, -1), (cuts[0].DepthCorrelation, cuts[1].DepthCorrelation));
        // Means over both cuts: 0.25, 0.225, 0.3; ranks 2, 1, 3.
        Assert.Equal(0.5, cuts[2].DepthCorrelation!.Value, 1e-12);
        Assert.Equal(1.0 / 3, cuts[0].Mean, 1e-12);
    }

    [Fact]
    public void Without_accuracy_there_is_nothing_to_tolerate()
    {
        Assert.Null(NormTolerance.From(new(MadeUp.Of([Kernel("a", Out)], withData: false))));
        Assert.Null(NormTolerance.From(new(Three.Analysis with { Truncations = [] })));
    }
}
