using Tensorial.Analysis;

namespace Tensorial.Reports.Sections;

/// <summary>The answer: how far the network can be cut, where, and at what cost.</summary>
internal static class SummarySection
{
    /// <summary>Rows of the list of kernels to cut first.</summary>
    private const int First = 12;

    public static Section Of(Findings findings)
    {
        AnalysisReport analysis = findings.Analysis;
        if (analysis.Layers.Count == 0)
        {
            string why =
                analysis.Uncut.Count > 0
                    ? "why not is said below, weight by weight."
                    : "it has no convolution and no dense layer, or none that was asked for.";
            return new("summary", "In short", [new Paragraph($"No kernel of this network was cut: {why}") { Leads = true }, Key(findings)]);
        }
        List<Block> blocks = [new Paragraph(Size(findings)) { Leads = true }];
        if (Together(findings) is { } together)
            blocks.Add(new Paragraph(together) { Leads = true });
        blocks.Add(Key(findings));
        if (Missing(analysis) is { } missing)
            blocks.Add(new Paragraph(missing));
        if (ToCut(findings) is { } table)
            blocks.Add(table);
        return new("summary", "In short", [.. blocks]);
    }

    /// <summary>What the spectra say: how much is left at two norm losses, along what, and which kernel gives most.</summary>
    private static Prose Size(Findings findings)
    {
        const double little = Findings.UsualNormLoss,
            more = 0.3;
        int kernels = findings.Analysis.Layers.Count;
        string who = kernels == 1 ? "its one kernel" : $"each of its {Numbers.Count(kernels)} kernels";
        double first = Share(findings.BestParameters(little), findings.KernelParameters),
            second = Share(findings.BestParameters(more), findings.KernelParameters);
        if (second >= 1)
            return $"The spectra fall slowly along every cut: even if {who} may lose {Numbers.Percent(more, 0)} of its norm, no single cut saves parameters.";
        string left = first >= 1 ? "nothing is saved" : $"{Numbers.Percent(first, 0)} of the kernel parameters are left";
        Prose text = Prose.From(
            $"If {who} may lose {Numbers.Percent(little, 0)} of its norm, cut where that pays most, {Prose.Strong(left)}; if it may lose {Numbers.Percent(more, 0)}, {Prose.Strong(Numbers.Percent(second, 0))}."
        );
        if (kernels == 1)
            return text;
        if (findings.Cuts.Count > 1)
        {
            (string cut, long parameters) = findings.Cuts.Select(c => (c, findings.ParametersAlong(c, more))).MinBy(static c => c.Item2);
            text += Prose.From(
                $" Along one cut throughout, {Prose.Code(cut)} keeps the fewest then ({Numbers.Percent(Share(parameters, findings.KernelParameters), 0)})."
            );
        }
        LayerCut deepest = findings
            .Analysis.Layers.Select(static layer => Findings.Best(layer, more))
            .OfType<LayerCut>()
            .MinBy(static c => Share(c.Parameters, c.Layer.Parameters))!;
        return text
            + Prose.From(
                $" The furthest goes {Prose.Code(deepest.Layer.Name)} along {Prose.Code(deepest.Cut.Cut)}: rank {Numbers.Count(deepest.Rank)} of {Numbers.Count(deepest.Cut.MaxRank)}, {Numbers.Percent(Share(deepest.Parameters, deepest.Layer.Parameters), 0)} of its parameters."
            );
    }

    /// <summary>What truncating everything costs in accuracy; null where it was not measured.</summary>
    private static Prose? Together(Findings findings)
    {
        if (findings.Analysis.Baseline is not { } baseline || !findings.TogetherAlongOne.Any())
            return null;
        string before = Numbers.Percent(baseline.Top1, 2);
        if (findings.SmallestTogether(Findings.UsualDrop) is { } smallest)
        {
            return Prose.From(
                $"With {findings.Everything} truncated together along {Prose.Code(smallest.Cut)} to {Prose.Strong(Numbers.Percent(findings.KeptFraction(smallest), 0) + " of their parameters")} (mean norm loss {Numbers.Fixed(smallest.NormLoss, 2)}), without any retraining, {Prose.Strong(Numbers.Percent(smallest.Top1, 2))} of the images are still classified correctly, {Change(smallest, baseline)} the untouched network’s {before}: the smallest that was measured within {Allowed()}."
            );
        }
        TruncationResult best =
            findings.TogetherAlongOne.Where(t => t.Parameters < findings.DenseParameters(t)).MaxBy(static t => t.Top1)
            ?? findings.TogetherAlongOne.MaxBy(static t => t.Top1)!;
        return Prose.From(
            $"Truncating {findings.Everything} together costs accuracy at once: nothing that was measured saves parameters within {Allowed()} of the untouched network’s {before}; the nearest, along {Prose.Code(best.Cut)} at {Numbers.Percent(findings.KeptFraction(best), 0)} of the parameters, classifies {Prose.Strong(Numbers.Percent(best.Top1, 2))} correctly."
        );
    }

    private static string Allowed() => $"{Numbers.Fixed(100 * Findings.UsualDrop, 0)} percentage point";

    private static string Change(TruncationResult t, Evaluation baseline) =>
        Math.Abs(t.Top1 - baseline.Top1) < 5e-5
            ? "as many as"
            : $"{Numbers.Fixed(100 * Math.Abs(t.Top1 - baseline.Top1), 2)} points {(t.Top1 < baseline.Top1 ? "below" : "above")}";

