using System.Globalization;
using Spectre.Console;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Data;
using Tensorial.Networks;
using Tensorial.Training;

namespace Tensorial.Cli;

/// <summary>A training as the commands run one: with progress, a line for every epoch, evaluation and checkpoints.</summary>
internal sealed class TrainingRun(TrainingOptions options, ImageSet images, ImageSet? test, Terminal terminal, CancellationToken cancel)
{
    public DirectoryInfo? Folder { get; init; }

    public string Signature { get; init; } = "";

    public Func<Tensor<float>, Tensor<float>>? Teacher { get; init; }

    public TrainingResult Train(Graph graph)
    {
        using Trainer trainer = new(graph, images, options)
        {
            Evaluate = test is null ? null : Top1,
            Teacher = Teacher,
            Checkpoints = Folder is null ? null : new(Folder.FullName),
            Signature = Signature,
            EpochDone = record => terminal.Note(Line(record)),
        };
        terminal.Note(Text($"{images}; activations and gradients of a batch take {trainer.ActivationBytes / 1048576.0:N0} MiB"));
        return terminal.WithProgress(progress => trainer.Run(progress, cancel));
    }

    public double Top1(Graph graph)
    {
        using Inference network = new(graph.ForImages(test!.ImageShape), options.Threads);
        return Evaluator.Run(network, graph, test, cancel: cancel).Result.Top1;
    }

    private static string Line(EpochRecord e) => Text(
        $"epoch {e.Epoch}: loss {e.Loss:F4}, training {100 * e.TrainTop1:F2} %{(e.TestTop1 is { } top1 ? Text($", test {100 * top1:F2} %") : "")}, {e.ImagesPerSecond:N0} images/s, {e.Seconds:F0} s");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Epochs as a table.</summary>
internal static class TrainingTables
{
    /// <summary>Rows shown at most; the JSON file has all.</summary>
    private const int MostRows = 20;

    public static void Show(TrainingResult result, Terminal terminal)
    {
        Table table = Terminal.NewTable("epoch#", "loss#", "training top-1 %#", "test top-1 %#", "images/s#", "seconds#");
        int step = (result.Epochs.Length + MostRows - 1) / MostRows;
        foreach (EpochRecord e in result.Epochs.Where((_, index) => (result.Epochs.Length - 1 - index) % Math.Max(1, step) == 0))
            table.AddRow(Text($"{e.Epoch}"), Text($"{e.Loss:F4}"), Text($"{100 * e.TrainTop1:F2}"), e.TestTop1 is { } top1 ? Text($"{100 * top1:F2}") : "", Text($"{e.ImagesPerSecond:N0}"), Text($"{e.Seconds:F1}"));
        terminal.Show(table);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>The JSON form of a training.</summary>
internal sealed record TrainingFile(
    int SchemaVersion, string Model, string Output, string Data, string DataFingerprint, int TrainSamples, int? TestSamples, StopReason Stopped, IReadOnlyList<EpochRecord> Epochs,
    IReadOnlyList<CompressedLayer>? Layers = null);
