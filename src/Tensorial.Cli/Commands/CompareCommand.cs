using System.Collections.Immutable;
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Reports;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial compare: formats beside each other at equal sizes.</summary>
internal static class CompareCommand
{
    internal sealed record Options(
        FileInfo Model,
        CompressionOptions Compression,
        ImmutableArray<double> Rates,
        DataOptions? Data,
        InputShape[] Shapes,
        DirectoryInfo? Store,
        Shard? Shard,
        ComparisonOutputs Outputs
    );

    internal sealed record ComparisonOutputs(
        FileInfo? Json,
        FileInfo? Html,
        DirectoryInfo? Csv,
        DirectoryInfo? Figures,
        string CommandLine
    );

    private static readonly ImmutableArray<KernelFormat> UsualFormats =
    [
        KernelFormat.SvdOut,
        KernelFormat.SpatialSvd,
        KernelFormat.Tucker2,
        KernelFormat.Cp,
        KernelFormat.TensorTrain,
        KernelFormat.TensorRing,
    ];

    private static readonly ImmutableArray<double> UsualRates = [0.1, 0.25, 0.5];

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> model = CommonOptions.Model();
        Option<KernelFormat[]> formats = new("--formats", "--format")
        {
            HelpName = "FORMAT,...",
            Description =
                $"Formats to compare: {string.Join(", ", KernelFormat.All)}, or an equation of your own such as \"ri,srhw,os->oihw\". May be given several times. Default: {string.Join(',', UsualFormats)}.",
            DefaultValueFactory = static _ => [],
            CustomParser = static result => [.. CommonOptions.Each(result, FormatsOf).SelectMany(static own => own).Distinct()],
        };
        Option<double[]> rates = new("--rates", "--rate")
        {
            HelpName = "PART,...",
            Description =
                $"Parts of each layer's parameters that its factors may hold, above 0 and below 1. Default: {string.Join(',', UsualRates.Select(static rate => rate.ToString(CultureInfo.InvariantCulture)))}.",
            DefaultValueFactory = static _ => [],
            CustomParser = static result =>
                [
                    .. CommonOptions
                        .Each(result, static text => text.Split(',').Select(RateOf).ToArray())
                        .SelectMany(static own => own)
                        .Distinct()
                        .Order(),
                ],
        };
        Option<string[]> layers = CommonOptions.Layers(),
            keep = CommonOptions.Keep();
        DataOptions.Group data = new(required: false);
        Option<int> calibration = CommonOptions.Positive(
            "--calibration",
            "N",
            "Training images that factors are fitted on.",
            new CompressionOptions().CalibrationImages
        );
        Option<InputShape[]> shapes = CommonOptions.Shapes();
        Option<DirectoryInfo?> store = CommonOptions.Resume();
        Option<Shard?> shard = SchedulerShard.Create();
        Option<int> threads = CommonOptions.Threads(),
            seed = CommonOptions.Seed();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<FileInfo?> html = new Option<FileInfo?>("--report")
        {
            HelpName = "FILE",
            Description = "Write the report as one HTML file that opens offline.",
        }.Written();
        Option<DirectoryInfo?> csv = new Option<DirectoryInfo?>("--csv")
        {
            HelpName = "DIR",
            Description = "Write the tables as networks.csv and layers.csv.",
        }.WrittenInto();
        Option<DirectoryInfo?> figures = CommonOptions.Figures();
        Command command = new(
            "compare",
            "Compares formats at equal sizes: the layers that suit all of them are written in one after another, each at the same part of its parameters. Without --data by the "
                + "error of the kernels; with --data also by the damage that each layer does by itself and by the accuracy of each whole network, "
                + "fitted on training images and not tuned."
        )
        {
            model,
            formats,
            rates,
            layers,
            keep,
            calibration,
            shapes,
            store,
            shard,
            json,
            html,
            csv,
            figures,
            threads,
            seed,
        };
        data.AddTo(command);
        return command.Finish(
            terminal,
            (parsed, cancel) =>
                Run(
                    new(
                        parsed.GetRequiredValue(model),
                        new()
                        {
                            Formats = parsed.GetValue(formats) is { Length: > 0 } asked ? [.. asked] : UsualFormats,
                            Layers = [.. parsed.GetValue(layers)!],
                            Keep = [.. parsed.GetValue(keep)!],
                            CalibrationImages = parsed.GetValue(calibration),
                            Threads = parsed.GetValue(threads),
                            Seed = parsed.GetValue(seed),
                        },
                        parsed.GetValue(rates) is { Length: > 0 } parts ? [.. parts] : UsualRates,
                        data.Read(parsed, DataSplit.Test),
                        parsed.GetValue(shapes)!,
                        parsed.GetValue(store),
                        parsed.GetValue(shard),
                        new(
                            parsed.GetValue(json),
                            parsed.GetValue(html),
                            parsed.GetValue(csv),
                            parsed.GetValue(figures),
                            AnalyzeCommand.CommandLineOf(parsed)
                        )
                    ),
                    terminal,
                    cancel
                )
        );
    }

    /// <summary>Names between commas; an equation, which has commas of its own, stands alone.</summary>
    /// <summary>Names parted by commas; an equation, whose operands are too, goes from the first word that is no name to its arrow.</summary>
    private static KernelFormat[] FormatsOf(string text)
    {
        List<KernelFormat> formats = [];
        ReadOnlySpan<string> words = text.Split(',', StringSplitOptions.TrimEntries);
        while (!words.IsEmpty)
        {
            int arrow = Array.FindIndex(words.ToArray(), static word => word.Contains("->", StringComparison.Ordinal)),
                last = IsName(words[0]) ? 0 : Math.Max(arrow, 0);
            formats.Add(KernelFormat.Parse(string.Join(',', words[..(last + 1)])));
            words = words[(last + 1)..];
        }
        return [.. formats];
    }

    private static bool IsName(string word) =>
        word.Split('+')
            .All(static part => KernelFormat.All.Any(format => format.Name == part.Split(':')[0]) || part == KernelFormat.Search.Name);

    private static double RateOf(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double rate) && rate is > 0 and < 1
            ? rate
            : throw new BadInputException($"--rates takes parts above 0 and below 1, such as 0.1,0.25, not '{text}'.");

    internal static ExitCode Run(Options options, Terminal terminal, CancellationToken cancel)
    {
        (CompressionOptions compression, ComparisonOutputs outputs) = (options.Compression, options.Outputs);
        OutputFile.Check(outputs.Json, options.Model.FullName);
        OutputFile.Check(outputs.Html, options.Model.FullName);
        OutputFile.Check(outputs.Csv);
        OutputFile.Check(outputs.Figures);
        SchedulerShard.Check(
            options.Shard,
            options.Store,
            ("--json", outputs.Json is not null),
            ("--report", outputs.Html is not null),
            ("--csv", outputs.Csv is not null),
            ("--figures", outputs.Figures is not null)
        );
        (DateTimeOffset began, Stopwatch clock) = (DateTimeOffset.UtcNow, Stopwatch.StartNew());
        Graph file = WeightsAsInitializers.Apply(OnnxFile.Read(options.Model.FullName));
        ImageSet? test = options.Data?.Open(file, CompressionOptionGroup.WithoutSamples),
            training = options.Data is null
                ? null
                : (options.Data with { Split = DataSplit.Train, Limit = null }).Open(file, CompressionOptionGroup.WithoutSamples);
        Graph graph = InputShape.Apply(file, options.Shapes).WithImageShape(test?.ImageShape);
        if (test is null)
            graph = graph.WithGuessedExtents();
        DataOptions.CheckNormalization(graph, test, compression.Threads, terminal);
        (ImmutableArray<CompressibleLayer> layers, ImmutableArray<KeptLayer> kept) = FormatComparer.Common(
            LayerChoice.From(graph, compression.Layers, compression.Keep, file),
            compression.Formats
        );
        ModelFile source = ModelFile.OfSource(file);
        using ResultCache memory = options.Store is null
            ? ResultCache.None
            : ResultCache.Open(options.Store.FullName, source.Sha256, training?.Fingerprint ?? "", terminal.Warn, options.Shard);
        FormatComparer comparer = new(graph, layers, training, test, compression, memory);
        if (options.Shard is { Count: > 1 } shard)
        {
            (int weighed, int built) = terminal.WithProgress(progress => comparer.Weigh(options.Rates, shard, progress, cancel));
            SchedulerShard.Report(terminal, shard, options.Store!, $"{weighed} of {layers.Length} layers and {built} networks", "");
            return ExitCode.Done;
        }
        (ImmutableArray<ComparedFormat> networks, ImmutableArray<ComparedLayer> rows, Evaluation? dense) = terminal.WithProgress(progress =>
            comparer.Run(options.Rates, progress, cancel)
        );
        GraphStatistics statistics = GraphStatistics.From(graph);
        FormatComparison comparison = new()
        {
            Model = options.Model.Name,
            Data = test?.Name,
            Parameters = statistics.Parameters,
            LayerParameters = layers.Sum(static layer => layer.Parameters),
            Macs = statistics.Macs,
            Dense = dense,
            Networks = networks,
            Layers = rows,
            Kept = kept,
            Provenance = new()
            {
                Version = ToolVersion.Text,
                CommandLine = outputs.CommandLine,
                Date = began,
                Model = source,
                Seed = compression.Seed,
                Machine = Machine.Here(compression.Threads),
                Data = test is null ? null : DataUse.From(test, options.Data!.Split),
                Calibration = training is null
                    ? null
                    : DataUse.From(training.Take(Math.Min(compression.CalibrationImages, training.Count)), DataSplit.Train),
                Seconds = clock.Elapsed.TotalSeconds,
            },
        };
        Show(comparison, terminal);
        if (outputs.Json is { } target)
            JsonFile.Write(target, comparison);
        if (outputs.Csv is { } csv)
            CsvWriter.Write(comparison, csv.FullName);
        if (outputs.Figures is { } figures)
            FigureFiles.Write(ComparisonPage.From(comparison), figures.FullName);
        if (outputs.Html is { } page)
            ReportWriter.WriteHtml(ComparisonPage.From(comparison), page.FullName);
        return ExitCode.Done;
    }

    private static void Show(FormatComparison comparison, Terminal terminal)
    {
        terminal.Say(
            Text(
                $"{comparison.Model}: {comparison.Layers.Select(static row => row.Name).Distinct().Count()} layers may change, {comparison.LayerParameters:N0} of {comparison.Parameters:N0} parameters."
            )
        );
        if (comparison.Dense is { } dense)
            terminal.Say(Text($"Dense: top-1 {100 * dense.Top1:F2} % on {dense.Samples:N0} images of {comparison.Data}."));
        TextTable table = new([
            "rate %#",
            "format",
            "parameters#",
            new("MACs#", 2),
            "relative error#",
            .. comparison.Data is null ? (Column[])[] : ["KL divergence (nats)#", new("agreement %#", 4), "top-1 %#"],
            new("dominated", 1),
        ]);
        double last = double.NaN;
        foreach (ComparedFormat row in comparison.Networks.OrderBy(static row => row.Rate).ThenBy(static row => row.Cost))
        {
            table.AddRow([
                row.Rate == last ? "" : Text($"{100 * row.Rate:0.##}"),
                row.Format,
                Text($"{row.Parameters:N0}"),
                Text($"{row.Macs:N0}"),
                Text($"{row.RelativeError:F4}"),
                .. comparison.Data is null
                    ? (string[])[]
                    :
                    [
                        row.KlDivergence is { } divergence ? Text($"{divergence:F4}") : "",
                        row.Agreement is { } agreement ? Text($"{100 * agreement:F2}") : "",
                        row.Top1 is { } top1 ? Text($"{100 * top1:F2}") : "",
                    ],
                row.Dominated ? "yes" : "",
            ]);
            last = row.Rate;
        }
        terminal.Show(table);
        foreach (IGrouping<string, KeptLayer> alike in comparison.Kept.GroupBy(static layer => layer.Reason))
            terminal.Say($"Kept because {alike.Key}: {string.Join(", ", alike.Select(static layer => layer.Name))}");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
