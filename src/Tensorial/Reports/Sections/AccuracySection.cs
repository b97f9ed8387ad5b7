using Tensorial.Analysis;
using Tensorial.Reports.Charts;

namespace Tensorial.Reports.Sections;

/// <summary>What truncation costs in accuracy: all kernels together, each alone, several cuts in sequence.</summary>
internal static class AccuracySection
{
    private static readonly double[] Drops = [0.005, 0.01, 0.02, 0.05];

    private static readonly (string Name, XAxis Axis)[] Views = [("norm loss", XAxis.NormLoss), ("fraction of the rank", XAxis.Rank)];

    public static Section Of(Findings findings)
    {
        List<Block> blocks = [new Paragraph(Intro(findings.Analysis))];
        if (findings.TogetherAlongOne.Any())
            blocks.AddRange(Together(findings));
        if (findings.AloneAlongOne.Any())
            blocks.AddRange(Alone(findings));
        if (findings.Sequences.Any())
            blocks.AddRange(InSequence(findings));
        return new("accuracy", "Accuracy under truncation", [.. blocks]);
    }

    /// <summary>Accuracy of the network with one kernel truncated, a line for each cut; null where that was not measured.</summary>
    public static Chart? AloneOf(Findings findings, LayerAnalysis layer)
    {
        TruncationResult[] measured = [.. findings.AloneOf(layer.Name)];
        return measured.Length == 0
            ? null
            : Plot(
                findings,
                "Accuracy, this kernel truncated",
                measured,
                static t => t.Cut,
                findings.Cuts.Select(static (cut, k) => (cut, cut, Ink.OfCut(cut, k))),
                XAxis.NormLoss,
                YAxis(findings, measured.Select(static t => t.Top1)),
                static t => t.Top1
            );
    }

    /// <summary>
    /// Accuracy against norm loss with a chart for each kernel, a line for each cut, all on one scale; null where that was not measured.
    /// </summary>
    public static Figure? ByKernel(Findings findings)
    {
        Axis y = YAxis(findings, findings.AloneAlongOne.Select(static t => t.Top1));
        Chart[] charts =
        [
            .. findings.Analysis.Layers.SelectMany(
                (layer, k) => AloneOf(findings, layer) is { } chart ? (Chart[])[chart with { Title = findings.Labels[k], Y = y }] : []
            ),
        ];
        return charts.Length == 0
            ? null
            : new(
                "kernels",
                "Top-1 accuracy with one kernel truncated, the others untouched, against its norm loss. One line for each cut.",
                [.. charts]
            )
            {
                Legend = SpectraSection.CutLegend(findings),
            };
    }

    private static Prose Intro(AnalysisReport analysis)
    {
        Prose text =
            "Every point is a measurement: kernels are replaced by their truncations, everything else stays as it was trained, and the network classifies ";
        if (analysis.Baseline is not { } baseline)
            return text + "the images again.";
        text += Prose.From(
            $"{Numbers.Count(baseline.Samples)} images. Untouched it gets {Prose.Strong(Numbers.Percent(baseline.Top1, 2))} right (standard error {Numbers.Fixed(100 * Findings.StandardError(baseline), 2)} points), the dashed line."
        );
        return analysis.Truncations.Any(static t => t.Recalibrated is not null)
            ? text + " Accuracies after batch-norm statistics were estimated again on training images are drawn apart, never mixed in."
            : text;
    }

    private static IEnumerable<Block> Together(Findings findings)
    {
        TruncationResult[] measured = [.. findings.TogetherAlongOne],
            again = [.. measured.Where(static t => t.Recalibrated is not null)];
        Axis y = YAxis(findings, measured.SelectMany(static t => (double[])[t.Top1, t.Recalibrated?.Top1 ?? t.Top1]));
        Chart Draw(string title, XAxis x, Func<TruncationResult, double?> accuracy, IEnumerable<TruncationResult> which) =>
            Plot(
                    findings,
                    title,
                    which,
                    static t => t.Cut,
                    findings.Cuts.Select(static (cut, k) => (cut, cut, Ink.OfCut(cut, k))),
                    x,
                    y,
                    accuracy
                )
                .WithRanges(findings) with
            {
                Size = ChartSize.Wide,
            };
        List<Chart> charts = [Draw("Against the mean norm loss", XAxis.NormLoss, static t => t.Top1, measured)];
        if (again.Length > 0)
            charts.Add(Draw("The same, batch norm recalibrated", XAxis.NormLoss, static t => t.Recalibrated?.Top1, again));
        charts.Add(Draw("Against the parameters kept", XAxis.Kept, static t => t.Top1, measured));
        if (again.Length > 0)
            charts.Add(Draw("The same, batch norm recalibrated", XAxis.Kept, static t => t.Recalibrated?.Top1, again));
        charts.Add(Draw("Against the mean fraction of the rank", XAxis.Rank, static t => t.Top1, measured));
        yield return new Heading(Capital(findings.Everything) + " together");
        yield return new Figure(
            "together",
            Prose.From(
                $"{Prose.Strong($"Top-1 accuracy with {findings.Everything} truncated")} along one cut, by the same rule in each. Parameters are those of the truncated kernels stored as two factors, or dense where that takes fewer. Bars are 95 % intervals of the accuracy (binomial, Wilson)."
            ),
            [.. charts]
        )
        {
            Legend = SpectraSection.CutLegend(findings),
        };
    }

