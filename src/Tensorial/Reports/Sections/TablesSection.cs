using Tensorial.Analysis;

namespace Tensorial.Reports.Sections;

/// <summary>The numbers behind everything.</summary>
internal static class TablesSection
{
    private const int MostRows = 4000;

    public static Section Of(Findings findings)
    {
        AnalysisReport analysis = findings.Analysis;
        List<Block> blocks = [];
        if (analysis.Layers.Count > 0)
        {
            blocks.Add(
                new TableBlock(
                    "kernel-table",
                    Prose.From($"{Prose.Strong("Kernels.")} Multiply-accumulates are those of the node for one image."),
                    AnalysisTables.Kernels(analysis)
                )
                {
                    IsLong = analysis.Layers.Count > 20,
                }
            );
            blocks.Add(
                new TableBlock(
                    "cut-table",
                    Prose.From(
                        $"{Prose.Strong("Cuts.")} χ at 10 %: the smallest rank whose norm loss is at most 10 %. Up to the break-even rank, two factors have no more parameters than the dense kernel. Also in cuts.csv; all singular values in spectra.csv."
                    ),
                    AnalysisTables.Cuts(analysis)
                )
                {
                    IsLong = true,
                    MaximumRows = MostRows,
                }
            );
        }
        if (findings.TogetherAlongOne.Any())
        {
            blocks.Add(
                new TableBlock(
                    "together-table",
                    Prose.From(
                        $"{Prose.Strong($"Truncated together: {findings.Everything}.")} Also in truncations.csv, with every other measurement."
                    ),
                    AnalysisTables.Truncations(findings, findings.TogetherAlongOne, withLayer: false)
                )
                {
                    IsLong = findings.TogetherAlongOne.Skip(20).Any(),
                    MaximumRows = MostRows,
                }
            );
        }
        if (analysis.Uncut.Count > 0)
            blocks.Add(
                new TableBlock("uncut-table", Prose.From($"{Prose.Strong("Not cut,")} and why."), AnalysisTables.Uncut(analysis))
                {
                    IsLong = analysis.Uncut.Count > 20,
                }
            );
        if (blocks.Count == 0)
            blocks.Add(new Paragraph("There are no numbers to show."));
        return new("tables", "Tables", [.. blocks]);
    }
}
