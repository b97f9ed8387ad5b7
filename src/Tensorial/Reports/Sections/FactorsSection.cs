using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Decompositions;
using Tensorial.Reports.Charts;

namespace Tensorial.Reports.Sections;

/// <summary>What became of every layer: its factors, or why it stayed as it was.</summary>
internal static class FactorsSection
{
    public static Section Of(ImmutableArray<CompressedLayer> layers)
    {
        Table table = new(
            [
                new("layer", "layer", CellFormat.Code),
                new("format", "format", CellFormat.Text),
                new("ranks", "ranks", CellFormat.Text),
                new("after", "parameters", CellFormat.Count),
                new("before", "of", CellFormat.Count),
                new("kept", "left", CellFormat.Percent),
                new("macsAfter", "MACs", CellFormat.Count),
                new("macsBefore", "of", CellFormat.Count),
                new("time", "time of dense", CellFormat.Percent),
                new("error", "relative error", CellFormat.Fixed3),
                new(
                    "sensitivity",
                    "sensitivity",
                    CellFormat.Significant,
                    "KL divergence of the predictions in nats; without data noise over signal"
                ),
                new("why", "why", CellFormat.Text),
                new("runnerUp", "runner-up", CellFormat.Text, "the best in another format at no more parameters, up to a twentieth"),
                new("runnerUpSensitivity", "its sensitivity", CellFormat.Significant),
                new("breakEven", "would be smaller up to", CellFormat.Text),
            ],
            layers.Select(static layer =>
                (ValueList<Cell>)
                    [
                        layer.Name,
                        layer.Format ?? "dense",
                        layer is { Ranks: { } ranks, Format: { } format } ? LayerForm.Text(KernelFormat.Parse(format), ranks) : "",
                        layer.ParametersAfter,
                        layer.ParametersBefore,
                        Share(layer.ParametersAfter, layer.ParametersBefore),
                        layer.MacsAfter,
                        layer.MacsBefore,
                        layer.TimeRatio,
                        layer.RelativeError,
                        layer.Sensitivity,
                        Why(layer),
                        layer.RunnerUp is { } second
                            ? $"{second.Format} {LayerForm.Text(KernelFormat.Parse(second.Format), second.Ranks)}"
                            : "",
                        layer.RunnerUp?.Sensitivity,
                        layer.Format is null && layer.BreakEven is { } even
                            ? string.Join(", ", even.Select(static pair => $"{pair.Key} {string.Join('×', pair.Value)}"))
                            : "",
                    ]
            )
        );
        IReadOnlyList<string> labels = Labels.Of([.. layers.Select(static layer => layer.Name)]);
        Series Line(string name, Ink ink, Func<CompressedLayer, long> parameters) =>
            new(name, ink, [.. layers.Select((layer, k) => new Point(k + 1, parameters(layer), layer.Format ?? "dense"))]) { Dots = true };
        Series[] lines =
        [
            Line("before", Ink.Plain, static layer => layer.ParametersBefore),
            Line("after", Ink.OfDepth(0, 2), static layer => layer.ParametersAfter),
        ];
        double most = layers.Max(static layer => (double)layer.ParametersBefore);
        Chart chart = new(
            "Parameters of each layer",
            "Parameters of each layer before and after compression.",
            new("layer", new OrdinalScale([.. labels]), TickFormat.Number),
            new("parameters", new LinearScale(0, most), TickFormat.Short),
            [.. lines]
        )
        {
            Size = ChartSize.Wide,
            Legend = new([.. lines.Select(static line => new LegendEntry(line.Name, line.Ink))]),
        };
        Table steps = new(
            [
                new("layer", "layer", CellFormat.Code),
                new("step", "step", CellFormat.Count),
                new("equation", "equation", CellFormat.Code),
                new("macs", "MACs", CellFormat.Count),
                new("predicted", "predicted ms", CellFormat.Fixed3),
            ],
            layers.SelectMany(static layer =>
                layer.Steps.Select((step, k) => (ValueList<Cell>)[layer.Name, (long)(k + 1), step.Equation, step.Macs, step.PredictedMs])
            )
        );
        TableBlock[] plans = layers.All(static layer => layer.Steps.IsEmpty)
            ? []
            :
            [
                new TableBlock(
                    "plan-table",
                    Prose.From(
                        $"{Prose.Strong("How each factored layer is computed.")} Every step multiplies the feature map with a factor, or with several that are multiplied when the network is loaded; the axes are those of the format. Time is what the built-in cost model predicts for one image on one thread."
                    ),
                    steps
                )
                {
                    IsLong = layers.Sum(static layer => layer.Steps.Length) > 20,
                },
            ];
        return new(
            "layers",
            "Layer by layer",
            [
                new Figure("sizes", Prose.From($"{Prose.Strong("Where the parameters were, and where they are.")}"), [chart]),
                new TableBlock(
                    "layer-table",
                    Prose.From(
                        $"{Prose.Strong("What became of each layer.")} The relative error is that of the kernel in the measure it was fitted in: with data, the change of what the layer answers."
                    ),
                    table
                )
                {
                    IsLong = layers.Length > 20,
                },
                .. plans,
            ]
        );
    }

    /// <summary>Why the layer is what it is, in a few words.</summary>
    private static string Why(CompressedLayer layer) =>
        layer.KeptBecause is { } kept ? kept
        : layer.Sensitivity is not { } own ? "the plan says so"
        : layer.RunnerUp is not { } second ? "no other format is as small"
        : own <= second.Sensitivity ? "least damage at this size"
        : layer.MacsAfter < second.Macs ? "fewer multiply-accumulates than the runner-up"
        : "the runner-up was slower, or none of its sizes fits the budget as well";

    /// <summary>A part over the whole; 0 of nothing.</summary>
    public static double Share(long part, long whole) => whole > 0 ? (double)part / whole : 0;
}
