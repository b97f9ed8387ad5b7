using Tensorial.Analysis;

namespace Tensorial.Reports.Sections;

/// <summary>How far each kernel can be cut along each cut, at a glance, and what that saves.</summary>
internal static class CutsSection
{
    public static Section Of(Findings findings)
    {
        List<Option> options =
        [
            .. CutSpectrum.NormLosses.ToArray().Select(loss => new Option(Numbers.Percent(loss, 0), [OfNormLoss(findings, loss)])),
        ];
        options.Add(new("effective rank", [OfEffectiveRank(findings)]));
        return new(
            "cuts",
            "How far each kernel can be cut",
            [
                new Paragraph(
                    Prose.From(
                        $"A cut splits the axes of a kernel (output channel {Prose.Code("o")}, input channel {Prose.Code("i")}, height {Prose.Code("h")}, width {Prose.Code("w")}) into the rows and columns of a matrix; truncating it keeps the largest {Prose.Variable("χ")} singular values. The map gives the smallest rank within a norm loss as a percentage of the maximal rank: the stronger the colour, the less of the rank is needed."
                    )
                ),
                new ReportChoice("map", "Norm loss", [.. options]) { First = CutSpectrum.NormLosses.IndexOf(Findings.UsualNormLoss) },
                new HeatScale(
                    "100 % of the rank needed",
                    "0 %",
                    Prose.From(
                        $"{Prose.Strong("Bold:")} two factors of this rank have fewer parameters than the dense kernel. A dot: there is no such cut, or it has rank one and leaves nothing to cut."
                    )
                ),
                SavingsFigure.Of(findings),
                Definitions(),
            ]
        );
    }

    private static HeatMap OfNormLoss(Findings findings, double loss)
    {
        HeatMap map = Map(
            findings,
            Prose.From($"Rank for a norm loss of {Numbers.Percent(loss, 0)}, in % of the maximal rank"),
            cut => cut.RankFor(loss),
            "rank"
        );
        return map with
        {
            Remarks = ["fewest parameters", "kept", "of the model"],
            Rows =
            [
                .. map.Rows.Zip(
                    findings.Analysis.Layers,
                    (row, layer) => row with { Remarks = Remarks(findings, layer, Findings.Best(layer, loss)) }
                ),
            ],
        };
    }

    private static ValueList<Prose> Remarks(Findings findings, LayerAnalysis layer, LayerCut? best) =>
        [
            best is null ? "dense" : Prose.From($"{Prose.Code(best.Cut.Cut)}"),
            Numbers.Percent(best is null ? 1 : (double)best.Parameters / layer.Parameters, 0),
            Numbers.Percent((double)layer.Parameters / Math.Max(1, findings.Analysis.Model.Parameters)),
        ];

    private static HeatMap OfEffectiveRank(Findings findings) =>
        Map(findings, "Effective rank exp(entropy), in % of the maximal rank", static cut => cut.EffectiveRank, "effective rank");

    private static HeatMap Map(Findings findings, Prose caption, Func<CutSpectrum, double> rank, string what)
    {
        IReadOnlyList<string> cuts = findings.Cuts;
        return new(
            caption,
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
                                .. cuts.Select(name =>
                                    layer.Cuts.FirstOrDefault(c => c.Cut == name) is { MaxRank: > 1 } cut
                                        ? CellOf(layer, cut, rank(cut), what)
                                        : null
                                ),
                            ]
                        )
                ),
            ]
        );
    }

    private static HeatCell CellOf(LayerAnalysis layer, CutSpectrum cut, double rank, string what)
    {
        double fraction = rank / cut.MaxRank;
        return new(
            1 - fraction,
            Numbers.Fixed(100 * fraction, 0),
            $"{what} {(rank == Math.Floor(rank) ? Numbers.Count((long)rank) : Numbers.Fixed(rank, 1))} of {Numbers.Count(cut.MaxRank)}",
            cut.FactoredParameters((int)Math.Ceiling(rank)) < layer.Parameters
        );
    }

    private static Aside Definitions()
    {
        Prose chi = Prose.From($"{Prose.Variable("K")}{Prose.Subscript("χ")}"),
            kernel = Prose.From($"{Prose.Variable("K")}");
        return new(
            "What “norm loss” means here",
            [
                new Definitions([
                    new(
                        "Norm loss",
                        Prose.From(
                            $"‖{kernel} − {chi}‖ / ‖{kernel}‖ with the Frobenius norm: the root of the discarded squares of singular values over all of them. Used wherever nothing else is said."
                        )
                    ),
                    new(
                        "Retained energy",
                        Prose.From(
                            $"‖{chi}‖² / ‖{kernel}‖² = 1 − (norm loss)². A norm loss of 10 % retains 99 % of the energy, one of 50 % retains 75 %."
                        )
                    ),
                    new(
                        "Relative norm loss",
                        Prose.From(
                            $"1 − ‖{chi}‖ / ‖{kernel}‖ = 1 − √(1 − (norm loss)²). A norm loss of 10 % is 0.5 % by this measure, one of 50 % is 13.4 %."
                        )
                    ),
                    new(
                        "Effective rank",
                        Prose.From(
                            $"exp {Prose.Variable("S")} with the entropy {Prose.Variable("S")} = −∑ {Prose.Variable("p")} ln {Prose.Variable("p")} of {Prose.Variable("p")} = {Prose.Variable("s")}² / ∑ {Prose.Variable("s")}²: how many equal singular values would have this entropy."
                        )
                    ),
                ]),
                new Paragraph(
                    "The study that this analysis follows (Singh, Jahromi, Orús, Tensor network compressibility of convolutional models, arXiv 2403.14379) calls its measure “norm loss” too, but the part of it available to us does not define it. Compare figures with care; all three measures are in the CSV files."
                ),
            ]
        );
    }
}
