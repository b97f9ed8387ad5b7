using System.Globalization;
using Spectre.Console;
using Tensorial.Analysis;

namespace Tensorial.Cli.Commands;

/// <summary>An analysis on the terminal: what a person looks at first. The whole of it is in the JSON and in the report.</summary>
internal static class AnalysisTablesForPeople
{
    public static void Show(AnalysisReport report, Terminal terminal)
    {
        ShowSpectra(report, terminal);
        foreach (UncutLayer layer in report.Uncut) terminal.Say($"Not cut: {layer.Name} ({layer.Node}), because {layer.Reason}.");
        if (report.Baseline is not { } baseline) return;

        terminal.Say(Text($"Untruncated: top-1 {100 * baseline.Top1:F2} %, top-5 {100 * baseline.Top5:F2} %, loss {baseline.Loss:F4} on {baseline.Samples:N0} images."));
        if (report.RecalibratedBaseline is { } again)
            terminal.Say(Text($"With batch-norm statistics estimated again: top-1 {100 * again.Top1:F2} %, top-5 {100 * again.Top5:F2} %, loss {again.Loss:F4}."));
        ShowTruncations(report, terminal);
        if (report.Truncations.SelectMany(static t => t.Kernels).Any(static kernel => kernel.Crossing))
            terminal.Say("Some sequences cross: a later cut raised the rank at an earlier one again, so they have no factored parameter count (docs/analysis.md).");
        if (report.Truncations.Count < report.PlannedTruncations)
            terminal.Say($"This is {report.Truncations.Count:N0} of {report.PlannedTruncations:N0} results; merge it with the other shards.");
    }

    private static void ShowSpectra(AnalysisReport report, Terminal terminal)
    {
        Table table = Terminal.NewTable("kernel", "shape", "cut", "max rank#", "effective rank#", "norm loss 1 %#", "10 %#", "50 %#", "break-even#");
        foreach (LayerAnalysis layer in report.Layers)
        {
            foreach (CutSpectrum cut in layer.Cuts)
            {
                bool first = ReferenceEquals(cut, layer.Cuts[0]);
                table.AddRow(first ? layer.Name.Escaped() : "", first ? string.Join('×', layer.Shape) : "", cut.Cut, Text($"{cut.MaxRank}"),
                    Text($"{cut.EffectiveRank:F1}"), Text($"{cut.RankFor(0.01)}"), Text($"{cut.RankFor(0.1)}"), Text($"{cut.RankFor(0.5)}"), Text($"{cut.BreakEvenRank}"));
            }
        }
        if (report.Layers.Count > 0) terminal.Show(table);
    }

    private static void ShowTruncations(AnalysisReport report, Terminal terminal)
    {
        bool recalibrated = report.RecalibratedBaseline is not null;
        Table table = recalibrated
            ? Terminal.NewTable("truncated", "cut", "rank", "norm loss#", "top-1 %#", "top-5 %#", "loss#", "parameters#", "recalibrated %#")
            : Terminal.NewTable("truncated", "cut", "rank", "norm loss#", "top-1 %#", "top-5 %#", "loss#", "parameters#");
        (string, string) last = default;
        foreach (TruncationResult result in report.Truncations)
        {
            bool first = last != (result.Layer, result.Cut);
            last = (result.Layer, result.Cut);
            string[] row =
            [
                first ? result.Layer.Escaped() : "", first ? result.Cut : "", result.Rank is { } rank ? Text($"{rank}") : result.Rule, Text($"{result.NormLoss:F4}"),
                Text($"{100 * result.Top1:F2}"), Text($"{100 * result.Top5:F2}"), Text($"{result.Loss:F4}"), Text($"{result.Parameters:N0}"),
            ];
            table.AddRow([.. row, .. recalibrated ? (string[])[result.Recalibrated is { } again ? Text($"{100 * again.Top1:F2}") : ""] : []]);
        }
        if (report.Truncations.Count > 0) terminal.Show(table);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
