using Tensorial.Analysis;
using Tensorial.Reports.Charts;

namespace Tensorial.Reports;

/// <summary>Trainings side by side: accuracy against epochs and seconds, and how soon each is nearly there.</summary>
internal static class TrainingRunsPage
{
    /// <summary>The part of its own final accuracy at which a run counts as converged.</summary>
    private const double Converged = 0.9;

    /// <summary>As near to the best run, in accuracy, as counts as having come back.</summary>
    private const double Near = 0.005;

    /// <summary>The page that compares runs.</summary>
    /// <param name="runs">One or more.</param>
    public static Report From(IReadOnlyList<TrainingRunCurve> runs)
    {
        TrainingRunCurve best = runs.MaxBy(static run => run.Final)!;
        return new(
            runs.Count == 1 ? runs[0].Name : $"{Numbers.Count(runs.Count)} trainings",
            "Training curves",
            [
                new(
                    "runs",
                    "Accuracy on the way",
                    [
                        new Paragraph(
                            Prose.From(
                                $"The highest final test accuracy, {Prose.Strong(Numbers.Percent(best.Final, 2))}, has {Prose.Code(best.Name)}."
                            )
                        )
                        {
                            Leads = true,
                        },
                        Curves(runs),
                        new TableBlock(
                            "convergence-table",
                            Prose.From(
                                $"{Prose.Strong("How soon.")} Epochs and seconds to {Numbers.Percent(Converged, 0)} of a run’s own final accuracy, and to within {Numbers.Fixed(100 * Near, 1)} points of the best final accuracy of all. Epoch 0 is before the first, or after tuning block by block. Seconds are wall time on the machine of each run."
                            ),
                            Convergence(runs)
                        ),
                        new TableBlock("point-table", Prose.From($"{Prose.Strong("Every point.")}"), Points(runs))
                        {
                            IsLong = runs.Sum(static run => run.Points.Length) > 30,
                        },
                    ]
                ),
            ]
        );
    }

    /// <summary>A row for each run: accuracies, and epochs and seconds to the two marks.</summary>
    public static Table Convergence(IReadOnlyList<TrainingRunCurve> runs)
    {
        double best = runs.Max(static run => run.Final);
        return new(
            [
                new("run", "run", CellFormat.Code),
                new("first", "first", CellFormat.PercentFine),
                new("final", "final", CellFormat.PercentFine),
                new("epochs", "epochs", CellFormat.Count),
                new("seconds", "seconds", CellFormat.Count),
                new("epochsTo90", "epochs to 90\u202f%", CellFormat.Count),
                new("secondsTo90", "seconds to 90\u202f%", CellFormat.Count),
                new("epochsToBest", "epochs to ½ point", CellFormat.Count),
                new("secondsToBest", "seconds to ½ point", CellFormat.Count),
            ],
            runs.Select(run =>
            {
                RunPoint last = run.Points[^1];
                RunPoint? converged = run.Reaching(Converged * run.Final),
                    near = run.Reaching(best - Near);
                return (ValueList<Cell>)
                    [
                        run.Name,
                        run.Points[0].Top1,
                        run.Final,
                        last.Epoch,
                        last.Seconds,
                        converged?.Epoch,
                        converged?.Seconds,
                        near?.Epoch,
                        near?.Seconds,
                    ];
            })
        );
    }

    /// <summary>A row for each run and epoch.</summary>
    public static Table Points(IReadOnlyList<TrainingRunCurve> runs) =>
        new(
            [
                new("run", "run", CellFormat.Code),
                new("epoch", "epoch", CellFormat.Count),
                new("seconds", "seconds", CellFormat.Count),
                new("testTop1", "test top-1", CellFormat.PercentFine),
            ],
            runs.SelectMany(static run => run.Points, static (run, p) => (ValueList<Cell>)[run.Name, p.Epoch, p.Seconds, p.Top1])
        );

    private static Figure Curves(IReadOnlyList<TrainingRunCurve> runs)
    {
        Ink[] inks = [.. runs.Select(static (_, k) => new Ink($"hue{k % Palette.Hues}", k / Palette.Hues % 3))];
        Axis y = new(
            "test top-1",
            LinearScale.Around(runs.SelectMany(static run => run.Points, static (_, p) => p.Top1)),
            TickFormat.Percent
        );
        return new(
            "curves",
            Prose.From($"{Prose.Strong("Test accuracy")} after each epoch."),
            [Draw("Against epochs", "epoch", static p => p.Epoch), Draw("Against wall time", "seconds", static p => p.Seconds)]
        )
        {
            Legend = new([.. runs.Select((run, k) => new LegendEntry(run.Name, inks[k]))]),
        };

        Chart Draw(string title, string axis, Func<RunPoint, double> at) =>
            new(
                title,
                $"Test accuracy of {runs.Count} trainings against {axis}.",
                new(axis, LinearScale.Around([0, .. runs.SelectMany(run => run.Points.Select(at))]), TickFormat.Number),
                y,
                [
                    .. runs.Select(
                        (run, k) => new Series(run.Name, inks[k], [.. run.Points.Select(p => new Point(at(p), p.Top1))]) { Dots = true }
                    ),
                ]
            )
            {
                Size = ChartSize.Wide,
            };
    }
}
