using System.Collections.Immutable;
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Reports;
using Tensorial.Training;
using Tensorial.Training.Distributed;

namespace Tensorial.Cli;

/// <summary>A training as the commands run one: with progress, a line for every epoch, evaluation and checkpoints.</summary>
internal sealed class TrainingRun(TrainingOptions options, ImageSet images, ImageSet? test, Terminal terminal, CancellationToken cancel)
{
    public DirectoryInfo? Folder { get; init; }

    public string Signature { get; init; } = "";

    /// <summary>Constants that are named one by one.</summary>
    private const int MostNamed = 20;

    public Func<Tensor<float>, Tensor<float>>? Teacher { get; init; }

    /// <summary>The teacher as it is, which outputs are compared with where test images have no labels.</summary>
    public Graph? Dense { get; init; }

    /// <summary>What looks learnt and was not trained; known once a training has begun.</summary>
    public ImmutableArray<FixedConstant> Fixed { get; private set; } = [];

    /// <summary>What a step takes; known once a training has begun.</summary>
    public TrainingMemory? Memory { get; private set; }

    /// <summary>What a checkpoint says of the test images: the best epoch, and what each came to, are of these.</summary>
    public static string TestOf(ImageSet? test) => test is null ? "" : $", tested on {test.Fingerprint}";

    private readonly DateTimeOffset _began = DateTimeOffset.UtcNow;

    /// <summary>The report on a training whose network has been written.</summary>
    public TrainingReport ReportOn(TrainingOutputs outputs, FileInfo written, string start) =>
        new()
        {
            Start = start,
            Provenance = new()
            {
                Version = ToolVersion.Text,
                CommandLine = outputs.CommandLine,
                Date = _began,
                Model = ModelFile.From(written.FullName),
                Seed = options.Seed,
                Machine = Machine.Here(options.Threads),
                Data = test is null ? null : DataUse.From(test, DataSplit.Test),
                Seconds = (DateTimeOffset.UtcNow - _began).TotalSeconds,
            },
            Images = DataUse.From(images, DataSplit.Train),
            Recipe = outputs.Recipe,
            Memory = Memory,
        };

    public TrainingResult Train(Graph graph)
    {
        using Trainer trainer = new(graph, images, options)
        {
            Evaluate = test is { HasLabels: true } ? Top1 : null,
            EvaluateError = test is { HasLabels: false } && Dense is not null ? Error : null,
            Teacher = Teacher,
            Checkpoints = Folder is null ? null : new(Folder.FullName) { Warn = terminal.Warn },
            Signature = Signature,
            EpochDone = record => terminal.Note(Line(record)),
        };
        Memory = trainer.Memory;
        Name(trainer.Fixed);
        terminal.Note(
            Text(
                $"{images}; a step takes {TrainingMemory.Text(Memory.Bytes)}: {TrainingMemory.Text(Memory.ActivationBytes)} of activations and their gradients, the rest for weights{(Memory.Parts > 1 ? Text($"; batches go through in {Memory.Parts} parts") : "")}"
            )
        );
        return terminal.WithProgress(progress => trainer.Run(progress, cancel));
    }

    /// <summary>Says, before the first step, what looks learnt and will stay as it is.</summary>
    public void Name(ImmutableArray<FixedConstant> constants)
    {
        FixedConstant[] news = [.. constants.Except(Fixed)];
        Fixed = [.. Fixed, .. news];
        foreach (FixedConstant left in news.Take(MostNamed))
            terminal.Warn(Text($"not trained: '{left.Name}' ({left.Count:N0} numbers, read by '{left.Node}'), because {left.Reason}"));
        if (news.Length > MostNamed)
            terminal.Warn(Text($"not trained: {news.Length - MostNamed} constants more; --json lists all"));
    }

