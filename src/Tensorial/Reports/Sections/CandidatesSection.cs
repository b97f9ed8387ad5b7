using Tensorial.Compression;
using Tensorial.Reports.Charts;

namespace Tensorial.Reports.Sections;

/// <summary>Every candidate of every layer: what was chosen among, and what lies behind it.</summary>
internal static class CandidatesSection
{
    /// <summary>The section; none where a plan was given.</summary>
    public static Section[] Of(CompressionResult result)
    {
        LayerCandidates[] layers = [.. result.Candidates.Where(static own => own.Weighed.Length + own.Dominated.Length > 1)];
        if (layers.Length == 0)
            return [];
        IReadOnlyList<string> names = Labels.Of([.. layers.Select(static own => own.Chosen.Layer.Name)]);
        string measure = result.Data is null ? "noise over signal" : "sensitivity (nats)";
        return
        [
            new(
                "candidates",
                "Candidates of each layer",
                [
                    new Paragraph(
                        Prose.From(
                            $"Every form that was fitted for a layer: its parameters against {(result.Data is null ? "the noise over signal of its kernel" : "the KL divergence of the network's predictions with this form alone")}. Lines join those that no other of the layer outdoes; pale ones are no smaller, no cheaper and no better than another. The circle is what the layer became."
                        )
                    ),
                    new Deck("layer", [.. layers.Select((own, k) => Card(own, names[k], k, measure))]),
                ]
            ),
        ];
    }

    private static Card Card(LayerCandidates own, string name, int place, string measure)
    {
        CompressionCandidate[] weighed = [.. own.Weighed.Where(static c => c.Form is not null)],
            all = [.. weighed.Concat(own.Dominated)];
        string[] formats = [.. all.Select(static c => c.Format!.ToString()).Distinct()];
        Axis y = new(measure, LogScale.Around([.. all.Select(static c => c.Sensitivity)]), TickFormat.PowerOfTen);
        List<Series> lines = [];
        for (int k = 0; k < formats.Length; k++)
        {
            Ink ink = Ink.OfCut(formats[k], k);
            lines.Add(Of(own.Dominated, formats[k], ink) with { IsPale = true });
            lines.Add(Of(weighed, formats[k], ink) with { HasLine = true });
        }
        if (own.Chosen.Form is { } form)
            lines.Add(
                new("chosen", Ink.Plain, [PointOf(own.Chosen) with { Label = form.ToString() }])
                {
                    Dots = true,
                    HasLine = false,
                    IsMark = true,
                }
            );
        Chart chart = new(
            name,
            $"The candidates of {name}: parameters left against {measure}, a colour for each format.",
            new("parameters left", new LinearScale(0, 1), TickFormat.Percent),
            y,
            [.. lines]
        )
        {
            Size = ChartSize.Wide,
            Legend = new([.. formats.Select(static (format, k) => new LegendEntry(format, Ink.OfCut(format, k)))]),
        };
        string became = own.Chosen.Form is { } chosen ? chosen.ToString() : "dense";
        return new(
            $"candidates-{place + 1}",
            own.Chosen.Layer.Name,
            $"became {became}; {all.Length} candidates",
            [new Figure($"candidates-{place + 1}-figure", Prose.From($"{Prose.Code(own.Chosen.Layer.Name)}"), [chart])]
        );
    }

    private static Series Of(IEnumerable<CompressionCandidate> candidates, string format, Ink ink) =>
        new(
            format,
            ink,
            [
                .. candidates
                    .Where(c => c.Format!.ToString() == format && c.Sensitivity > 0)
                    .OrderBy(static c => c.Parameters)
                    .Select(PointOf),
            ]
        )
        {
            Dots = true,
            HasLine = false,
        };

    private static Point PointOf(CompressionCandidate c) =>
        new((double)c.Parameters / c.Layer.Parameters, c.Sensitivity, c.Form is { } form ? LayerForm.Text(form.Format, form.Ranks) : "");
}
