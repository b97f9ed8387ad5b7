using Tensorial.Analysis;

namespace Tensorial.Reports;

/// <summary>The numbers of an analysis as tables, for the page and for CSV alike.</summary>
internal static class AnalysisTables
{
    private static readonly Column Layer = new("layer", "kernel", CellFormat.Code);
    private static readonly Column Cut = new("cut", "cut", CellFormat.Code);

    /// <summary>A row for each singular value.</summary>
    public static Table Spectra(AnalysisReport analysis) =>
        new(
            [
                Layer,
                Cut,
                new("index", "k", CellFormat.Count),
                new("singularValue", "s_k", CellFormat.Significant),
                new("normalised", "s_k/s_1", CellFormat.Significant),
                new("normLoss", "norm loss at rank k", CellFormat.Significant),
            ],
            analysis
                .Layers.SelectMany(static layer => layer.Cuts, static (layer, cut) => (layer, cut))
                .SelectMany(static pair => SpectrumRows(pair.layer, pair.cut))
        );

    /// <summary>A row for each kernel and cut.</summary>
    public static Table Cuts(AnalysisReport analysis) =>
        new(
            [
                Layer,
                new("shape", "shape", CellFormat.Text),
                new("parameters", "parameters", CellFormat.Count),
                new("macs", "MACs", CellFormat.Count),
                Cut,
                new("rows", "rows", CellFormat.Count),
                new("columns", "columns", CellFormat.Count),
                new("maximalRank", "max. rank", CellFormat.Count),
                new(
                    "breakEvenRank",
                    "break-even",
                    CellFormat.Count,
                    "The largest rank at which the two factors have no more parameters than the dense kernel."
                ),
                new("entropy", "entropy", CellFormat.Fixed3, "Entanglement entropy in nats."),
                new("normalisedEntropy", "of max.", CellFormat.Fixed3, "Entropy over its maximum, ln of the maximal rank."),
                new("effectiveRank", "eff. rank", CellFormat.Significant, "exp(entropy)"),
                new(
                    "participationRatio",
                    "participation",
                    CellFormat.Significant,
                    "1 / Σ p², p being squared singular values over their sum."
                ),
                new("schmidtGap", "Schmidt gap", CellFormat.Fixed3, "p of the first singular value less p of the second."),
                .. CutSpectrum
                    .NormLosses.ToArray()
                    .Select(static loss => new Column(
                        "rankForNormLoss" + Numbers.Exact(loss),
                        $"χ at {Numbers.Percent(loss, 0)}",
                        CellFormat.Count,
                        $"The smallest rank with a norm loss of at most {Numbers.Percent(loss, 0)}."
                    )),
                new(
                    "parametersAtNormLoss0.1",
                    "params at 10\u202f%",
                    CellFormat.Count,
                    "Parameters of the two factors at that rank, or of the dense kernel where that has fewer."
                ),
            ],
            analysis.Layers.SelectMany(static layer => layer.Cuts, static (layer, cut) => CutRow(layer, cut))
        );

    /// <summary>A row for each measurement.</summary>
    public static Table Truncations(AnalysisReport analysis) => Truncations(new Findings(analysis), analysis.Truncations, withLayer: true);

    /// <summary>A row for each of these measurements.</summary>
    /// <param name="withLayer">Whether to name the kernel; all of one need not.</param>
    public static Table Truncations(Findings findings, IEnumerable<TruncationResult> truncations, bool withLayer)
    {
        bool recalibrated = findings.Analysis.Truncations.Any(static t => t.Recalibrated is not null);
        return new(
            [
                .. withLayer ? (Column[])[Layer] : [],
                Cut,
                new("rule", "rule", CellFormat.Text, "What decided the ranks: a rank, a fraction of the maximal rank, or a norm loss."),
                new("rank", "rank", CellFormat.Count),
                new("rankFraction", "of max.", CellFormat.Percent),
                new("normLoss", "norm loss", CellFormat.Fixed3, "‖K − K_χ‖ / ‖K‖; for all kernels the mean."),
                new("retainedEnergy", "energy", CellFormat.Fixed3, "‖K_χ‖² / ‖K‖², what is retained"),
                new("relativeNormLoss", "1 − ‖K_χ‖/‖K‖", CellFormat.Fixed3),
                new(
                    "parameters",
                    "parameters",
                    CellFormat.Count,
                    "Of the truncated kernels, stored as factors, or dense where that takes fewer or cuts cross."
                ),
                new("parametersFraction", "kept", CellFormat.Percent, "Parameters over those of the same kernels before."),
                new("top1", "top-1", CellFormat.PercentFine),
                new("top1Change", "change", CellFormat.Points, "Percentage points against the untouched network."),
                new("top5", "top-5", CellFormat.PercentFine),
                new("loss", "loss", CellFormat.Fixed3, "Mean cross-entropy in nats."),
                .. recalibrated
                    ? (Column[])
                        [
                            new(
                                "recalibratedTop1",
                                "top-1 recalibrated",
                                CellFormat.PercentFine,
                                "After batch-norm statistics were estimated again."
                            ),
                        ]
                    : [],
                new("crossing", "crossing", CellFormat.Text, "Whether cuts cross, so that the result is no tree tensor."),
                new("samples", "images", CellFormat.Count),
            ],
            truncations.Select(t =>
                (ValueList<Cell>)
                    [
                        .. withLayer ? (Cell[])[t.Layer] : [],
                        t.Cut,
                        t.Rule,
                        t.Rank,
                        findings.RankFraction(t),
                        t.NormLoss,
                        t.RetainedEnergy,
                        t.RelativeNormLoss,
                        t.Parameters,
                        findings.KeptFraction(t),
                        t.Top1,
                        -findings.Drop(t),
                        t.Top5,
                        t.Loss,
                        .. recalibrated ? (Cell[])[t.Recalibrated?.Top1] : [],
                        Findings.IsCrossing(t) ? "yes" : "no",
                        t.Samples,
                    ]
            )
        );
    }

