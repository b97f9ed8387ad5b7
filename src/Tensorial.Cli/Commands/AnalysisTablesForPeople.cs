using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Reports;

namespace Tensorial.Cli.Commands;

/// <summary>An analysis on the terminal: what a person looks at first. The whole of it is in the JSON and in the report.</summary>
internal static class AnalysisTablesForPeople
{
    /// <summary>Up to so many measurements are listed one by one; more are summed up by how far each kernel can be cut.</summary>
    private const int MostRows = 40;

    private static readonly double[] Drops = [0.005, 0.01, 0.02];

    public static void Show(AnalysisReport report, Terminal terminal)
    {
        ShowSpectra(report, terminal);
        foreach (UncutLayer layer in report.Uncut)
            terminal.Say($"Not cut: {layer.Name} ({layer.Node}), because {layer.Reason}.");
        if (report.Baseline is not { } baseline)
            return;

        terminal.Say(
            Text(
                $"Untruncated: top-1 {100 * baseline.Top1:F2} %, top-5 {100 * baseline.Top5:F2} %, loss {baseline.Loss:F4} on {baseline.Samples:N0} images."
            )
        );
        if (report.RecalibratedBaseline is { } again)
            terminal.Say(
                Text(
                    $"With batch-norm statistics estimated again: top-1 {100 * again.Top1:F2} %, top-5 {100 * again.Top5:F2} %, loss {again.Loss:F4}."
                )
            );
        if (report.Truncations.Count <= MostRows)
            ShowTruncations(report, terminal);
        else
            ShowTolerance(report, terminal);
        if (NormTolerance.From(new(report)) is { } tolerance)
            ShowTolerance(tolerance, terminal);
        if (report.Truncations.SelectMany(static t => t.Kernels).Any(static kernel => kernel.Crossing))
            terminal.Say(
                "Some sequences cross: a later cut raised the rank at an earlier one again, so they have no factored parameter count (docs/analysis.md)."
            );
        if (report.Truncations.Count < report.PlannedTruncations)
            terminal.Say(
                $"This is {report.Truncations.Count:N0} of {report.PlannedTruncations:N0} results; merge it with the other shards."
            );
    }

    private static void ShowSpectra(AnalysisReport report, Terminal terminal)
    {
        TextTable table = new(
            "kernel",
            new("shape", 5),
            "cut",
            "max rank#",
            "effective rank#",
            new("rank for 1 % norm loss#", 3),
            "rank for 10 % norm loss#",
            new("rank for 50 % norm loss#", 4),
            new("break-even rank#", 1)
        );
        foreach (LayerAnalysis layer in report.Layers)
        {
            foreach (CutSpectrum cut in layer.Cuts)
            {
                bool first = ReferenceEquals(cut, layer.Cuts[0]);
                table.AddRow(
                    first ? layer.Name : "",
                    first ? string.Join('×', layer.Shape) : "",
                    cut.Cut,
                    Text($"{cut.MaxRank}"),
                    Text($"{cut.EffectiveRank:F1}"),
                    Text($"{cut.RankFor(0.01)}"),
                    Text($"{cut.RankFor(0.1)}"),
                    Text($"{cut.RankFor(0.5)}"),
                    Text($"{cut.BreakEvenRank}")
                );
            }
        }
        if (report.Layers.Count > 0)
            terminal.Show(table);
    }

    private static void ShowTruncations(AnalysisReport report, Terminal terminal)
    {
        bool recalibrated = report.RecalibratedBaseline is not null;
        TextTable table = new([
            "truncated",
            "cut",
            "rank#",
            "norm loss#",
            "top-1 %#",
            new("top-5 %#", 3),
            new("loss (nats)#", 2),
            new("parameters#", 1),
            .. recalibrated ? (Column[])["recalibrated top-1 %#"] : [],
        ]);
        (string, string) last = default;
        foreach (TruncationResult result in report.Truncations)
        {
            bool first = last != (result.Layer, result.Cut);
            last = (result.Layer, result.Cut);
            string[] row =
            [
                first ? result.Layer : "",
                first ? result.Cut : "",
                result.Rank is { } rank ? Text($"{rank}") : result.Rule,
                Text($"{result.NormLoss:F4}"),
                Text($"{100 * result.Top1:F2}"),
                Text($"{100 * result.Top5:F2}"),
                Text($"{result.Loss:F4}"),
                Text($"{result.Parameters:N0}"),
            ];
            table.AddRow([
                .. row,
                .. recalibrated ? (string[])[result.Recalibrated is { } again ? Text($"{100 * again.Top1:F2}") : ""] : [],
            ]);
        }
        if (report.Truncations.Count > 0)
            terminal.Show(table);
    }

    /// <summary>For every kernel and cut, how far it can be truncated before the accuracy falls by half a point, one and two.</summary>
    private static void ShowTolerance(AnalysisReport report, Terminal terminal)
    {
        Findings findings = new(report);
        TextTable table = new(
            "truncated",
            "cut",
            new("measured#", 4),
            new("rank for ½ point#", 2),
            "rank for 1 point#",
            new("rank for 2 points#", 3),
            new("norm loss at 1 point#", 1),
            "top-1 % there#",
            "parameters there#",
            new("of parameters#", 2)
        );
        string last = "";
        foreach (IGrouping<(string Layer, string Cut), TruncationResult> series in report.Truncations.GroupBy(static t => (t.Layer, t.Cut)))
        {
            TruncationResult?[] reached = [.. Drops.Select(drop => findings.Farthest(series, drop))];
            TruncationResult? usual = reached[1];
            table.AddRow([
                series.Key.Layer == last ? "" : series.Key.Layer,
                series.Key.Cut,
                Text($"{series.Count()}"),
                .. reached.Select(RankOf),
                usual is null ? "–" : Text($"{usual.NormLoss:F4}"),
                usual is null ? "–" : Text($"{100 * usual.Top1:F2}"),
                usual is null ? "–" : Text($"{usual.Parameters:N0}"),
                Text($"{findings.DenseParameters(series.First()):N0}"),
            ]);
            last = series.Key.Layer;
        }
        terminal.Show(table);
        terminal.Say(
            Text(
                $"Smallest ranks measured before top-1 falls by more than ½, 1 and 2 points; – where every measurement lost more. All {report.Truncations.Count:N0} measurements are in --json, --csv and --report."
            )
        );
    }

    /// <summary>Which cuts bear how much norm loss for a point of accuracy, and whether deeper kernels bear more.</summary>
    private static void ShowTolerance(NormTolerance tolerance, Terminal terminal)
    {
        TextTable table = new([
            "cut",
            "kernels#",
            .. NormTolerance.NormLosses.ToArray().Select(static loss => (Column)Text($"bear {100 * loss:F0} %#")),
            "mean norm loss#",
            new("correlation with depth#", 1),
        ]);
        foreach (CutTolerance cut in tolerance.ByCut())
            table.AddRow([
                cut.Cut,
                Text($"{cut.Kernels}"),
                .. cut.Tolerating.Select(static count => Text($"{count}")),
                Text($"{cut.Mean:F3}"),
                cut.DepthCorrelation is { } correlation ? Text($"{correlation:F2}") : "–",
            ]);
        terminal.Show(table);
        terminal.Say(
            "Kernels that, truncated alone, lose at most 1 point of top-1 with at least so much of their norm gone, among the ranks measured; Spearman's rank correlation of the norm loss borne with the kernel's place in the network."
        );
    }

    private static string RankOf(TruncationResult? reached) =>
        reached is null ? "–"
        : reached.Rank is { } rank ? Text($"{rank}")
        : reached.Rule;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
