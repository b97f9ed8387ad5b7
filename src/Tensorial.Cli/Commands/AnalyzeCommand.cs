using System.CommandLine;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Reports;
using BatchNormalization = Tensorial.Operations.BatchNormalization;
using Option = System.CommandLine.Option;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial analyze: spectra of every kernel along every cut and, with images, the accuracy left after truncation.</summary>
internal static class AnalyzeCommand
{
    private const string WithoutSamples = "Leave --data out: spectra and norm losses need no samples.";

    internal sealed record Options
    {
        public required FileInfo Model { get; init; }

        public required string CommandLine { get; init; }

        public DataOptions? Data { get; init; }

        public IReadOnlyList<string> Layers { get; init; } = [];

        public SweepOptions Sweep { get; init; } = new();

        /// <summary>Training images to estimate batch-norm statistics on; null to leave them alone.</summary>
        public int? Recalibrate { get; init; }

        public int Threads { get; init; } = Environment.ProcessorCount;

        public int Seed { get; init; }

        public bool DryRun { get; init; }

        /// <summary>Whether what is reported is computed again.</summary>
        public bool Check { get; init; }

        public DirectoryInfo? Store { get; init; }

        public FileInfo? Json { get; init; }

        public FileInfo? Html { get; init; }

        public DirectoryInfo? Csv { get; init; }

