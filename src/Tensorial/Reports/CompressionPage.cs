using Tensorial.Compression;
using Tensorial.Reports.Charts;
using Tensorial.Reports.Sections;

namespace Tensorial.Reports;

/// <summary>The report of a compression: what became smaller, what that cost, what every layer became and why.</summary>
internal static class CompressionPage
{
    public static Report From(CompressionResult result) =>
        new(
            result.Model,
            "Compression report",
            [
                Summary(result),
                .. result.Quantization is { } quantization ? (Section[])[QuantizationSection.Of(quantization)] : [],
                FactorsSection.Of(result.Layers),
                .. TimeSection.Of(result.LayerTimes),
                .. result.Fronts.IsEmpty ? (Section[])[] : [Fronts(result)],
                .. CandidatesSection.Of(result),
                ProvenanceSection.Of(result),
            ]
        );

    private static Section Summary(CompressionResult result)
    {
        (CompressedSize before, CompressedSize after, Verification v) = (result.Before, result.After, result.Verification);
        int written = result.Layers.Count(static layer => layer.Format is not null);
        Prose lead = Prose.From(
            $"{Numbers.Count(written)} of {Numbers.Count(result.Layers.Length)} layers are written as factors; {Prose.Strong(Numbers.Percent(FactorsSection.Share(after.Parameters, before.Parameters), 0) + " of the parameters")} and {Prose.Strong(Numbers.Percent(FactorsSection.Share(after.Macs, before.Macs), 0) + " of the multiply-accumulates")} are left."
        );
        lead +=
            v.First is { } one && v.Second is { } other
                ? Prose.From(
                    $" On {Numbers.Count(v.Samples)} images of {result.Data ?? "?"} {Prose.Strong(Numbers.Percent(other.Top1, 2))} are classified correctly, before it was {Numbers.Percent(one.Top1, 2)}; both networks agree on {Numbers.Percent(v.Agreement ?? 0, 2)}."
                )
                : Prose.From(
                    $" On {Numbers.Count(v.Samples)} {(result.Data is null ? "random inputs" : $"images of {result.Data}")} the outputs have a relative error of {Prose.Strong(Numbers.Percent(v.RelativeError, 2))}{(result.Data is null ? ", which says little of real ones" : "")}."
                );
        foreach (MeasuredLatency time in result.Latencies)
            lead += Prose.From(
                $" In {time.Runtime} a batch of {Numbers.Count(time.Batch)} takes {Prose.Strong(Numbers.Percent(time.Ratio, 0) + " of the time")}: {Numbers.Significant(time.AfterMs)} ms, before {Numbers.Significant(time.BeforeMs)} ms (medians of pairs)."
            );
        if (!result.Trials.IsEmpty)
            lead += Prose.From(
                $" The size was searched for: {string.Join("; ", result.Trials.Select(static trial => $"{Numbers.Percent(trial.Parameters, 1)} of the parameters lost {Numbers.Significant(trial.Drop)} points"))} on training images held back."
            );
        if (result.Recalibrated)
            lead += " Batch-norm statistics were estimated again on training images.";
        List<KeyNumber> numbers =
        [
            new(Numbers.Short(after.Parameters), "parameters", $"of {Numbers.Short(before.Parameters)}"),
            new(Numbers.Short(after.Macs), "multiply-accumulates", $"of {Numbers.Short(before.Macs)}, one image"),
            new(Numbers.Bytes(after.FileBytes), "on disk", $"of {Numbers.Bytes(before.FileBytes)}"),
        ];
        if (v.Drop is { } drop)
            numbers.Add(new(Numbers.Points(-drop / 100), "points of top-1 accuracy", $"on {Numbers.Count(v.Samples)} images"));
        numbers.Add(
            v.KlDivergence is { } kl
                ? new(Numbers.Significant(kl), "nats", "KL divergence of the predictions")
                : new(Numbers.Percent(v.RelativeError, 2), "relative error", "of the outputs")
        );
        return new("summary", "In short", [new Paragraph(lead) { Leads = true }, new KeyNumbers([.. numbers])]);
    }

    private static Section Fronts(CompressionResult result)
    {
        double most = result
            .Fronts.SelectMany(static front => front.Points)
            .Select(static point => point.Sensitivity)
            .DefaultIfEmpty(1)
            .Max();
        double least = result
            .Fronts.SelectMany(static front => front.Points)
            .Select(static point => point.Sensitivity)
            .Where(static d => d > 0)
            .DefaultIfEmpty(1e-3)
            .Min();
        Series[] lines =
        [
            .. result.Fronts.Select(
                static (front, k) =>
                    new Series(
                        front.Format,
                        front.Format == "auto" ? Ink.Plain : Ink.OfCut(front.Format, k),
                        [
                            .. front
                                .Points.Where(static point => point.Sensitivity > 0)
                                .Select(static point => new Point(point.Rate, point.Sensitivity)),
                        ]
                    )
                    {
                        Dots = true,
                    }
            ),
        ];
        Chart chart = new(
            "Sensitivity against size",
            "The least damage of each format, and of all together, against the parameters left in the layers that may change.",
            new("parameters left", new LinearScale(0, 1), TickFormat.Percent),
            new(
                "sensitivity",
                new LogScale(
                    Math.Pow(10, Math.Floor(Math.Log10(least))),
                    Math.Pow(10, Math.Ceiling(Math.Log10(Math.Max(most, least * 1.01))))
                ),
                TickFormat.PowerOfTen
            ),
            [.. lines]
        )
        {
            Size = ChartSize.Wide,
            Legend = new([.. lines.Select(static line => new LegendEntry(line.Name, line.Ink))]),
        };
        return new(
            "fronts",
            "Formats against each other",
            [
                new Figure(
                    "pareto",
                    Prose.From(
                        $"{Prose.Strong("What each format can do.")} For every format, and for the best of all in each layer, the least damage at a size, as single layers promise it before they are fitted together: {(result.Data is null ? "noise over signal of the kernels" : "KL divergence of the predictions in nats")}, added up."
                    ),
                    [chart]
                ),
            ]
        );
    }
}
