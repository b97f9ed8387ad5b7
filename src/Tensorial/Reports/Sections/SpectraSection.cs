using Tensorial.Analysis;
using Tensorial.Reports.Charts;

namespace Tensorial.Reports.Sections;

/// <summary>Singular values of all kernels cut by cut, and entropy through the depth of the network.</summary>
internal static class SpectraSection
{
    public static Section Of(Findings findings)
    {
        ValueList<LayerAnalysis> layers = findings.Analysis.Layers;
        LogScale decades = Decades(layers);
        return new(
            "spectra",
            "Singular values",
            [
                new Figure(
                    "decay",
                    Prose.From(
                        $"{Prose.Strong("Decay of the singular values")}, each over the largest, against the fraction of the rank up to it. One line for each kernel; the colour is its depth in the network. The faster a line falls, the less its kernel loses to truncation."
                    ),
                    [
                        .. findings
                            .Cuts.Where(cut => layers.Any(l => l.Cuts.Any(c => c.Cut == cut && c.MaxRank > 1)))
                            .Select(cut => DecayAlong(findings, cut, decades)),
                    ]
                )
                {
                    Legend = DepthLegend(layers),
                },
                new Figure(
                    "entropy",
                    Prose.From(
                        $"{Prose.Strong("Entropy and effective rank through the network")}, as fractions of their largest values, so that cuts of different size compare. Cuts of rank one are left out."
                    ),
                    [
                        ByDepth(findings, "Entropy / ln(maximal rank)", static cut => cut.NormalisedEntropy),
                        ByDepth(findings, "Effective rank / maximal rank", static cut => cut.EffectiveRank / cut.MaxRank),
                    ]
                )
                {
                    Legend = CutLegend(findings),
                },
            ]
        );
    }

    /// <summary>Singular values of one kernel along all its cuts.</summary>
    public static Chart DecayOf(Findings findings, LayerAnalysis layer) =>
        new(
            "Singular values",
            $"Singular values of {layer.Name} over the largest, against the fraction of the rank, a line for each cut.",
            RankAxis,
            new("s_k / s_1", Decades([layer]), TickFormat.PowerOfTen),
            [.. Lines(findings, layer).Select(static line => line.Series with { Points = Decay(line.Cut) })]
        )
        {
            Empty = "all singular values are zero",
        };

    /// <summary>Norm loss of one kernel at every rank along all its cuts.</summary>
    public static Chart NormLossOf(Findings findings, LayerAnalysis layer) =>
        new(
            "Norm loss at each rank",
            $"Norm loss of {layer.Name} against the fraction of the rank kept, a line for each cut.",
            RankAxis,
            new("norm loss", new LinearScale(0, 1), TickFormat.Percent),
            [
                .. Lines(findings, layer)
                    .Select(static line =>
                        line.Series with
                        {
                            Points =
                            [
                                .. line.Cut.NormLossByRank().Select((loss, rank) => new Point((double)rank / line.Cut.MaxRank, loss)),
                            ],
                        }
                    ),
            ]
        );

    public static Legend CutLegend(Findings findings) =>
        new([.. findings.Cuts.Select((cut, k) => new LegendEntry(cut, Ink.OfCut(cut, k)))]);

    public static Legend? DepthLegend(ValueList<LayerAnalysis> layers) => layers.Count > 1 ? new([], new("first kernel", "last")) : null;

    private static Axis RankAxis => new("k / maximal rank", new LinearScale(0, 1), TickFormat.Percent);

    private static IEnumerable<(CutSpectrum Cut, Series Series)> Lines(Findings findings, LayerAnalysis layer) =>
        from pair in findings.Cuts.Select(static (name, k) => (name, k))
        let cut = layer.Cuts.FirstOrDefault(c => c.Cut == pair.name)
        where cut is { MaxRank: > 1 }
        select (cut, new Series(cut.Cut, Ink.OfCut(cut.Cut, pair.k), []));

    private static Chart DecayAlong(Findings findings, string name, LogScale decades)
    {
        ValueList<LayerAnalysis> layers = findings.Analysis.Layers;
        List<Series> series = [];
        for (int k = 0; k < layers.Count; k++)
        {
            if (layers[k].Cuts.FirstOrDefault(c => c.Cut == name) is { MaxRank: > 1 } cut)
                series.Add(new(findings.Labels[k], Ink.OfDepth(k, layers.Count), Decay(cut)));
        }
        return new(
            name,
            $"Singular values along {name} over the largest, against the fraction of the rank, a line for each of {series.Count} kernels.",
            RankAxis,
            new("s_k / s_1", decades, TickFormat.PowerOfTen),
            [.. series]
        )
        {
            Empty = "all singular values are zero",
        };
    }

    private static ValueList<Point> Decay(CutSpectrum cut) =>
        cut.SingularValues.Count > 0 && cut.SingularValues[0] is > 0 and double first
            ? [.. cut.SingularValues.Select((value, k) => new Point((k + 1.0) / cut.MaxRank, value / first))]
            : [];

    /// <summary>Decades that hold 98 of 100 values, at most six: a tail of rounding errors is not worth the room.</summary>
    private static LogScale Decades(ValueList<LayerAnalysis> layers)
    {
        List<double> ratios =
        [
            .. layers
                .SelectMany(static l => l.Cuts)
                .Where(static c => c.MaxRank > 1)
                .SelectMany(static c => Decay(c))
                .Select(static p => p.Y)
                .Order(),
        ];
        double low = ratios.Count > 0 ? ratios[ratios.Count / 50] : 0.1;
        return new(Math.Pow(10, Math.Clamp(Math.Floor(low > 0 ? Math.Log10(low) : -6), -6, -1)), 1);
    }

    private static Chart ByDepth(Findings findings, string title, Func<CutSpectrum, double> measure)
    {
        ValueList<LayerAnalysis> layers = findings.Analysis.Layers;
        List<Series> series = [];
        for (int c = 0; c < findings.Cuts.Count; c++)
        {
            string name = findings.Cuts[c];
            List<Point> points = [];
            for (int k = 0; k < layers.Count; k++)
            {
                if (layers[k].Cuts.FirstOrDefault(cut => cut.Cut == name) is { MaxRank: > 1 } cut)
                    points.Add(new(k + 1, measure(cut)));
            }
            if (points.Count > 0)
                series.Add(new(name, Ink.OfCut(name, c), [.. points]) { Dots = true });
        }
        return new(
            title,
            $"{title} of each kernel in the order of the network, a line for each cut.",
            new("kernel, in the order of the network", new OrdinalScale([.. findings.Labels]), TickFormat.Number),
            new("fraction", new LinearScale(0, 1), TickFormat.Percent),
            [.. series]
        )
        {
            Size = ChartSize.Wide,
        };
    }
}
