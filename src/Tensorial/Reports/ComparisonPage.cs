using Tensorial.Compression;
using Tensorial.Reports.Charts;
using Tensorial.Reports.Sections;

namespace Tensorial.Reports;

/// <summary>The report of a comparison of formats: which loses least at a size, in the whole network and layer by layer.</summary>
internal static class ComparisonPage
{
    private const int LongTable = 20;

    public static Report From(FormatComparison comparison) =>
        new(
            comparison.Model,
            "Comparison of formats",
            [Summary(comparison), Networks(comparison), Layers(comparison), ProvenanceSection.Of(comparison)]
        );

    private static Section Summary(FormatComparison comparison)
    {
        Prose lead = Prose.From(
            $"{Numbers.Count(comparison.Layers.Select(static row => row.Name).Distinct().Count())} layers, which hold {Prose.Strong(Numbers.Percent((double)comparison.LayerParameters / comparison.Parameters, 0) + " of the parameters")}, are written in one format after another, each layer at the same part of its parameters."
        );
        foreach (IGrouping<double, ComparedFormat> rate in comparison.Networks.GroupBy(static row => row.Rate))
        {
            ComparedFormat[] order = [.. rate.OrderBy(static row => row.Cost).ThenBy(static row => row.Parameters)];
            lead += Prose.From(
                $" At {Numbers.Percent(rate.Key, 0)} {Prose.Code(order[0].Format)} loses least ({Cost(order[0])}){(order.Length > 1 ? $", then {order[1].Format} ({Cost(order[1])})" : "")}."
            );
        }
        return new("summary", "In short", [new Paragraph(lead) { Leads = true }]);
    }

    private static string Cost(ComparedFormat row) =>
        row.Top1 is { } top1 ? $"top-1 {Numbers.Percent(top1, 2)}"
        : row.KlDivergence is { } divergence ? $"KL divergence {Numbers.Significant(divergence)} nats"
        : row.OutputError is { } outputs ? $"relative error of the outputs {Numbers.Fixed(outputs, 3)}"
        : $"relative error {Numbers.Fixed(row.RelativeError, 3)}";

    private static Section Networks(FormatComparison comparison)
    {
        List<Chart> charts = [];
        string[] formats = [.. comparison.Networks.Select(static row => row.Format).Distinct()];
        Legend legend = new([.. formats.Select(static (format, k) => new LegendEntry(format, Ink.OfCut(format, k)))]);
        if (comparison.Dense is { } dense)
            charts.Add(
                Drawn(
                    "Top-1 accuracy against size",
                    new(
                        "top-1",
                        LinearScale.Around([dense.Top1, .. comparison.Networks.Select(static row => row.Top1).OfType<double>()]),
                        TickFormat.Percent
                    ),
                    row => row.Top1 is { } top1 ? (top1, Binomial.Interval(top1, dense.Samples)) : null,
                    isBetterHigh: true
                ) with
                {
                    Levels = [new(dense.Top1, $"dense, {Numbers.Percent(dense.Top1, 2)}")],
                }
            );
        if (comparison.Networks.Any(static row => row.KlDivergence > 0))
            charts.Add(
                Drawn(
                    "Damage against size",
                    new(
                        "KL divergence (nats)",
                        LogScale.Around([.. comparison.Networks.Select(static row => row.KlDivergence ?? 0)]),
                        TickFormat.PowerOfTen
                    ),
                    static row => row.KlDivergence is > 0 and { } divergence ? (divergence, null) : null
                )
            );
        charts.Add(
            Drawn(
                "Error of the kernels against size",
                new(
                    "relative error",
                    LinearScale.Around([0, .. comparison.Networks.Select(static row => row.RelativeError)]),
                    TickFormat.Number
                ),
                static row => (row.RelativeError, null)
            )
        );
        string bars = comparison.Dense is null ? "" : " Bars are 95 % intervals of the accuracy (binomial, Wilson).";
        return new(
            "networks",
            "Formats against each other",
            [
                new Figure(
                    "formats",
                    Prose.From(
                        $"{Prose.Strong("The whole network in each format.")} Every layer keeps the same part of its parameters; layers that do not suit all formats stay dense. Points are pale where another network is no larger and no worse in the measure of the chart, and better in one of both.{bars} The relative error is the root mean square of the layers' errors, weighted by the norms of their kernels, each with its outputs scaled by the batch norm behind it{(comparison.Data is null ? "" : " and its inputs as images make them")}."
                    ),
                    [.. charts]
                )
                {
                    Legend = legend,
                },
                new TableBlock(
                    "formats-table",
                    Prose.From($"{Prose.Strong("The same in numbers.")}"),
                    ComparisonTables.Networks(comparison)
                )
                {
                    IsLong = comparison.Networks.Length > LongTable,
                },
            ]
        );

        Chart Drawn(string title, Axis y, Func<ComparedFormat, (double Value, (double, double)? Range)?> value, bool isBetterHigh = false)
        {
            (long Size, double Cost)[] all = [.. comparison.Networks.Where(row => value(row) is not null).Select(CostOf)];
            List<Series> lines = [];
            for (int k = 0; k < formats.Length; k++)
            {
                (ComparedFormat Row, Point Point)[] points =
                [
                    .. comparison
                        .Networks.Where(row => row.Format == formats[k] && value(row) is not null)
                        .Select(row =>
                            (
                                row,
                                new Point(
                                    (double)row.LayerParameters / comparison.LayerParameters,
                                    value(row)!.Value.Value,
                                    $"rate {Numbers.Percent(row.Rate, 0)}"
                                )
                                {
                                    Range = value(row)!.Value.Range,
                                }
                            )
                        )
                        .OrderBy(static pair => pair.Item2.X),
                ];
                Ink ink = Ink.OfCut(formats[k], k);
                lines.Add(new(formats[k], ink, [.. points.Select(static pair => pair.Point)]) { Dots = true, IsPale = true });
                lines.Add(
                    new(formats[k], ink, [.. points.Where(pair => !IsBeaten(CostOf(pair.Row))).Select(static pair => pair.Point)])
                    {
                        Dots = true,
                        HasLine = false,
                    }
                );
            }
            return new(
                title,
                $"{title}: a line for each format, a point for each rate.",
                new("parameters left in the layers", new LinearScale(0, 1), TickFormat.Percent),
                y,
                [.. lines]
            )
            {
                Size = ChartSize.Wide,
            };

            (long Size, double Cost) CostOf(ComparedFormat row) => (row.Parameters, (isBetterHigh ? -1 : 1) * value(row)!.Value.Value);

            bool IsBeaten((long Size, double Cost) one) =>
                all.Any(other => other.Size <= one.Size && other.Cost <= one.Cost && other != one);
        }
    }

    private static Section Layers(FormatComparison comparison)
    {
        return new(
            "layers",
            "Layer by layer",
            [
                Table("best-table", "The best format of each layer at each rate, and its runner-up.", ComparisonTables.Best(comparison)),
                Table("layers-table", "Every layer in every format.", ComparisonTables.Layers(comparison)),
            ]
        );

        static TableBlock Table(string id, string caption, Table table) =>
            new(id, Prose.From($"{Prose.Strong(caption)}"), table) { IsLong = table.Rows.Count() > LongTable };
    }
}
