using System.CommandLine;
using Tensorial.Data;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial demo: the whole way on the sample that the tool carries with it.</summary>
internal static class DemoCommand
{
    internal sealed record Options(DirectoryInfo Folder, int Threads);

    public static Command Create(Terminal terminal)
    {
        Option<DirectoryInfo> folder = new("--out")
        {
            HelpName = "DIR",
            Description = "Where the model, the report and the results go.",
            DefaultValueFactory = static _ => new("tensorial-demo"),
        };
        folder.Written();
        Option<int> threads = CommonOptions.Threads();
        Command command = new(
            "demo",
            "Inspect, evaluate and analyze an embedded four-layer network on 1,000 embedded Fashion-MNIST images; leaves a report that opens in any browser."
        )
        {
            folder,
            threads,
        };
        return command.Finish(terminal, (parsed, cancel) => Run(new(parsed.GetValue(folder)!, parsed.GetValue(threads)), terminal, cancel));
    }

    internal static ExitCode Run(Options options, Terminal terminal, CancellationToken cancel)
    {
        options.Folder.Create();
        FileInfo File(string name) => new(Path.Combine(options.Folder.FullName, name));
        FileInfo model = File("fashion-cnn.onnx"),
            report = File("report.html");
        AtomicFile.Write(model.FullName, static stream => stream.Write(Sample.Model.Span));
        DataOptions data = new(DataSource.Parse("sample"), DataSplit.Test, Normalization.None, Limit: null);

        terminal.Say("tensorial inspect fashion-cnn.onnx");
        InspectCommand.Run(new(model, Json: null), terminal);
        terminal.Say("tensorial evaluate fashion-cnn.onnx --data sample");
        EvaluateCommand.Run(new(model, data, Output: null, Batch: 256, options.Threads, File("evaluation.json")), terminal, cancel);
        terminal.Say("tensorial analyze fashion-cnn.onnx --data sample --report report.html --json analysis.json --csv .");
        AnalyzeCommand.Run(
            new()
            {
                Model = model,
                CommandLine = "tensorial analyze fashion-cnn.onnx --data sample --report report.html --json analysis.json --csv .",
                Data = data,
                Threads = options.Threads,
                Json = File("analysis.json"),
                Html = report,
                Csv = options.Folder,
            },
            terminal,
            cancel
        );
        terminal.Say($"The report is {report.FullName}");
        return ExitCode.Done;
    }
}
