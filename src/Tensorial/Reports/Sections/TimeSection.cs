using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Reports.Charts;

namespace Tensorial.Reports.Sections;

/// <summary>Where the time for one image goes, layer by layer, before and after, in each runtime.</summary>
internal static class TimeSection
{
    /// <summary>The section; none where nothing was timed.</summary>
    public static Section[] Of(ImmutableArray<LayerTimes> times) =>
        times.IsEmpty
            ? []
            : [new("time", "Where the time goes", [.. times.SelectMany(static (one, k) => (Block[])[Drawn(one, k), Listed(one, k)])])];

    private static Figure Drawn(LayerTimes times, int index)
    {
        ImmutableArray<LayerTime> layers = [.. times.Layers.Where(static layer => layer.Layer.Length > 0)];
        Series Line(string name, Ink ink, Func<LayerTime, double> value) =>
            new(name, ink, [.. layers.Select((layer, k) => new Point(k + 1, value(layer), layer.Layer))]) { Dots = true };
        Series[] lines =
        [
            Line("before", Ink.Plain, static layer => layer.BeforeMs),
            Line("after", Ink.OfDepth(0, 2), static layer => layer.AfterMs),
            Line("floor of after", Ink.OfDepth(1, 2), static layer => layer.FloorAfterMs),
        ];
        double most = layers.Max(static layer => Math.Max(layer.BeforeMs, Math.Max(layer.AfterMs, layer.FloorAfterMs)));
        Chart chart = new(
            $"Time of each layer in {times.Runtime}",
            "Milliseconds of each layer for one image before and after compression, and what its multiply-accumulates take at the peak of the processor.",
            new("layer", new OrdinalScale([.. Labels.Of([.. layers.Select(static layer => layer.Layer)])]), TickFormat.Number),
            new("ms", new LinearScale(0, most), TickFormat.Number),
            [.. lines]
        )
        {
            Size = ChartSize.Wide,
            Legend = new([.. lines.Select(static line => new LegendEntry(line.Name, line.Ink))]),
        };
        return new(
            $"time-{index}",
            Prose.From(
                $"{Prose.Strong($"Time for one image in {times.Runtime}, {times.Threads} {(times.Threads == 1 ? "thread" : "threads")}.")} Medians of single steps. The floor is what a layer's multiply-accumulates take at the peak of these threads, {Numbers.Significant(times.PeakMacs / 1e9)} billion a second as measured; Winograd's algorithm does fewer and may go below."
            ),
            [chart]
        );
    }

    private static TableBlock Listed(LayerTimes times, int index)
    {
        (double before, double after) = (times.Layers.Sum(static l => l.BeforeMs), times.Layers.Sum(static l => l.AfterMs));
        Table table = new(
            [
                new("layer", "layer", CellFormat.Code),
                new("beforeMs", "ms before", CellFormat.Fixed3),
                new("afterMs", "ms after", CellFormat.Fixed3),
                new("ratio", "of the time", CellFormat.Percent),
                new("shareBefore", "share before", CellFormat.Percent),
                new("shareAfter", "share after", CellFormat.Percent),
                new("macsBefore", "MACs before", CellFormat.Count),
                new("macsAfter", "MACs after", CellFormat.Count),
                new("floorBeforeMs", "floor before", CellFormat.Fixed3, "ms of the multiply-accumulates at the peak of the processor"),
                new("floorAfterMs", "floor after", CellFormat.Fixed3),
            ],
            times.Layers.Select(layer =>
                (ValueList<Cell>)
                    [
                        layer.Layer.Length > 0 ? layer.Layer : "everything else",
                        layer.BeforeMs,
                        layer.AfterMs,
                        Over(layer.AfterMs, layer.BeforeMs),
                        Over(layer.BeforeMs, before),
                        Over(layer.AfterMs, after),
                        layer.MacsBefore,
                        layer.MacsAfter,
                        layer.FloorBeforeMs,
                        layer.FloorAfterMs,
                    ]
            )
        );
        return new(
            $"time-table-{index}",
            Prose.From(
                $"{Prose.Strong($"Layer by layer in {times.Runtime}.")} Steps that are fused into a layer, as batch norm, activation and addition, count as part of it; copies between layouts, pooling and the like are everything else."
            ),
            table
        )
        {
            IsLong = times.Layers.Length > 20,
        };
    }

    private static double? Over(double part, double whole) => whole > 0 ? part / whole : null;
}
