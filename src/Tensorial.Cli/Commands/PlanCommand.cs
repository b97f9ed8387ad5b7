using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Data;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial plan: which layer to write how, as a file to look at and to change.</summary>
internal static class PlanCommand
{
    internal sealed record Options(FileInfo Model, FileInfo? Output, CompressionOptionGroup Plan, Shard? Shard);

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> model = CommonOptions.Model();
        Option<FileInfo?> output = new("--out") { HelpName = "FILE", Description = "Where the plan goes (JSON, docs/compress.md)." };
        output.Written();
        Option<Shard?> shard = SchedulerShard.Create();
        CompressionOptionGroup.Group plan = new();
        Command command = new(
            "plan",
            "Proposes for every layer a format and ranks, within targets for the network's size, where that damages its predictions least."
        )
        {
            model,
            output,
            shard,
        };
        plan.AddTo(command);
        return command.Finish(
            terminal,
            (parsed, cancel) =>
                Run(
                    new(parsed.GetRequiredValue(model), parsed.GetValue(output), plan.Read(parsed), parsed.GetValue(shard)),
                    terminal,
                    cancel
                )
        );
    }

    internal static ExitCode Run(Options options, Terminal terminal, CancellationToken cancel)
    {
        OutputFile.Check(options.Output, options.Model.FullName);
        SchedulerShard.Check(options.Shard, options.Plan.Store, ("--out", options.Output is not null));
        bool isShard = options.Shard is { Count: > 1 };
        if (options.Plan.Targets.IsEmpty && !isShard)
            throw new UsageException("--target is required: params=0.5, macs=0.5, latency=0.7 or max-drop=1.");
        Graph file = WeightsAsInitializers.Apply(OnnxFile.Read(options.Model.ToString()));
        if (!isShard && options.Plan.Targets is [{ Measure: TargetMeasure.MaxDrop }])
            throw new UsageException(
                "A drop is searched for with whole networks: give max-drop= to compress, or plan with params=, macs= or latency=."
            );
        ImageSet? training = options.Plan.Training?.Open(file, CompressionOptionGroup.WithoutSamples);
        Graph graph = options.Plan.Sized(file, training);
        DataOptions.CheckNormalization(graph, training, options.Plan.Threads, terminal);
        LayerChoice choice = options.Plan.LayersOf(graph, file);
        choice.Check(options.Plan.Targets);
        (ImmutableArray<CompressibleLayer> layers, ImmutableArray<KeptLayer> kept) = choice;
        ModelFile source = ModelFile.OfSource(file);
        using ResultCache memory = options.Plan.OpenMemory(source, training, terminal, options.Shard);
        ImmutableArray<IRuntime> runtimes = Runtimes.OpenAll(options.Plan.Runtimes);
        Planner planner = new(graph, layers, training, runtimes, memory);
        if (options.Shard is { Count: > 1 } shard)
        {
            PlanRequest request = options.Plan.Compression.Request;
            IReadOnlyList<(string Layer, int Candidates)> weighed = terminal.WithProgress(progress =>
                planner.Weigh(request with { Search = request.Search with { Shard = shard } }, progress, cancel)
            );
            SchedulerShard.Report(
                terminal,
                shard,
                options.Plan.Store!,
                Text($"{weighed.Sum(static own => own.Candidates):N0} candidates of {weighed.Count} of {layers.Length} layers"),
                ", or compress with the same options,"
            );
            return ExitCode.Done;
        }
        ImmutableArray<CompressionCandidate> chosen = terminal
            .WithProgress(progress => planner.Choose(options.Plan.Compression.Request, progress, cancel))
            .Chosen;
        foreach (IRuntime runtime in runtimes)
            runtime.Dispose();
        TextTable table = new(
            "layer",
            "format",
            "ranks#",
            "parameters#",
            new("of parameters#", 2),
            new("MACs#", 3),
            new("of MACs#", 4),
            new("relative error#", 1),
            "sensitivity (nats)#"
        );
        foreach (CompressionCandidate c in chosen)
            table.AddRow(
                c.Layer.Name,
                c.Format?.ToString() ?? "dense",
                c.Form is null ? "" : LayerForm.Text(c.Form.Format, c.Form.Ranks),
                Text($"{c.Parameters:N0}"),
                Text($"{c.Layer.Parameters:N0}"),
                Text($"{c.Macs:N0}"),
                Text($"{c.Layer.Macs:N0}"),
                c.Format is null ? "" : Text($"{c.RelativeError:F4}"),
                c.Format is null ? "" : Text($"{c.Sensitivity:G3}")
            );
        terminal.Show(table);
        foreach (IGrouping<string, KeptLayer> alike in kept.GroupBy(static layer => layer.Reason))
            terminal.Say($"Kept because {alike.Key}: {string.Join(", ", alike.Select(static layer => layer.Name))}");
        CompressionBudget.Check(GraphStatistics.From(graph), layers, options.Plan.Targets, chosen);
        if (options.Output is { } target)
            CompressionPlan.From(options.Model.Name, source.Sha256, options.Plan.Targets, chosen).Write(target.ToString());
        return ExitCode.Done;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
