using Tensorial.Analysis;
using Tensorial.Reports.Charts;

namespace Tensorial.Reports.Sections;

/// <summary>What cutting saves in parameters, judged by the norm alone.</summary>
internal static class SavingsFigure
{
    private static readonly double[] Losses = [0.1, 0.3, 0.5];

    public static Figure Of(Findings findings) =>
        new(
            "savings",
            Prose.From(
                $"{Prose.Strong("What that saves.")} Parameters of all kernels, each stored as the two factors of a cut within the norm loss, or dense where that takes fewer."
            ),
            [AgainstNormLoss(findings), ByDepth(findings)]
        );

    private static Chart AgainstNormLoss(Findings findings)
    {
        const int steps = 40;
        double[] losses = [.. Enumerable.Range(0, steps + 1).Select(static k => 0.8 * k / steps)];
        Series Line(string name, Ink ink, Func<double, long> parameters) =>
            new(name, ink, [.. losses.Select(loss => new Point(loss, (double)parameters(loss) / Math.Max(1, findings.KernelParameters)))]);
        List<Series> series =
        [
            .. findings.Cuts.Select((cut, k) => Line(cut, Ink.OfCut(cut, k), loss => findings.ParametersAlong(cut, loss))),
        ];
        // A cut that few kernels have, such as that of the last dense layer, is a line along the top.
        series.RemoveAll(static line => line.Points[^1].Y > 0.99);
        if (series.Count != 1)
            series.Add(Line("best cut of each", Ink.Plain, findings.BestParameters));
        return new(
            "All kernels",
            "Kernel parameters kept against the norm loss allowed in every kernel, a line for each cut and one for the best cut of each kernel.",
            new("norm loss of every kernel", new LinearScale(0, 0.8), TickFormat.Percent),
            new("kernel parameters kept", new LinearScale(0, 1), TickFormat.Percent),
            [.. series]
        )
        {
            Size = ChartSize.Wide,
            Legend = new([.. series.Select(static s => new LegendEntry(s.Name, s.Ink))]),
        };
    }

    private static Chart ByDepth(Findings findings)
    {
        ValueList<LayerAnalysis> layers = findings.Analysis.Layers;
        Series Line(string name, Ink ink, Func<LayerAnalysis, long> parameters) =>
            new(name, ink, [.. layers.Select((layer, k) => new Point(k + 1, parameters(layer)))]) { Dots = true };
        List<Series> series = [Line("dense", Ink.Plain, static layer => layer.Parameters)];
        for (int k = 0; k < Losses.Length; k++)
        {
            double loss = Losses[k];
            series.Add(
                Line(
                    $"norm loss {Numbers.Percent(loss, 0)}",
                    Ink.OfDepth(k, Losses.Length),
                    layer => Findings.Best(layer, loss)?.Parameters ?? layer.Parameters
                )
            );
        }
        return new(
            "Parameters of each kernel",
            "Parameters of each kernel in the order of the network: dense, and along its best cut at three norm losses.",
            new("kernel, in the order of the network", new OrdinalScale([.. findings.Labels]), TickFormat.Number),
            new(
                "parameters",
                LinearScale.Around(series.SelectMany(static s => s.Points).Select(static p => p.Y).Append(0)),
                TickFormat.Short
            ),
            [.. series]
        )
        {
            Size = ChartSize.Wide,
            Legend = new([.. series.Select(static s => new LegendEntry(s.Name, s.Ink))]),
        };
    }
}
