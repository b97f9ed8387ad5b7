using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Reports.Charts;
using Tensorial.Training;

namespace Tensorial.Reports.Sections;

/// <summary>The blocks of a sequential tuning: how far each was from its teacher before, and how far it is now.</summary>
internal static class BlocksSection
{
    public static Section Of(ImmutableArray<BlockRecord> blocks)
    {
        IReadOnlyList<string> labels = Labels.Of([.. blocks.Select(static block => block.Name)]);
        Series[] lines =
        [
            new("before", Ink.Plain, [.. blocks.Select(static (b, k) => new Point(k + 1, b.ErrorBefore))]) { Dots = true },
            new("after", Ink.OfCut("o|ihw", 0), [.. blocks.Select(static (b, k) => new Point(k + 1, b.ErrorAfter))]) { Dots = true },
        ];
        double[] errors =
        [
            .. lines.SelectMany(static line => line.Points).Select(static p => p.Y).Where(static y => y > 0).DefaultIfEmpty(1e-3),
        ];
        (double low, double high) = (
            Math.Pow(10, Math.Floor(Math.Log10(errors.Min()))),
            Math.Pow(10, Math.Ceiling(Math.Log10(errors.Max() * 1.01)))
        );
        Chart chart = new(
            "Error of each block",
            "Squared distance of each block's activations from the teacher's over their squared length, before and after its tuning.",
            new("block", new OrdinalScale([.. labels]), TickFormat.Number),
            new("error", new LogScale(low, high), TickFormat.PowerOfTen),
            [.. lines]
        )
        {
            Size = ChartSize.Wide,
            Legend = new([.. lines.Select(static line => new LegendEntry(line.Name, line.Ink))]),
        };
        Table table = new(
            [
                new("block", "block", CellFormat.Code, "the value it makes"),
                new("before", "error before", CellFormat.Significant),
                new("after", "error after", CellFormat.Significant),
                new("left", "left", CellFormat.Percent),
                new("seconds", "seconds", CellFormat.Significant),
            ],
            blocks.Select(static b =>
                (ValueList<Cell>)[b.Name, b.ErrorBefore, b.ErrorAfter, b.ErrorBefore > 0 ? b.ErrorAfter / b.ErrorBefore : 1, b.Seconds]
            )
        );
        return new(
            "blocks",
            "Block by block",
            [
                new Figure(
                    "block-errors",
                    Prose.From(
                        $"{Prose.Strong("How far from the teacher.")} ‖y − t‖² / ‖t‖² of each block’s activations y against the teacher’s t at the same place, before and after its tuning, on the inputs it was tuned with. A block that came no closer stayed as it was."
                    ),
                    [chart]
                ),
                new TableBlock("block-table", Prose.From($"{Prose.Strong("Every block.")}"), table) { IsLong = blocks.Length > 20 },
            ]
        );
    }
}