    /// <summary>How far a network's outputs are from the teacher's on the test images: ‖y - t‖ / ‖t‖. Of several ranks, rank 0 finds out.</summary>
    public double Error(Graph graph)
    {
        if (options.Communicator is { Rank: > 0 })
            return 0;
        using Inference network = new(InFloat32.Apply(graph).WithImageShape(test!.ImageShape), options.Threads),
            teacher = new(InFloat32.Apply(Dense!).WithImageShape(test.ImageShape), options.Threads);
        return Verification.From(teacher.Run, network.Run, test, probabilities: false, cancel: cancel).RelativeError;
    }

    /// <summary>The test accuracy; several ranks share the images.</summary>
    public double Top1(Graph graph) => Top1(graph, progress: null);

    /// <inheritdoc cref="Top1(Graph)"/>
    /// <param name="graph">The network.</param>
    /// <param name="progress">Told after each batch.</param>
    public double Top1(Graph graph, IProgress<Progress>? progress)
    {
        using Inference network = new(InFloat32.Apply(graph).WithImageShape(test!.ImageShape), options.Threads);
        if (options.Communicator is not { } ranks)
            return Evaluator.Evaluate(network, graph, test, progress: progress, cancel: cancel).Result.Top1;
        BatchShare share = BatchShare.Of(ranks, test.Count);
        double[] right = [0];
        if (share.Count > 0)
        {
            ImageSet own = test.Skip(share.First).Take(share.Count);
            right[0] = Math.Round(own.Count * Evaluator.Evaluate(network, graph, own, progress: progress, cancel: cancel).Result.Top1);
        }
        ranks.Sum(right, cancel);
        return right[0] / test.Count;
    }

    private static string Line(EpochRecord e) =>
        Text(
            $"epoch {e.Epoch}: loss {e.Loss:G4}{(e.TrainTop1 is { } trained ? Text($", training {100 * trained:F2} %") : "")}{(e.TestTop1 is { } top1 ? Text($", test {100 * top1:F2} %") : "")}{(e.TestError is { } error ? Text($", test error {100 * error:F2} %") : "")}, {e.ImagesPerSecond:N0} images/s, {e.Seconds:F0} s"
        );

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Epochs as a table.</summary>
internal static class TrainingTables
{
    /// <summary>Rows shown at most; the JSON file has all.</summary>
    private const int MostRows = 20;

    public static void Show(TrainingResult result, Terminal terminal)
    {
        bool hasLabels = result.Epochs.Any(static e => e.TrainTop1 is not null);
        TextTable table = new(
            "epoch#",
            "loss#",
            "training top-1 %#",
            hasLabels ? "test top-1 %#" : "test error %#",
            new("images/s#", 2),
            new("seconds#", 1)
        );
        int step = (result.Epochs.Length + MostRows - 1) / MostRows;
        foreach (EpochRecord e in result.Epochs.Where((_, index) => (result.Epochs.Length - 1 - index) % Math.Max(1, step) == 0))
            table.AddRow(
                Text($"{e.Epoch}"),
                Text($"{e.Loss:F4}"),
                e.TrainTop1 is { } trained ? Text($"{100 * trained:F2}") : "",
                (hasLabels ? e.TestTop1 : e.TestError) is { } tested ? Text($"{100 * tested:F2}") : "",
                Text($"{e.ImagesPerSecond:N0}"),
                Text($"{e.Seconds:F1}")
            );
        terminal.Show(table);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What a step took, in JSON.</summary>
internal sealed record StepMemory(long Bytes, long ActivationBytes, long WeightBytes, int Parts)
{
    public static StepMemory? From(TrainingMemory? memory) =>
        memory is null ? null : new(memory.Bytes, memory.ActivationBytes, memory.WeightBytes, memory.Parts);
}

/// <summary>The JSON form of a training.</summary>
internal sealed record TrainingFile(
    int SchemaVersion,
    string Model,
    string Output,
    string Data,
    string DataFingerprint,
    int TrainSamples,
    int? TestSamples,
    StopReason Stopped,
    StepMemory? Memory,
    IReadOnlyList<EpochRecord> Epochs,
    IReadOnlyList<CompressedLayer>? Layers = null,
    IReadOnlyList<FixedConstant>? NotTrained = null,
    int? Ranks = null
);
