using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Onnx;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial truncate: the same network with truncated kernels.</summary>
internal static class TruncateCommand
{
    internal sealed record Options(
        FileInfo Input,
        FileInfo Output,
        IReadOnlyList<string> Layers,
        ValueList<CutStep> Steps,
        bool AsFactors,
        int Threads,
        FileInfo? Json,
        string CommandLine
    );

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> input = new("in.onnx") { Description = "The trained network." };
        Argument<FileInfo> output = new("out.onnx")
        {
            Description = "The truncated network: the same nodes and shapes, other weights; or factors for them.",
        };
        output.Written();
        Option<string[]> layers = CommonOptions.Layers();
        layers.Description += " Default: all convolution kernels.";
        Option<ValueList<Cut>?> cuts = SweepOptionGroup.Parsed(
            "--cut",
            "CUT,...",
            "The cut, such as o|ihw (quote the bar for the shell), or several made one after another.",
            static text => (ValueList<Cut>)[.. text.Split(',').Select(Cut.Parse)]
        );
        cuts.Required = true;
        Option<ValueList<RankRule>?> rank = SweepOptionGroup.Parsed(
            "--rank",
            "RANK,...",
            "The rank to keep: a number (16) or a part of the maximal rank (25%); one for all cuts, or one for each.",
            static text => (ValueList<RankRule>)[.. text.Split(',').Select(RankRule.Parse)]
        );
        Option<ValueList<RankRule>?> normLoss = SweepOptionGroup.Parsed(
            "--norm-loss",
            "E,...",
            "Keep the smallest rank whose norm loss ||K - K_chi|| / ||K|| does not exceed this (0 to 1); one for all cuts, or one for each.",
            static text => (ValueList<RankRule>)[.. text.Split(',').Select(static part => RankRule.Parse("loss=" + part.Trim()))]
        );
        Option<bool> factors = new("--factors")
        {
            Description =
                $"Write the kernels as the factors their cuts leave, smaller and of the same function: trained on, they keep their rank. For {CutFormat.Known}.",
        };
        Option<FileInfo?> json = CommonOptions.Json();
        Option<int> threads = CommonOptions.Threads();
        Command command = new(
            "truncate",
            "Writes the network with kernels truncated along one cut or several in sequence: dense, so that it is no smaller (tensorial compress is for "
                + "that) and free to gain rank when it is trained on, or with --factors as factors that keep it."
        )
        {
            input,
            output,
            layers,
            cuts,
            rank,
            normLoss,
            factors,
            json,
            threads,
        };
        return command.Finish(
            terminal,
            (parsed, cancel) =>
                Run(
                    new(
                        parsed.GetRequiredValue(input),
                        parsed.GetRequiredValue(output),
                        parsed.GetValue(layers) ?? [],
                        StepsOf(parsed.GetRequiredValue(cuts)!, parsed.GetValue(rank), parsed.GetValue(normLoss)),
                        parsed.GetValue(factors),
                        parsed.GetValue(threads),
                        parsed.GetValue(json),
                        AnalyzeCommand.CommandLineOf(parsed)
                    ),
                    terminal,
                    cancel
                )
        );
    }

    internal static ExitCode Run(Options options, Terminal terminal, CancellationToken cancel = default)
    {
        OutputFile.Check(options.Output, options.Input.FullName);
        OutputFile.Check(options.Json, options.Input.FullName, options.Output.FullName);
        Graph graph = WeightsAsInitializers.Apply(OnnxFile.Read(options.Input.FullName));
        ImmutableArray<KernelWeight> kernels = KernelWeights.From(graph).Matching(options.Layers).Kernels;
        if (options.Layers.Count == 0)
            kernels = [.. kernels.Where(static kernel => kernel.Axes.Length > 2)];
        using ThreadWorkers workers = new(options.Threads);
        GraphTruncation truncation = GraphTruncation.From(graph, kernels, options.Steps, workers);
        if (truncation.Kernels.Count == 0)
            throw new BadInputException(
                $"{options.Input.Name} has no kernel that {string.Join(" and ", options.Steps.Select(static s => s.Cut))} divides; see tensorial inspect."
            );

        Graph truncated = options.AsFactors ? CutFormat.Factored(truncation, options.Threads, cancel) : truncation.Graph;
        Graph result = truncated with { Metadata = truncation.Graph.Metadata.SetItems(ProvenanceOf(options, truncation)) };
        OutputModel.Write(result, options.Output, options.Input.FullName);
        Show(truncation, terminal);
        if (options.Json is { } json)
            JsonFile.Write(json, new TruncateFile(1, options.Input.Name, options.Output.Name, truncation.Kernels, truncation.Untouched));
        return ExitCode.Done;
    }

    /// <summary>A rule for each cut: the one given, or those given, in order.</summary>
    private static ValueList<CutStep> StepsOf(ValueList<Cut> cuts, ValueList<RankRule>? ranks, ValueList<RankRule>? losses)
    {
        if (ranks is null == losses is null)
            throw new UsageException("Say how far to truncate: either --rank or --norm-loss.");
        ValueList<RankRule> rules = ranks ?? losses!;
        if (rules.Count != 1 && rules.Count != cuts.Count)
            throw new UsageException(
                $"{cuts.Count} cuts and {rules.Count} values for them do not fit: give one for all cuts, or one for each."
            );
        return [.. cuts.Select((cut, k) => new CutStep(cut, rules[rules.Count == 1 ? 0 : k]))];
    }

    private static Dictionary<string, string> ProvenanceOf(Options options, GraphTruncation truncation) =>
        new()
        {
            ["tensorial.version"] = ToolVersion.Text,
            ["tensorial.command"] = options.CommandLine,
            ["tensorial.source"] = $"{options.Input.Name} sha256:{ModelFile.OfSource(truncation.Graph).Sha256}",
            ["tensorial.truncations"] = JsonSerializer.Serialize(
                truncation.Kernels,
                AnalysisJson.Line.TypeOf<ValueList<TruncatedKernel>>()
            ),
        };

    private static void Show(GraphTruncation truncation, Terminal terminal)
    {
        TextTable table = new("kernel", "cuts", "ranks#", "norm loss#", new("1 - ‖Kχ‖/‖K‖#", 2), new("parameters as factors#", 1));
        foreach (TruncatedKernel kernel in truncation.Kernels)
        {
            table.AddRow(
                kernel.Layer,
                string.Join(", ", kernel.Cuts),
                Ranks(kernel),
                Text($"{kernel.NormLoss:F4}"),
                Text($"{kernel.RelativeNormLoss:F4}"),
                kernel.Crossing ? "-" : Text($"{kernel.Parameters:N0}")
            );
        }
        terminal.Show(table);
        foreach (string name in truncation.Untouched)
            terminal.Say($"{name} is as it was: it lacks an axis that a cut needs.");
        if (truncation.Kernels.Any(static kernel => kernel.Crossing))
            terminal.Say(
                "The cuts cross: a later one raised the rank at an earlier one again (shown as rank kept → rank after all cuts), so the result is no tensor network of these ranks."
            );
    }

    private static string Ranks(TruncatedKernel kernel) =>
        string.Join(
            ", ",
            kernel.Ranks.Zip(kernel.RanksAfter, static (kept, after) => kept == after ? Text($"{kept}") : Text($"{kept}→{after}"))
        );

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    internal sealed record TruncateFile(
        int SchemaVersion,
        string Model,
        string Output,
        ValueList<TruncatedKernel> Kernels,
        ValueList<string> Untouched
    );
}