    /// <summary>The chart with an interval around every accuracy.</summary>
    private static Chart WithRanges(this Chart chart, Findings findings) =>
        findings.Analysis.Baseline is not { } baseline
            ? chart
            : chart with
            {
                Series =
                [
                    .. chart.Series.Select(series =>
                        series with
                        {
                            Points = [.. series.Points.Select(p => p with { Range = Binomial.Interval(p.Y, baseline.Samples) })],
                        }
                    ),
                ],
            };

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    private static IEnumerable<Block> Alone(Findings findings)
    {
        ValueList<LayerAnalysis> layers = findings.Analysis.Layers;
        ILookup<string, TruncationResult> byCut = findings.AloneAlongOne.ToLookup(static t => t.Cut);
        string[] cuts = [.. findings.Cuts.Where(byCut.Contains)];
        (string Key, string Name, Ink Ink)[] inks =
        [
            .. layers.Select((layer, k) => (layer.Name, findings.Labels[k], Ink.OfDepth(k, layers.Count))),
        ];
        Axis y = YAxis(findings, findings.AloneAlongOne.Select(static t => t.Top1));

        yield return new Heading("One kernel at a time");
        if (findings.Analysis.Baseline is not null)
        {
            yield return new ReportChoice(
                "tolerance",
                "Accuracy given up",
                [.. Drops.Select(drop => new Option($"{Points(drop)}", [Tolerance(findings, cuts, drop)]))]
            )
            {
                First = Array.IndexOf(Drops, Findings.UsualDrop),
            };
            yield return new HeatScale(
                "nothing may be lost",
                "100 % norm loss tolerated",
                "The largest norm loss measured, in %, up to which all measurements stay within that many percentage points of the untouched network."
            );
            if (NormTolerance.From(findings) is { } tolerance)
            {
                yield return new TableBlock(
                    "tolerance-table",
                    Prose.From(
                        $"{Prose.Strong("Which cuts bear most.")} Kernels that lose at most {Points(tolerance.Drop)} of accuracy with at least so much of their norm gone, and how that changes with depth: 1 where every deeper kernel bears more, {Numbers.Fixed(-1, 0)} where every deeper one bears less. Only ranks that were measured count."
                    ),
                    tolerance.Table()
                );
            }
        }
        yield return new ReportChoice(
            "alone",
            "Against",
            [
                .. Views.Select(view => new Option(
                    view.Name,
                    [
                        new Figure(
                            "alone-" + view.Axis.ToString().ToLowerInvariant(),
                            Prose.From(
                                $"{Prose.Strong("Top-1 accuracy with one kernel truncated")}, the others untouched. One line for each kernel; the colour is its depth in the network."
                            ),
                            [
                                .. cuts.Select(cut =>
                                    Plot(findings, cut, byCut[cut], static t => t.Layer, inks, view.Axis, y, static t => t.Top1)
                                ),
                            ]
                        )
                        {
                            Legend = SpectraSection.DepthLegend(layers),
                        },
                    ]
                )),
            ]
        );
    }

    private static HeatMap Tolerance(Findings findings, string[] cuts, double drop) =>
        new(
            Prose.From($"Norm loss tolerated by each kernel alone for at most {Points(drop)} of accuracy, in %"),
            [.. cuts],
            [
                .. findings.Analysis.Layers.Select(
                    (layer, k) =>
                        new HeatRow(
                            findings.Labels[k],
                            layer.Name,
                            AnalysisTables.ShapeText(layer.Shape),
                            LayersSection.Id(k),
                            [
                                .. cuts.Select(cut =>
                                    findings.AloneOf(layer.Name).Any(t => t.Cut == cut)
                                        ? CellOf(findings.Farthest(layer.Name, cut, drop))
                                        : null
                                ),
                            ]
                        )
                ),
            ]
        );

    private static string Points(double drop) => drop == 0.01 ? "1 point" : $"{Numbers.Fixed(100 * drop, drop < 0.01 ? 1 : 0)} points";

    private static HeatCell CellOf(TruncationResult? farthest) =>
        farthest is null
            ? new(0, "0", "every truncation measured loses more", false)
            : new(
                farthest.NormLoss,
                Numbers.Fixed(100 * farthest.NormLoss, 0),
                $"rank {farthest.Rank?.ToString() ?? "?"}, top-1 {Numbers.Percent(farthest.Top1, 2)}",
                false
            );