        public DirectoryInfo? Figures { get; init; }
    }

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> model = CommonOptions.Model();
        DataOptions.Group data = new(required: false);
        Option<string[]> layers = CommonOptions.Layers();
        SweepOptionGroup sweep = new();
        Option<int?> recalibrate = CommonOptions.Positive(
            "--recalibrate",
            "N",
            "After each truncation also estimate batch-norm statistics again on N training images, and report that accuracy beside the plain one."
        );
        Option<int> threads = CommonOptions.Threads(),
            seed = CommonOptions.Seed();
        Option<bool> dryRun = new("--dry-run") { Description = "Say what would be measured, and how much of it the store already holds." };
        Option<bool> check = Checks.Create();
        Option<DirectoryInfo?> store = CommonOptions.Resume();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<FileInfo?> html = new("--report")
        {
            HelpName = "FILE",
            Description = "Write the report as one HTML file that opens offline.",
        };
        html.Written();
        Option<DirectoryInfo?> csv = new("--csv")
        {
            HelpName = "DIR",
            Description = "Write the tables as spectra.csv, cuts.csv, truncations.csv and tolerance.csv.",
        };
        csv.WrittenInto();
        Option<DirectoryInfo?> figures = CommonOptions.Figures();
        Command command = new(
            "analyze",
            "Singular values, entropy, effective rank and the rank for a norm loss, for every kernel along every cut; with --data also top-1, top-5 and loss "
                + "when kernels are truncated, one by one and all together. Norm loss is ||K - K_chi|| / ||K|| (docs/analysis.md)."
        )
        {
            model,
        };
        data.AddTo(command);
        command.Options.Add(layers);
        sweep.AddTo(command);
        foreach (Option option in (Option[])[recalibrate, store, dryRun, check, json, html, csv, figures, seed, threads])
            command.Options.Add(option);
        return command.Finish(
            terminal,
            (parsed, cancel) =>
                Run(
                    new()
                    {
                        Model = parsed.GetRequiredValue(model),
                        CommandLine = CommandLineOf(parsed),
                        Data = data.Read(parsed, DataSplit.Test),
                        Layers = parsed.GetValue(layers) ?? [],
                        Sweep = sweep.Read(parsed),
                        Recalibrate = parsed.GetValue(recalibrate),
                        Threads = parsed.GetValue(threads),
                        Seed = parsed.GetValue(seed),
                        DryRun = parsed.GetValue(dryRun),
                        Check = parsed.GetValue(check),
                        Store = parsed.GetValue(store),
                        Json = parsed.GetValue(json),
                        Html = parsed.GetValue(html),
                        Csv = parsed.GetValue(csv),
                        Figures = parsed.GetValue(figures),
                    },
                    terminal,
                    cancel
                )
        );
    }

    internal static ExitCode Run(Options options, Terminal terminal, CancellationToken cancel)
    {
        // A sweep may take hours: what could stop its results from being written is found out first.
        OutputFile.Check(options.Json, options.Model.FullName);
        OutputFile.Check(options.Html, options.Model.FullName);
        OutputFile.Check(options.Csv);
        OutputFile.Check(options.Figures);
        Graph graph = WeightsAsInitializers.Apply(OnnxFile.Read(options.Model.FullName));
        if (options.Recalibrate is not null)
        {
            CheckRecalibration(options, graph);
            // Each normalisation gets statistics of its own, which no other node reads.
            graph = WeightsAsInitializers.ForTraining(graph);
        }
        ImageSet? images = options.Data?.Open(graph, WithoutSamples);
        images?.LabelsFor("Accuracy at each rank");
        graph = graph.WithImageShape(images?.ImageShape);
        DataOptions.CheckNormalization(graph, images, options.Threads, terminal);
        KernelWeights weights = KernelWeights.From(graph).Matching(options.Layers);
        ImageSet? calibration = options.Recalibrate is { } count
            ? (options.Data! with { Split = DataSplit.Train, Limit = count }).Open(graph, WithoutSamples)
            : null;
        using ResultStore? store = options.Store is null ? null : ResultStore.Open(options.Store.FullName, WriterName(options.Sweep.Shard));
        if (store?.OtherVersions is [_, ..] versions)
            terminal.Warn(
                $"'{options.Store}' holds results of version {string.Join(", ", versions)} of this program, which are used as they are; this is {ToolVersion.Text}."
            );
        Analyzer analyzer = Analyzer.Create(graph, weights, ProvenanceOf(options, graph, images, calibration)) with
        {
            Images = images,
            Calibration = calibration,
            Options = options.Sweep,
            Store = store,
            Threads = options.Threads,
        };
        if (options.DryRun)
            return ShowPlan(analyzer, terminal, cancel);

        AnalysisReport report = terminal.WithProgress(progress => analyzer.Run(progress, cancel));
        AnalysisTablesForPeople.Show(report, terminal);
        if (options.Check)
            Checks.Report(
                terminal,
                [.. Recomputation.Spectra(analyzer.Layers.Select(static layer => layer.Kernel), report), .. Outputs(options, graph, images)]
            );
        if (options.Json is { } json)
            AtomicFile.Write(json.FullName, stream => stream.Write(AnalysisJson.ToUtf8(report)));
        if (options.Csv is { } csv)
            CsvWriter.Write(report, csv.FullName);
        if (options.Figures is { } figures)
            FigureFiles.Write(report, figures.FullName);
        if (options.Html is { } html)
            ReportWriter.WriteHtml(report, html.FullName);
        return ExitCode.Done;
    }

    /// <summary>The network that accuracies are measured with; without images there are none.</summary>
    private static IEnumerable<RecomputedClaim> Outputs(Options options, Graph graph, ImageSet? images)
    {
        if (images is null)
            yield break;
        Graph plain = InFloat32.Apply(graph);
        using Inference network = new(plain, options.Threads);
        yield return Recomputation.Outputs(options.Model.Name, plain, network.Run, Recomputation.Sample(plain, images, options.Seed, null));
    }

    /// <summary>The command as it could be typed again.</summary>
    internal static string CommandLineOf(ParseResult parsed) =>
        string.Join(
            ' ',
            [
                "tensorial",
                .. parsed.Tokens.Select(static token =>
                    token.Value.Any(c => char.IsWhiteSpace(c) || c is '|' or '*' or '?') ? $"'{token.Value}'" : token.Value
                ),
            ]
        );

    private static void CheckRecalibration(Options options, Graph graph)
    {
        if (options.Data is null)
            throw new UsageException("--recalibrate needs --data: statistics are estimated on its training images.");
        if (!graph.Nodes.Any(static node => node.Operation is BatchNormalization))
            throw new UsageException(
                $"--recalibrate has nothing to do: {options.Model.Name} has no BatchNormalization node (they may have been folded into convolutions on export)."
            );
    }

    private static Provenance ProvenanceOf(Options options, Graph graph, ImageSet? images, ImageSet? calibration) =>
        new()
        {
            Version = ToolVersion.Text,
            CommandLine = options.CommandLine,
            Date = DateTimeOffset.UtcNow,
            Model = ModelFile.OfSource(graph),
            Data = images is null ? null : DataUse.From(images, options.Data!.Split),
            Calibration = calibration is null ? null : DataUse.From(calibration, DataSplit.Train),
            Seed = options.Seed,
            Machine = Machine.Here(options.Threads),
            Shard = options.Sweep.Shard == Shard.Whole ? null : options.Sweep.Shard.ToString(),
        };

    private static ExitCode ShowPlan(Analyzer analyzer, Terminal terminal, CancellationToken cancel)
    {
        terminal.Say($"{analyzer.Layers.Count} kernels to cut, {analyzer.Uncut.Count} that cannot be cut.");
        if (analyzer.Images is null)
        {
            terminal.Say("No --data: spectra only, no accuracy.");
            return ExitCode.Done;
        }
        (SweepPlan plan, int known) = analyzer.Plan(cancel);
        int dense = plan.Units.Sum(static unit => unit.Count(static point => point.IsDense)),
            points = plan.Units.Sum(static unit => unit.Count);
        terminal.Say($"{plan.Results} results on {analyzer.Images.Count} images each, {known} of them in the store.");
        terminal.Say($"{points} measurements, of which {dense} at full rank cost nothing.");
        foreach (var layer in plan.Units.SelectMany(static unit => unit).GroupBy(static point => point.Layer))
            terminal.Say($"  {layer.Key}: {layer.Count()}");
        return ExitCode.Done;
    }

    private static string WriterName(Shard shard) => shard == Shard.Whole ? "measurements" : $"shard-{shard.Index}-of-{shard.Count}";
}