    private static KeyNumbers Key(Findings findings)
    {
        AnalysisReport analysis = findings.Analysis;
        List<KeyNumber> items =
        [
            new(Numbers.Short(analysis.Model.Parameters), "parameters", Numbers.Bytes(analysis.Provenance.Model.Bytes) + " on disk"),
            new(Numbers.Short(analysis.Model.Macs), "multiply-accumulates", "for one image"),
            new(
                Numbers.Count(analysis.Layers.Count),
                analysis.Layers.Count == 1 ? "kernel analysed" : "kernels analysed",
                analysis.Layers.Count == 0
                    ? ""
                    : Numbers.Percent(Share(findings.KernelParameters, analysis.Model.Parameters), 0) + " of the parameters"
            ),
        ];
        if (analysis.Layers.Count > 0)
            items.Add(
                new(
                    Numbers.Percent(Share(findings.BestParameters(Findings.UsualNormLoss), findings.KernelParameters), 0),
                    "of kernel parameters kept",
                    "at 10\u202f% norm loss, best cut of each"
                )
            );
        if (analysis.Baseline is { } baseline)
        {
            items.Add(
                new(
                    Numbers.Percent(baseline.Top1, 2),
                    "top-1 accuracy untouched",
                    $"±\u202f{Numbers.Fixed(100 * Findings.StandardError(baseline), 2)} points on {Numbers.Count(baseline.Samples)} images"
                )
            );
        }
        return new([.. items]);
    }

    private static Prose? Missing(AnalysisReport analysis)
    {
        if (analysis.Provenance.Data is null)
            return "No images were given, so nothing here says what a truncation costs in accuracy. Run analyze again with --data to measure it.";
        return analysis.PlannedTruncations > analysis.Truncations.Count
            ? Prose.From(
                $"{Prose.Strong("Incomplete:")} {Numbers.Count(analysis.Truncations.Count)} of {Numbers.Count(analysis.PlannedTruncations)} measurements are here; the others belong to other shards or are still to come."
            )
            : null;
    }

    /// <summary>The kernels that give most, each along its best cut; by measured accuracy where there is one.</summary>
    private static TableBlock? ToCut(Findings findings)
    {
        List<(LayerCut Cut, TruncationResult? Measured)> candidates = [];
        bool measured = findings.Analysis.Baseline is not null && findings.AloneAlongOne.Any();
        foreach (LayerAnalysis layer in findings.Analysis.Layers)
        {
            if (measured)
            {
                TruncationResult? t = findings
                    .AloneOf(layer.Name)
                    .Where(t => findings.IsWithin(t, Findings.UsualDrop))
                    .MinBy(static t => t.Parameters);
                if (t?.Rank is { } rank && findings.Spectrum(layer.Name, t.Cut) is { } cut && t.Parameters < layer.Parameters)
                    candidates.Add((new(layer, cut, rank, t.Parameters), t));
            }
            else if (Findings.Best(layer, Findings.UsualNormLoss) is { } best)
            {
                candidates.Add((best, null));
            }
        }
        // What saves less than a thousandth of the model is not worth a line.
        candidates.RemoveAll(c => c.Cut.Saved * 1000 < findings.Analysis.Model.Parameters);
        if (candidates.Count == 0)
            return null;
        Table table = new(
            [
                new("layer", "kernel", CellFormat.Code),
                new("cut", "cut", CellFormat.Code),
                new("rank", "rank", CellFormat.Count),
                new("maximalRank", "of", CellFormat.Count),
                new("normLoss", "norm loss", CellFormat.Fixed3),
                new("before", "parameters", CellFormat.Count),
                new("after", "as factors", CellFormat.Count),
                new("saved", "saves of the model", CellFormat.Percent),
                .. measured ? (Column[])[new("top1", "top-1", CellFormat.PercentFine), new("change", "change", CellFormat.Points)] : [],
            ],
            candidates
                .OrderByDescending(static c => c.Cut.Saved)
                .Take(First)
                .Select(c =>
                    (ValueList<Cell>)
                        [
                            c.Cut.Layer.Name,
                            c.Cut.Cut.Cut,
                            c.Cut.Rank,
                            c.Cut.Cut.MaxRank,
                            c.Measured?.NormLoss ?? c.Cut.Cut.NormLoss(c.Cut.Rank),
                            c.Cut.Layer.Parameters,
                            c.Cut.Parameters,
                            Share(c.Cut.Saved, findings.Analysis.Model.Parameters),
                            .. measured ? (Cell[])[c.Measured!.Top1, -findings.Drop(c.Measured)] : [],
                        ]
                )
        );
        string which = candidates.Count > First ? $"The {First} kernels that give most" : "What each kernel gives";
        Prose caption = measured
            ? Prose.From(
                $"{Prose.Strong("What to cut first.")} {which}, each cut alone as far as {Allowed()} of accuracy allows among the ranks measured. Losses of several kernels add up: read the figures for {findings.Everything} together before cutting many."
            )
            : Prose.From(
                $"{Prose.Strong("What to cut first.")} {which}, each along the cut that keeps the fewest parameters within a norm loss of {Numbers.Percent(Findings.UsualNormLoss, 0)}. The norm says nothing about accuracy."
            );
        return new("first", caption, table);
    }

    private static double Share(long part, long whole) => whole > 0 ? (double)part / whole : 0;
}
