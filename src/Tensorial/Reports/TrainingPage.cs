using Tensorial.Reports.Sections;
using Tensorial.Training;

namespace Tensorial.Reports;

/// <summary>The report of a training: what was reached, block by block, epoch by epoch, and how.</summary>
internal static class TrainingPage
{
    public static Report From(TrainingReport training) =>
        new(
            training.Provenance.Model.Name,
            training.Teacher is null ? "Training report" : "Tuning report",
            [
                Summary(training),
                .. training.Blocks.IsEmpty ? (Section[])[] : [BlocksSection.Of(training.Blocks)],
                .. training.Epochs.IsEmpty ? (Section[])[] : [EpochsSection.Of(training.Epochs)],
                .. training.Layers.IsEmpty ? (Section[])[] : [FactorsSection.Of(training.Layers)],
                Recipe(training),
                ProvenanceSection.Of(training),
            ]
        );

    private static Section Summary(TrainingReport training)
    {
        Prose lead = Lead(training);
        List<KeyNumber> numbers = [];
        if (training.Top1After is { } after)
            numbers.Add(
                new(
                    Numbers.Percent(after, 2),
                    "test top-1 accuracy",
                    training.Top1Before is { } before
                        ? $"before {Numbers.Percent(before, 2)}"
                        : $"on {Numbers.Count(training.Provenance.Data?.Samples ?? 0)} images"
                )
            );
        if (training.Epochs is [.., { } last])
        {
            if (last.TrainTop1 is { } trained)
                numbers.Add(new(Numbers.Percent(trained, 2), "training top-1 accuracy", "on the way, in the last epoch"));
            if (last.TestError is { } error)
                numbers.Add(new(Numbers.Percent(error, 2), "relative error of outputs", "against the teacher's, on test images"));
            numbers.Add(
                new(
                    Numbers.Significant(last.Loss),
                    last.TrainTop1 is null ? "loss" : "loss, nats",
                    training.Epochs is [{ } first, _, ..] ? $"{Numbers.Significant(first.Loss)} in the first epoch" : "mean over the epoch"
                )
            );
            numbers.Add(
                new(
                    Numbers.Count((long)Median(training.Epochs.Select(static e => e.ImagesPerSecond))),
                    "images a second",
                    "median over the epochs"
                )
            );
        }
        if (training.Memory is { } memory)
            numbers.Add(
                new(
                    Numbers.Bytes(memory.Bytes),
                    "memory of a step",
                    memory.Parts > 1 ? $"batches go through in {memory.Parts} parts" : "weights, activations, gradients"
                )
            );
        return new(
            "summary",
            "In short",
            [new Paragraph(lead) { Leads = true }, .. numbers.Count > 0 ? (Block[])[new KeyNumbers([.. numbers])] : []]
        );
    }

    private static Prose Lead(TrainingReport training)
    {
        int epochs = training.Epochs.Length;
        string data = training.Provenance.Data?.Description ?? training.Images.Description;
        Prose lead = training.Blocks.IsEmpty
            ? ""
            : Prose.From(
                $"{Numbers.Count(training.Blocks.Count(static b => b.ErrorAfter < b.ErrorBefore))} of {Numbers.Count(training.Blocks.Length)} blocks came closer to {Prose.Code(training.Teacher ?? "the teacher")}: the median error fell from {Numbers.Percent(Median(training.Blocks.Select(static b => b.ErrorBefore)), 2)} to {Prose.Strong(Numbers.Percent(Median(training.Blocks.Select(static b => b.ErrorAfter)), 2))}. "
            );
        string when = (epochs, training.Blocks.IsEmpty) switch
        {
            (0, _) => "Now",
            (1, _) => "After one epoch",
            _ => $"After {Numbers.Count(epochs)} epochs",
        };
        if (training is { ErrorAfter: { } left, ErrorBefore: { } was })
            return lead
                + Prose.From(
                    $"{when} the outputs for {Numbers.Count(training.Provenance.Data?.Samples ?? 0)} test images of {data} have a relative error of {Prose.Strong(Numbers.Percent(left, 2))} against the teacher's; before it was {Numbers.Percent(was, 2)}."
                );
        if (training.Top1After is not { } after)
            return epochs == 0
                ? lead
                : lead
                    + Prose.From(
                        $"{when} the loss is {Prose.Strong(Numbers.Significant(training.Epochs[^1].Loss))} on {Numbers.Count(training.Images.Samples)} images of {data}; nothing was tested."
                    );
        lead += Prose.From(
            $"{when} {Prose.Strong(Numbers.Percent(after, 2))} of {Numbers.Count(training.Provenance.Data?.Samples ?? 0)} test images of {data} are classified correctly"
        );
        if (training.Top1Before is { } before)
            lead += Prose.From($", {Numbers.Points(after - before)} points against {Numbers.Percent(before, 2)} before");
        if (training.Stopped == StopReason.NoProgress)
            lead += ": training stopped when accuracy rose no further, and the network of the best epoch is the result";
        return lead + ".";
    }

    private static Section Recipe(TrainingReport training) =>
        new(
            "recipe",
            "How it was trained",
            [
                new Definitions([
                    new("From", Prose.From($"{Prose.Code(training.Start)}")),
                    .. training.Teacher is { } teacher ? (Definition[])[new("Teacher", Prose.From($"{Prose.Code(teacher)}"))] : [],
                    .. training.Recipe.Select(static line => new Definition(line.Name, line.Value)),
                    .. training.Memory is { } memory
                        ? (Definition[])
                            [
                                new(
                                    "Memory of a step",
                                    $"{Numbers.Bytes(memory.ActivationBytes)} of activations and their gradients, {Numbers.Bytes(memory.WeightBytes)} of weights, their gradients and what is remembered of them"
                                ),
                            ]
                        : [],
                ]),
            ]
        );

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
