using System.CommandLine;
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial evaluate: accuracy, loss and speed of a network on labelled images.</summary>
internal static class EvaluateCommand
{
    internal sealed record Options(FileInfo Model, DataOptions Data, string? Output, int Batch, int Threads, FileInfo? Json);

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> model = CommonOptions.Model();
        DataOptions.Group data = new(required: true);
        Option<string?> output = new("--output")
        {
            HelpName = "NAME",
            Description = "The output that labels are compared with. Default: the first.",
        };
        Option<int> batch = CommonOptions.Batch(),
            threads = CommonOptions.Threads();
        Option<FileInfo?> json = CommonOptions.Json();
        Command command = new("evaluate", "Top-1, top-5, loss (nats) and images per second of a network on labelled images.")
        {
            model,
            output,
            batch,
            threads,
            json,
        };
        data.AddTo(command);
        return command.Finish(
            terminal,
            (parsed, cancel) =>
                Run(
                    new(
                        parsed.GetRequiredValue(model),
                        data.Read(parsed, DataSplit.Test)!,
                        parsed.GetValue(output),
                        parsed.GetValue(batch),
                        parsed.GetValue(threads),
                        parsed.GetValue(json)
                    ),
                    terminal,
                    cancel
                )
        );
    }

    internal static ExitCode Run(Options options, Terminal terminal, CancellationToken cancel)
    {
        OutputFile.Check(options.Json, options.Model.FullName);
        Graph graph = OnnxFile.Read(options.Model.FullName);
        ImageSet images = options.Data.Open(graph, "Two networks of any inputs are compared by tensorial verify.");
        images.LabelsFor("Top-1 accuracy");
        graph = graph.WithImageShape(images.ImageShape);
        ScoreOutput scores = ScoreOutput.ForLabels(graph, images, options.Output);
        graph = graph with { Outputs = [graph.Outputs.First(port => port.Name == scores.Name)] };
        using Inference network = new(InFloat32.Apply(graph), options.Threads);
        (Evaluation result, TimeSpan elapsed) = terminal.WithProgress(progress =>
            Evaluator.Evaluate(network, graph, images, options.Batch, progress, cancel)
        );
        DataOptions.CheckNormalization(graph, images, options.Threads, terminal);
        double imagesPerSecond = result.Samples / elapsed.TotalSeconds;

        TextTable table = new(
            "model",
            new("data", 4),
            new("images#", 1),
            "top-1 %#",
            new("top-5 %#", 2),
            "loss (nats)#",
            new("images/s#", 3)
        );
        table.AddRow(
            options.Model.Name,
            images.Name,
            Number($"{result.Samples:N0}"),
            Number($"{100 * result.Top1:F2}"),
            Number($"{100 * result.Top5:F2}"),
            Number($"{result.Loss:F4}"),
            Number($"{imagesPerSecond:N0}")
        );
        terminal.Show(table);
        if (options.Json is { } file)
            JsonFile.Write(file, new EvaluationFile(options.Model.Name, images.Name, images.Fingerprint, result, imagesPerSecond));
        return ExitCode.Done;
    }

    private static string Number(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>The JSON form: the contract's five numbers beside what they were measured on.</summary>
    internal sealed record EvaluationFile(
        int SchemaVersion,
        string Model,
        string Data,
        string DataFingerprint,
        int Samples,
        double Top1,
        double Top5,
        double Loss,
        double ImagesPerSecond
    )
    {
        public EvaluationFile(string model, string data, string fingerprint, Evaluation result, double imagesPerSecond)
            : this(1, model, data, fingerprint, result.Samples, result.Top1, result.Top5, result.Loss, imagesPerSecond) { }
    }
}
