using Tensorial.Analysis;
using Tensorial.Reports.Charts;

namespace Tensorial.Reports.Sections;

/// <summary>A card for each kernel: its spectra and what truncating it costs.</summary>
internal static class LayersSection
{
    /// <summary>Beyond so many measurements the cards leave out their tables; all are in the CSV file.</summary>
    private const int MostRows = 2500;

    /// <summary>The fragment that leads to a kernel's card.</summary>
    public static string Id(int layer) => $"kernel-{layer + 1}";

    public static Section Of(Findings findings)
    {
        bool tables = findings.Analysis.Truncations.Count <= MostRows;
        return new(
            "kernels",
            "Kernel by kernel",
            [new Deck("Kernel", [.. findings.Analysis.Layers.Select((layer, k) => CardOf(findings, layer, k, tables))])]
        );
    }

    private static Card CardOf(Findings findings, LayerAnalysis layer, int index, bool tables)
    {
        List<Chart> charts = [SpectraSection.DecayOf(findings, layer), SpectraSection.NormLossOf(findings, layer)];
        if (AccuracySection.AloneOf(findings, layer) is { } accuracy)
            charts.Add(accuracy);
        string groups = layer.Groups > 1 ? $", {Numbers.Count(layer.Groups)} groups" : "";
        List<Block> blocks =
        [
            new Paragraph(
                Prose.From(
                    $"{Prose.Code(layer.Name)} of {layer.Operation} {Prose.Code(layer.Node)}, {string.Join('·', layer.Axes)} = {AnalysisTables.ShapeText(layer.Shape)}{groups}; {Numbers.Count(layer.Parameters)} parameters, {Numbers.Short(layer.Macs)} multiply-accumulates for one image, ‖{Prose.Variable("K")}‖ = {Numbers.Significant(layer.Norm)}."
                )
            ),
        ];
        blocks.Add(
            layer.Norm == 0
                ? new Paragraph("This kernel is zero: it has no spectrum, and may be left out altogether.")
                : new Figure($"{Id(index)}-charts", Verdict(layer), [.. charts]) { Legend = LegendOf(findings, layer) }
        );
        TruncationResult[] alone = [.. findings.AloneOf(layer.Name)];
        if (tables && alone.Length > 0)
            blocks.Add(
                new TableBlock($"{Id(index)}-table", "Truncations measured, this kernel alone.", AnalysisTables.Alone(findings, alone))
                {
                    IsLong = alone.Length > 16,
                }
            );
        return new(Id(index), $"{index + 1}. {findings.Labels[index]}", AnalysisTables.ShapeText(layer.Shape), [.. blocks]);
    }

    private static Prose Verdict(LayerAnalysis layer) =>
        Findings.Best(layer, Findings.UsualNormLoss) is { } best
            ? Prose.From(
                $"Within a norm loss of {Numbers.Percent(Findings.UsualNormLoss, 0)} the fewest parameters are kept along {Prose.Code(best.Cut.Cut)}: rank {Numbers.Count(best.Rank)} of {Numbers.Count(best.Cut.MaxRank)}, {Numbers.Count(best.Parameters)} instead of {Numbers.Count(layer.Parameters)}."
            )
            : Prose.From($"Within a norm loss of {Numbers.Percent(Findings.UsualNormLoss, 0)} no single cut saves parameters.");

    private static Legend LegendOf(Findings findings, LayerAnalysis layer) =>
        new([
            .. SpectraSection.CutLegend(findings).Entries.Where(entry => layer.Cuts.Any(cut => cut.Cut == entry.Name && cut.MaxRank > 1)),
        ]);
}
