using System.Collections.Immutable;
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Reports.Charts;
using Tensorial.Training;

namespace Tensorial.Reports.Sections;

/// <summary>
/// The curves of a training: accuracy, loss, learning rate and speed of every epoch, and the numbers they are drawn from.
/// </summary>
internal static class EpochsSection
{
    private static readonly Ink Tested = Ink.OfCut("o|ihw", 0),
        Trained = Ink.OfCut("i|ohw", 0);

    /// <summary>Curves of more epochs are lines without a dot for each.</summary>
    private const int MostDots = 60;

    public static Section Of(ImmutableArray<EpochRecord> epochs)
    {
        Axis across = new(
            "epoch",
            new OrdinalScale([.. epochs.Select(static e => e.Epoch.ToString(CultureInfo.InvariantCulture))]),
            TickFormat.Number
        );
        return new(
            "epochs",
            "Epoch by epoch",
            [
                new Figure(
                    "curves",
                    Caption(epochs),
                    [.. epochs.All(static e => e.TrainTop1 is not null) ? (Chart[])[Accuracy(epochs, across)] : [], Loss(epochs, across)]
                ),
                new Figure(
                    "pace",
                    Prose.From(
                        $"{Prose.Strong("The pace.")} The learning rate of each epoch's last step, and images trained a second, without those tested."
                    ),
                    [
                        Alone("Learning rate", "learning rate", TickFormat.Number, epochs, across, static e => e.LearningRate),
                        Alone("Speed", "images a second", TickFormat.Short, epochs, across, static e => e.ImagesPerSecond),
                    ]
                ),
                new TableBlock("epoch-table", Prose.From($"{Prose.Strong("Every epoch.")}"), Table(epochs)) { IsLong = epochs.Length > 20 },
            ]
        );
    }

    private static Prose Caption(ImmutableArray<EpochRecord> epochs)
    {
        Prose caption = Prose.From(
            $"{Prose.Strong("What was learnt, and when.")} Training accuracy counts images as they were trained on, varied and with weights still changing; the loss is what was minimised, as a mean over the epoch."
        );
        if (epochs.Where(static e => e.TestTop1 is not null).MaxBy(static e => e.TestTop1) is not { TestTop1: { } most } best)
            return caption;
        caption += " Test accuracy is that of the network after each epoch.";
        return epochs.Length < 3
            ? caption
            : caption
                + Prose.From(
                    $" It was highest after epoch {best.Epoch.ToString(CultureInfo.InvariantCulture)}: {Prose.Strong(Numbers.Percent(most, 2))}."
                );
    }

    private static Chart Accuracy(ImmutableArray<EpochRecord> epochs, Axis across)
    {
        Series[] lines =
        [
            .. epochs.Any(static e => e.TestTop1 is not null)
                ? (Series[])
                    [
                        Line(
                            "test",
                            Tested,
                            epochs
                                .Select((e, k) => (k, e.TestTop1))
                                .Where(static p => p.TestTop1 is not null)
                                .Select(static p => new Point(p.k + 1, p.TestTop1!.Value))
                        ),
                    ]
                : [],
            Line("training", Trained, epochs.Select(static (e, k) => new Point(k + 1, e.TrainTop1!.Value))),
        ];
        return new(
            "Accuracy",
            Said("Top-1 accuracy", epochs, static e => (e.TestTop1 ?? e.TrainTop1)!.Value, static v => Numbers.Percent(v, 2)),
            across,
            new("top-1", LinearScale.Around(lines.SelectMany(static line => line.Points).Select(static p => p.Y)), TickFormat.Percent),
            [.. lines]
        )
        {
            Size = ChartSize.Wide,
            Legend = new([.. lines.Select(static line => new LegendEntry(line.Name, line.Ink))]),
        };
    }

    private static Chart Loss(ImmutableArray<EpochRecord> epochs, Axis across)
    {
        Series line = Line("training", Trained, epochs.Select(static (e, k) => new Point(k + 1, e.Loss)));
        return new(
            "Loss",
            Said("Training loss", epochs, static e => e.Loss, static v => Numbers.Significant(v)),
            across,
            new(
                epochs[0].TrainTop1 is null ? "loss" : "loss, nats",
                LinearScale.Around(line.Points.Select(static p => p.Y)),
                TickFormat.Number
            ),
            [line]
        )
        {
            Size = ChartSize.Wide,
            Legend = new([new(line.Name, line.Ink)]),
        };
    }

    private static Chart Alone(
        string title,
        string measured,
        TickFormat format,
        ImmutableArray<EpochRecord> epochs,
        Axis across,
        Func<EpochRecord, double> value
    ) =>
        new(
            title,
            Said(title, epochs, e => value(e), static v => Numbers.Significant(v)),
            across,
            new(measured, LinearScale.Around([0, .. epochs.Select(value)]), format),
            [Line(measured, Ink.Plain, epochs.Select((e, k) => new Point(k + 1, value(e))))]
        )
        {
            Size = ChartSize.Wide,
        };

    private static Series Line(string name, Ink ink, IEnumerable<Point> points)
    {
        ValueList<Point> all = [.. points];
        return new(name, ink, all) { Dots = all.Count <= MostDots };
    }

    private static string Said(
        string what,
        ImmutableArray<EpochRecord> epochs,
        Func<EpochRecord, double> value,
        Func<double, string> shown
    ) => $"{what} of each epoch, {shown(value(epochs[0]))} in the first and {shown(value(epochs[^1]))} in the last.";

    private static Table Table(ImmutableArray<EpochRecord> epochs) =>
        new(
            [
                new("epoch", "epoch", CellFormat.Count),
                new("loss", "loss", CellFormat.Significant),
                new("trainTop1", "training top-1", CellFormat.PercentFine),
                new("testTop1", "test top-1", CellFormat.PercentFine),
                new("testError", "test error", CellFormat.PercentFine, "relative, of outputs against the teacher's"),
                new("learningRate", "learning rate", CellFormat.Significant, "of its last step"),
                new("imagesPerSecond", "images a second", CellFormat.Count),
                new("seconds", "seconds", CellFormat.Significant, "evaluation included"),
            ],
            epochs.Select(static e =>
                (ValueList<Cell>)[e.Epoch, e.Loss, e.TrainTop1, e.TestTop1, e.TestError, e.LearningRate, e.ImagesPerSecond, e.Seconds]
            )
        );
}