    /// <summary>The same in fewer columns, for measurements of one kernel.</summary>
    public static Table Alone(Findings findings, IEnumerable<TruncationResult> truncations) =>
        new(
            [
                Cut,
                new("rank", "rank", CellFormat.Count),
                new("rankFraction", "of max.", CellFormat.Percent),
                new("normLoss", "norm loss", CellFormat.Fixed3),
                new("parametersFraction", "parameters kept", CellFormat.Percent),
                new("top1", "top-1", CellFormat.PercentFine),
                new("top1Change", "change", CellFormat.Points),
            ],
            truncations.Select(t =>
                (ValueList<Cell>)[t.Cut, t.Rank, findings.RankFraction(t), t.NormLoss, findings.KeptFraction(t), t.Top1, -findings.Drop(t)]
            )
        );

    /// <summary>A row for each kernel analysed.</summary>
    public static Table Kernels(AnalysisReport analysis) =>
        new(
            [
                Layer,
                new("node", "node", CellFormat.Code),
                new("operation", "operation", CellFormat.Text),
                new("shape", "shape", CellFormat.Text),
                new("groups", "groups", CellFormat.Count),
                new("parameters", "parameters", CellFormat.Count),
                new("parametersShare", "of model", CellFormat.Percent),
                new("macs", "MACs", CellFormat.Count),
                new("macsShare", "of model", CellFormat.Percent),
                new("norm", "‖K‖", CellFormat.Significant),
            ],
            analysis.Layers.Select(layer =>
                (ValueList<Cell>)
                    [
                        layer.Name,
                        layer.Node,
                        layer.Operation,
                        ShapeText(layer.Shape),
                        layer.Groups,
                        layer.Parameters,
                        Share(layer.Parameters, analysis.Model.Parameters),
                        layer.Macs,
                        Share(layer.Macs, analysis.Model.Macs),
                        layer.Norm,
                    ]
            )
        );

    public static Table Uncut(AnalysisReport analysis) =>
        new(
            [
                new("weight", "weight", CellFormat.Code),
                new("node", "node", CellFormat.Code),
                new("shape", "shape", CellFormat.Text),
                new("reason", "why", CellFormat.Text),
            ],
            analysis.Uncut.Select(static u => (ValueList<Cell>)[u.Name, u.Node, ShapeText(u.Shape), u.Reason])
        );

    public static string ShapeText(ValueList<int> shape) => string.Join('×', shape);

    private static Cell Share(long part, long whole) => whole > 0 ? (double)part / whole : Cell.None;

    private static ValueList<Cell> CutRow(LayerAnalysis layer, CutSpectrum cut)
    {
        IReadOnlyDictionary<string, int> ranks = cut.RankForNormLoss;
        return
        [
            layer.Name,
            ShapeText(layer.Shape),
            layer.Parameters,
            layer.Macs,
            cut.Cut,
            cut.Rows,
            cut.Columns,
            cut.MaxRank,
            cut.BreakEvenRank,
            cut.Entropy,
            cut.NormalisedEntropy,
            cut.EffectiveRank,
            cut.ParticipationRatio,
            cut.SchmidtGap,
            .. CutSpectrum.NormLosses.ToArray().Select(loss => (Cell)ranks[Numbers.Exact(loss)]),
            Findings.KeptParameters(layer, cut, cut.RankFor(Findings.UsualNormLoss)),
        ];
    }

    private static IEnumerable<ValueList<Cell>> SpectrumRows(LayerAnalysis layer, CutSpectrum cut)
    {
        double[] losses = cut.NormLossByRank();
        for (int k = 0; k < cut.SingularValues.Count; k++)
        {
            double value = cut.SingularValues[k],
                first = cut.SingularValues[0];
            yield return [layer.Name, cut.Cut, k + 1, value, first > 0 ? value / first : 0.0, losses[k + 1]];
        }
    }
}
