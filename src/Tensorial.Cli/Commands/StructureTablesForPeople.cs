using System.Globalization;
using Tensorial.Compression;
using Tensorial.Decompositions;

namespace Tensorial.Cli.Commands;

/// <summary>What search found, for people.</summary>
internal static class StructureTablesForPeople
{
    public static void Show(SearchCommand.Result result, Terminal terminal)
    {
        if (result.Layers.IsEmpty)
            terminal.Say("The network has no kernel whose form could be searched for.");
        else
            ShowForms(result, terminal);
        foreach (StructureSummary summary in result.Summary.Where(static summary => summary.Kernels > 0))
            ShowSummary(summary, terminal);
        foreach (IGrouping<string, KeptLayer> alike in result.Kept.GroupBy(static kept => kept.Reason))
            terminal.Say($"Not searched, because {alike.Key}: {string.Join(", ", alike.Select(static kept => kept.Name))}.");
    }

    private static void ShowForms(SearchCommand.Result result, Terminal terminal)
    {
        TextTable table = new(
            "kernel",
            new("shape", 4),
            "rate#",
            "form",
            new("tree", 1),
            "ranks#",
            "parameters#",
            new("MACs#", 2),
            new("predicted#", 3),
            "fitted#",
            "best"
        );
        foreach (LayerStructures layer in result.Layers)
        foreach (StructureForm form in layer.Forms.Where(static form => form.Kind != StructureKind.Named))
            table.AddRow(
                layer.Name,
                layer.Shape.ToString(),
                Text($"{form.Rate:0.###}"),
                form.Format,
                form.Kind == StructureKind.Grown ? "grown" : form.Tree ?? "",
                form.Kind == StructureKind.FoldedTree
                    ? string.Join('×', form.Ranks)
                    : LayerForm.Text(KernelFormat.Parse(form.Format), form.Ranks),
                Text($"{form.Parameters:N0}"),
                form.Macs is { } macs ? Text($"{macs:N0}") : "",
                form.PredictedError is { } predicted ? Text($"{predicted:F4}") : "",
                Text($"{form.FittedError:F4}"),
                layer.BestAt(form.Rate) == form ? "*" : ""
            );
        terminal.Show(table);
    }

    private static void ShowSummary(StructureSummary summary, Terminal terminal)
    {
        TextTable table = new("form", "mean relative error#", "best of all#");
        foreach (StructureMean mean in summary.Errors)
            table.AddRow(mean.Name, Text($"{mean.MeanError:F4}"), Text($"{mean.Best:N0}"));
        terminal.Say(Text($"At {summary.Rate:0.###}, {summary.Kernels:N0} kernels:"));
        terminal.Show(table);
        if (summary is { BestNamed: { } named, BestOfAll: { } all })
            terminal.Say(Text($"The best named format of each kernel: {named:F4}; the best of all forms: {all:F4}."));
        if (summary.BestFound is { } found)
            terminal.Say(Text($"The best form found for each kernel: {found:F4}."));
        if (summary.RankCorrelation is { } correlation)
            terminal.Say(Text($"Rank correlation of predicted and fitted errors of the trees: {correlation:F3}."));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