    private static IEnumerable<Block> InSequence(Findings findings)
    {
        yield return new Heading("Several cuts in sequence");
        yield return new Paragraph(
            "Nested and disjoint cuts leave each other’s ranks alone: what remains is a Tucker, tensor-train or tree tensor with that many parameters. Cuts that cross raise the ranks of earlier ones again; what remains is a perturbation of the kernel, not a compressed format, and its parameters are counted as dense."
        );
        TruncationResult[] together = [.. findings.Sequences.Where(static t => t.Layer == "all")];
        if (together.Length > 0)
        {
            string[] names = [.. together.Select(Name).Distinct()];
            yield return new Figure(
                "sequences",
                Prose.From(
                    $"{Prose.Strong($"Top-1 accuracy with {findings.Everything} truncated along several cuts")}, one after another."
                ),
                [
                    Plot(
                        findings,
                        "Against the mean norm loss",
                        together,
                        Name,
                        names.Select(static (name, k) => (name, name, Ink.OfCut(name, k))),
                        XAxis.NormLoss,
                        YAxis(findings, together.Select(static t => t.Top1)),
                        static t => t.Top1
                    ) with
                    {
                        Size = ChartSize.Wide,
                    },
                ]
            )
            {
                Legend = new([.. names.Select(static (name, k) => new LegendEntry(name, Ink.OfCut(name, k)))]),
            };
        }
        yield return new TableBlock(
            "sequence-table",
            Prose.From($"{Prose.Strong("Several cuts in sequence.")} Ranks after: those of the kernel once all cuts are made."),
            Sequences(findings)
        )
        {
            IsLong = findings.Sequences.Skip(20).Any(),
            MaximumRows = 1000,
        };

        static string Name(TruncationResult t) => t.Cut.Replace(",", ", ") + (Findings.IsCrossing(t) ? " (crossing)" : "");
    }

    private static Table Sequences(Findings findings)
    {
        Table table = AnalysisTables.Truncations(findings, findings.Sequences, withLayer: true);
        int crossing = table.Columns.Count - 2;
        Column[] columns =
        [
            .. table.Columns.Take(crossing),
            new("ranks", "ranks", CellFormat.Text),
            new("ranksAfter", "ranks after", CellFormat.Text),
            .. table.Columns.Skip(crossing),
        ];
        return new(
            [.. columns],
            table.Rows.Zip(
                findings.Sequences,
                (row, t) =>
                    (ValueList<Cell>)
                        [.. row.Take(crossing), OfOne(t, static k => k.Ranks), OfOne(t, static k => k.RanksAfter), .. row.Skip(crossing)]
            )
        );

        static Cell OfOne(TruncationResult t, Func<TruncatedKernel, ValueList<int>> ranks) =>
            t.Kernels.Count == 1 ? string.Join(", ", ranks(t.Kernels[0])) : Cell.None;
    }

    private enum XAxis
    {
        NormLoss,
        Rank,
        Kept,
    }

    private static Chart Plot(
        Findings findings,
        string title,
        IEnumerable<TruncationResult> measured,
        Func<TruncationResult, string> line,
        IEnumerable<(string Key, string Name, Ink Ink)> inks,
        XAxis against,
        Axis y,
        Func<TruncationResult, double?> accuracy
    )
    {
        ILookup<string, TruncationResult> lines = measured.ToLookup(line);
        List<Series> series = [];
        foreach ((string key, string name, Ink ink) in inks)
        {
            List<Point> points = [];
            foreach (TruncationResult t in lines[key])
            {
                double? x = against switch
                {
                    XAxis.NormLoss => t.NormLoss,
                    XAxis.Rank => findings.RankFraction(t),
                    _ => findings.KeptFraction(t),
                };
                if (x is { } at && accuracy(t) is { } top1)
                    points.Add(
                        new(
                            at,
                            top1,
                            against is XAxis.Rank ? ""
                                : t.Rank is { } rank ? $"rank {Numbers.Count(rank)}"
                                : RuleText(t.Rule)
                        )
                    );
            }
            if (points.Count > 0)
                series.Add(new(name, ink, [.. points.OrderBy(static p => p.X)]) { Dots = true });
        }
        Axis x2 = against switch
        {
            XAxis.NormLoss => new("norm loss", new LinearScale(0, 1), TickFormat.Percent),
            XAxis.Rank => new("rank / maximal rank", new LinearScale(0, 1), TickFormat.Percent),
            _ => new("parameters kept", new LinearScale(0, 1), TickFormat.Percent),
        };
        Level[] baseline = findings.Analysis.Baseline is { } untouched
            ? [new(untouched.Top1, $"untouched {Numbers.Percent(untouched.Top1, 2)}")]
            : [];
        return new(title, $"Top-1 accuracy against {x2.Title}, {series.Count} lines of measurements.", x2, y, [.. series])
        {
            Levels = [.. baseline],
        };
    }

    private static string RuleText(string rule) => rule.Replace("loss=", "norm loss ").Replace("%", "\u202f% of the rank");

    private static Axis YAxis(Findings findings, IEnumerable<double> accuracies) =>
        new(
            "top-1",
            LinearScale.Around(findings.Analysis.Baseline is { } baseline ? accuracies.Append(baseline.Top1) : accuracies),
            TickFormat.Percent
        );
}
