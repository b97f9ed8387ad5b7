using System.Collections.Immutable;
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Compression.Int8;
using Tensorial.Compression.Runtimes;
using Tensorial.Data;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Reports;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial compress: a smaller network, by a plan given or made.</summary>
internal static class CompressCommand
{
    /// <summary>A ratio of times, of few pairs, that is no chance.</summary>
    private const double NoticeablySlower = 1.05;

    internal sealed record Options(
        FileInfo Input,
        FileInfo Output,
        CompressionOptionGroup Plan,
        FileInfo? PlanFile,
        bool Recalibrate,
        QuantizationOptions? Quantization,
        string CommandLine,
        FileInfo? Html,
        FileInfo? Json
    )
    {
        /// <summary>Whether a batch that the file fixes at 1 is left open in what is written.</summary>
        public bool OpensBatch { get; init; }

        /// <summary>Whether what is reported is computed again.</summary>
        public bool Check { get; init; }
    }

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> input = new("in.onnx") { Description = "The trained network." };
        Argument<FileInfo> output = new("out.onnx") { Description = "The smaller one: standard operators, the same inputs and outputs." };
        output.Written();
        CompressionOptionGroup.Group plan = new();
        Option<FileInfo?> file = new("--plan")
        {
            HelpName = "FILE",
            Description = "Use this plan (tensorial plan, docs/compress.md) instead of making one.",
        };
        Option<bool> raw = new("--no-recalibration") { Description = "Leave the statistics of batch normalisations as they are." };
        Option<bool> quantize = new("--quantize")
        {
            Description =
                "Write the compressed network with 8-bit integers (tensorial quantize, docs/quantize.md), and compare dense, int8, low rank and both; needs --data.",
        };
        QuantizationOptionGroup quantization = new();
        Option<bool> open = new("--dynamic-batch")
        {
            Description =
                "Leave the batch open where the file fixes it at 1; refused where that might not be the same function for each sample.",
        };
        Option<FileInfo?> html = new("--report")
        {
            HelpName = "FILE",
            Description = "Write the report as one HTML file that opens offline.",
        };
        html.Written();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<bool> check = Checks.Create();
        Command command = new(
            "compress",
            "Writes layers of a network as factors, within targets for its size, where that damages its predictions least. With --data the factors are "
                + "fitted to what the layers read and answer on training images, each layer making up for those before it; batch-norm statistics are "
                + "estimated again where that helps."
        )
        {
            input,
            output,
            file,
            raw,
            quantize,
            open,
            html,
            json,
            check,
        };
        quantization.AddTo(command);
        plan.AddTo(command);
        return command.Finish(
            terminal,
            (parsed, cancel) =>
                Run(
                    new(
                        parsed.GetRequiredValue(input),
                        parsed.GetRequiredValue(output),
                        plan.Read(parsed),
                        parsed.GetValue(file),
                        !parsed.GetValue(raw),
                        parsed.GetValue(quantize) ? quantization.Read(parsed, plan.Read(parsed).Threads) : null,
                        AnalyzeCommand.CommandLineOf(parsed),
                        parsed.GetValue(html),
                        parsed.GetValue(json)
                    )
                    {
                        OpensBatch = parsed.GetValue(open),
                        Check = parsed.GetValue(check),
                    },
                    terminal,
                    cancel
                )
        );
    }

    internal static ExitCode Run(Options options, Terminal terminal, CancellationToken cancel)
    {
        CompressionOptionGroup plan = options.Plan;
        OutputFile.Check(options.Output, options.Input.FullName);
        OutputFile.Check(options.Json, options.Input.FullName, options.Output.FullName);
        OutputFile.Check(options.Html, options.Input.FullName, options.Output.FullName);
        (DateTimeOffset began, Stopwatch clock) = (DateTimeOffset.UtcNow, Stopwatch.StartNew());
        if (options.PlanFile is null && plan.Targets.IsEmpty)
            throw new UsageException("--target or --plan is required: --target params=0.5, or --plan FILE.");
        if (options.Quantization is not null && plan.Test is null)
            throw new UsageException(
                "--quantize takes samples of what the network really reads, for the ranges of its activations: give --data."
            );
        Graph read = WeightsAsInitializers.Apply(OnnxFile.Read(options.Input.ToString()));
        if (options.OpensBatch)
            read = OpenBatch.Apply(read);
        ImageSet? training = plan.Training?.Open(read, CompressionOptionGroup.WithoutSamples),
            test = plan.Test?.Open(read, CompressionOptionGroup.WithoutSamples);
        if (plan.Targets.Any(static target => target.Measure == TargetMeasure.MaxDrop))
            (test ?? throw new UsageException("--target max-drop= is about accuracy: it needs --data.")).LabelsFor("--target max-drop=");
        Graph graph = plan.Sized(read, test ?? training);
        DataOptions.CheckNormalization(graph, test ?? training, plan.Threads, terminal);
        LayerChoice choice = plan.LayersOf(graph, read);
        choice.Check(plan.Targets);
        (ImmutableArray<CompressibleLayer> layers, ImmutableArray<KeptLayer> kept) = choice;
        ModelFile source = ModelFile.OfSource(read);
        using ResultCache memory = plan.OpenMemory(source, training, terminal);
        ImmutableArray<IRuntime> runtimes = Runtimes.OpenAll(plan.Runtimes);
        NetworkCompression compression = new(graph, layers, training, runtimes, plan.Compression.Rewriting, memory)
        {
            Recalibrates = options.Recalibrate,
        };
        CompressedNetwork compressed = options.PlanFile is { } file
            ? terminal.WithProgress(progress => compression.Run(CompressionPlan.Read(file.ToString()).ChoicesFor(layers), progress, cancel))
            : terminal.WithProgress(progress => compression.Run(plan.Compression.Request, progress, cancel));
        compressed = compressed.With(graph, kept);
        (Graph small, ImmutableArray<CompressionCandidate> chosen) = (compressed.Graph, compressed.Chosen);
        small = small with { Metadata = small.Metadata.SetItems(ProvenanceOf(options, source, chosen)) };
        ChainedQuantization? chained = Quantized(options, read, small.WithDynamicDimensionsOf(read), terminal, cancel);
        using OutputModel staged = chained?.Staged ?? OutputModel.Stage(small.WithDynamicDimensionsOf(read), options.Output);

        Provenance provenance = new()
        {
            Version = ToolVersion.Text,
            CommandLine = options.CommandLine,
            Date = began,
            Model = source,
            Seed = plan.Seed,
            Machine = Machine.Here(plan.Threads),
            Data = test is null ? null : DataUse.From(test, plan.Test!.Split),
            Seconds = clock.Elapsed.TotalSeconds,
            Calibration = training is null
                ? null
                : DataUse.From(training.Take(Math.Min(plan.CalibrationImages, training.Count)), DataSplit.Train),
        };
        InputScale? scale = test is null ? InputScale.From(graph, plan.Seed) : null;
        (CompressedSize sizeBefore, CompressedSize sizeAfter, Verification verification) = chained is null
            ? Compared(options, staged, graph, test, scale, terminal, cancel)
            : Sizes(options, staged, graph, small, chained.Verification);
        Graph written = OnnxFile.Read(staged.Path);
        ImmutableArray<MeasuredLatency> latencies = NetworkTimes.Measure(plan, written, graph, runtimes, terminal, cancel);
        ImmutableArray<LayerTimes> layerTimes =
            options.Html is null && options.Json is null
                ? []
                : NetworkTimes.ByLayer(graph, written.WithDynamicDimensionsOf(graph), latencies, plan.Threads, plan.Seed, cancel);
        foreach (IRuntime runtime in runtimes)
            runtime.Dispose();
        if (latencies is [{ } first, ..] && plan.Targets.Any(static target => target.Measure == TargetMeasure.Latency))
            (sizeBefore, sizeAfter) = (sizeBefore with { LatencyMs = first.BeforeMs }, sizeAfter with { LatencyMs = first.AfterMs });
        CompressionResult result = new()
        {
            Model = options.Input.Name,
            Output = options.Output.Name,
            Data = test?.Name,
            Before = sizeBefore,
            After = sizeAfter,
            Verification = verification,
            RandomInputs = test is null ? InputScale.Describe(scale) : null,
            Targets = [.. plan.Targets.Select(static target => target.ToString())],
            Recalibrated = compressed.IsRecalibrated,
            Layers = compressed.Layers,
            Fronts = compressed.Fronts,
            Candidates = compressed.Candidates,
            Trials = compressed.Trials,
            Latencies = latencies,
            LayerTimes = layerTimes,
            Provenance = provenance,
            Quantization = chained is null ? null : Report(options, chained, verification, provenance),
        };
        CompressionTablesForPeople.Show(result, terminal);
        VerifyCommand.WarnOfBlindness(verification, options.Input.Name, terminal);
        if (options.Check)
            Checks.Report(terminal, Claims(options, graph, OnnxFile.Read(staged.Path).WithDynamicDimensionsOf(graph), test, scale));
        if (plan.Targets.Any(static target => target.Measure == TargetMeasure.MaxDrop) && verification.Drop is null)
            throw new BadInputException(
                $"--target max-drop= is about accuracy, and no output of {options.Input.Name} scores the {test!.Classes} classes of {test.Name}."
            );
        if (Missed(plan, runtimes, result).ToArray() is { Length: > 0 } missed)
            throw new GoalNotMetException($"{options.Output.Name} was not written: {string.Join("; ", missed)}.");
        staged.Place(options.Input.FullName);
        if (sizeAfter.FileBytes > sizeBefore.FileBytes)
            terminal.Warn(
                $"{options.Output.Name} is larger than {options.Input.Name}: what was saved in weights is less than new nodes, their names and the notes on how it was made (its metadata) take."
            );
        if (!compressed.IsFastEnough)
            terminal.Say(
                $"The targets cannot be met with forms that are fast enough (--objective {plan.Objective.ToString().ToLowerInvariant()}); some layers are slower than before."
            );
        if (latencies.Where(static time => time.Ratio > NoticeablySlower).ToArray() is { Length: > 0 } slower)
            terminal.Say(
                $"{options.Output.Name} is slower than {options.Input.Name} in {string.Join(" and ", slower.Select(static time => $"{time.Runtime} at batch {time.Batch}"))}; "
                    + "--objective speed takes no layer that is slower; --target latency=0.8 with --runtime and --batch asks for less time."
            );
        if (options.Html is { } page)
            ReportWriter.WriteHtml(CompressionPage.From(result), page.FullName);
        if (options.Json is { } target)
            JsonFile.Write(target, result);
        return ExitCode.Done;
    }

    /// <summary>The outputs of both networks, whose difference is reported: of the written one as it stands in its file.</summary>
    private static IEnumerable<RecomputedClaim> Claims(Options options, Graph before, Graph written, ImageSet? test, InputScale? scale)
    {
        IReadOnlyDictionary<string, Tensor> sample = Recomputation.Sample(before, test, options.Plan.Seed, scale);
        using IRuntime runtime = Runtimes.Suiting(before, options.Plan.Threads);
        foreach ((string name, Graph network) in ((string, Graph)[])[(options.Input.Name, before), (options.Output.Name, written)])
        {
            using ISession session = runtime.Load(network, options.Plan.Threads);
            yield return Recomputation.Outputs(name, network, session.Run, sample);
        }
    }

    /// <summary>Reads the staged file again: what is reported is what will be there.</summary>
    private static (CompressedSize Before, CompressedSize After, Verification Verification) Compared(
        Options options,
        OutputModel staged,
        Graph graph,
        ImageSet? test,
        InputScale? scale,
        Terminal terminal,
        CancellationToken cancel
    )
    {
        Graph written = OnnxFile.Read(staged.Path).WithDynamicDimensionsOf(graph);
        using IRuntime runtime = Runtimes.Suiting(graph, options.Plan.Threads);
        using ISession before = runtime.Load(graph, options.Plan.Threads),
            after = runtime.Load(written, options.Plan.Threads);
        ScoreOutput? scores = ScoreOutput.Find(graph, test is { HasLabels: true } ? test.Classes : null);
        Verification verification = terminal.WithProgress(progress =>
            Verification.From(
                before.Run,
                after.Run,
                test is null
                    ? InputBatch.Random(graph, RandomInputs.SamplesFor(graph), options.Plan.Seed, scale)
                    : InputBatch.Images(graph, test, 64),
                scores,
                test?.Count ?? 0,
                progress,
                cancel
            )
        );
        return Sizes(options, staged, graph, written, verification);
    }

    /// <param name="options">The command's options.</param>
    /// <param name="staged">The file.</param>
    /// <param name="graph">The dense network.</param>
    /// <param name="counted">The compressed one, in float: integers count as the parameters that they stand for.</param>
    /// <param name="verification">Both compared.</param>
    private static (CompressedSize Before, CompressedSize After, Verification Verification) Sizes(
        Options options,
        OutputModel staged,
        Graph graph,
        Graph counted,
        Verification verification
    ) =>
        (
            CompressedSize.From(graph, OutputModel.BytesOf(options.Input.FullName), verification.First),
            CompressedSize.From(counted, staged.Bytes, verification.Second),
            verification
        );

    private static ChainedQuantization? Quantized(Options options, Graph read, Graph small, Terminal terminal, CancellationToken cancel)
    {
        if (options.Quantization is not { } quantization)
            return null;
        QuantizationSamples samples = QuantizationSamples.Open(options.Plan.Test!, read, QuantizationDefaults.Calibration);
        // Patterns of layers that stay name those of the dense network; factors are none of them.
        QuantizationRun run = new(read, samples, quantization, options.Plan.Keep, terminal, cancel);
        return ChainedQuantization.From(run, read, OutputModel.BytesOf(options.Input.FullName), small, small.Metadata, options.Output);
    }

    private static QuantizationResult Report(
        Options options,
        ChainedQuantization chained,
        Verification verification,
        Provenance provenance
    ) =>
        new()
        {
            Model = options.Input.Name,
            Output = options.Output.Name,
            Method = options.Quantization!.Method,
            PerChannel = options.Quantization.PerChannel,
            Calibration = QuantizationDefaults.Calibration,
            Data = provenance.Data!.Description,
            Networks = chained.Networks,
            Runtime = chained.Runtime,
            Verification = verification,
            Layers = chained.Quantized.Layers,
            Provenance = provenance,
        };

    private static IEnumerable<string> Missed(CompressionOptionGroup plan, ImmutableArray<IRuntime> runtimes, CompressionResult result)
    {
        foreach (CompressionTarget target in plan.Targets)
        {
            double? reached = target.Measure switch
            {
                TargetMeasure.Parameters => (double)result.After.Parameters / result.Before.Parameters,
                TargetMeasure.ConvParameters => (double)result.After.ConvParameters / result.Before.ConvParameters,
                TargetMeasure.Macs => (double)result.After.Macs / result.Before.Macs,
                TargetMeasure.MaxDrop => result.Verification.Drop,
                _ => result
                    .Latencies.Where(time => time.Batch == plan.LatencyBatch && runtimes.Any(runtime => runtime.Name == time.Runtime))
                    .Max(static time => time.Ratio),
            };
            if (reached > target.Value + 1e-9)
                yield return string.Create(CultureInfo.InvariantCulture, $"{target} was asked for and {reached:F4} reached");
        }
    }

    private static Dictionary<string, string> ProvenanceOf(
        Options options,
        ModelFile source,
        ImmutableArray<CompressionCandidate> chosen
    ) =>
        new()
        {
            ["tensorial.version"] = ToolVersion.Text,
            ["tensorial.command"] = options.CommandLine,
            ["tensorial.source"] = $"{source.Name} sha256:{source.Sha256}",
            ["tensorial.formats"] = string.Join(
                "; ",
                chosen.Where(static c => c.Form is not null).Select(static c => $"{c.Layer.Name} {c.Form}")
            ),
        };
}
