using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial search: the form that fits each kernel, found from its spectra.</summary>
internal static class SearchCommand
{
    internal sealed record Options(FileInfo Model, StructureOptions Search, string[] Layers, string[] Keep, FileInfo? Json)
    {
        /// <summary>Extents of inputs that the network leaves open.</summary>
        public InputShape[] Shapes { get; init; } = [];

        /// <summary>Where what is found is kept.</summary>
        public DirectoryInfo? Store { get; init; }

        /// <summary>Which part of the kernels; null for all.</summary>
        public Shard? Shard { get; init; }
    }

    /// <summary>What is written for machines.</summary>
    internal sealed record Result(
        int SchemaVersion,
        string Model,
        string Price,
        ImmutableArray<LayerStructures> Layers,
        ImmutableArray<StructureSummary> Summary,
        ImmutableArray<KeptLayer> Kept
    );

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> model = CommonOptions.Model();
        Option<double[]> rates = new("--rate")
        {
            HelpName = "PART",
            Description =
                "The part of each kernel's parameters, or of its multiply-accumulates, that a form may take, above 0 and below 1; may be given several times.",
            DefaultValueFactory = static _ => [.. new StructureOptions().Rates],
            CustomParser = static result => CommonOptions.Each(result, RateOf),
        };
        Option<string> price = new("--price")
        {
            HelpName = "params|macs",
            Description = "What trees are priced in: numbers stored, or multiply-accumulates for one image.",
            DefaultValueFactory = static _ => "params",
        };
        price.AcceptOnlyFromAmong("params", "macs");
        Option<int> fold = new("--fold")
        {
            HelpName = "N",
            Description = "Also look for a tree with channels folded into N parts, 2 or 3; 1 for none.",
            DefaultValueFactory = static _ => 1,
        };
        fold.Validators.Add(static result =>
        {
            if (
                result.Tokens.Count > 0
                && !(int.TryParse(result.Tokens[0].Value, out int parts) && parts >= 1 && parts <= FoldedStructure.MostParts)
            )
                result.AddError($"--fold takes 1 to {FoldedStructure.MostParts} parts, not '{result.Tokens[0].Value}'.");
        });
        Option<bool> grow = new("--grow")
        {
            Description =
                "Also grow networks whose bonds join more than two factors or close loops, a step at a time, each fitted: some ten seconds to a minute for a kernel.",
        };
        Option<bool> compare = new("--compare")
        {
            Description =
                $"Also fit, at the same rates, the formats whose form people chose: {string.Join(", ", StructureOptions.Chosen)}. Takes long.",
        };
        Option<string[]> layers = CommonOptions.Layers(),
            keep = CommonOptions.Keep();
        Option<InputShape[]> shapes = CommonOptions.Shapes();
        Option<DirectoryInfo?> store = CommonOptions.Resume();
        Option<Shard?> shard = SchedulerShard.Create();
        Option<int> threads = CommonOptions.Threads();
        Option<FileInfo?> json = CommonOptions.Json();
        Command command = new(
            "search",
            "Looks for the form that fits each kernel at a size: the best tree network and its ranks from the spectra of all cuts, filters by channel with ranks that differ, "
                + "and sums of two; with the relative error that singular values predict and that of the fit. A form can be given to --format of compress, search as a whole too."
        )
        {
            model,
            rates,
            price,
            fold,
            grow,
            compare,
            layers,
            keep,
            shapes,
            store,
            shard,
            threads,
            json,
        };
        return command.Finish(
            terminal,
            (parsed, cancel) =>
                Run(
                    new(
                        parsed.GetRequiredValue(model),
                        new()
                        {
                            Rates = [.. parsed.GetValue(rates)!.Distinct()],
                            PricesMacs = parsed.GetValue(price) == "macs",
                            Parts = parsed.GetValue(fold),
                            Grows = parsed.GetValue(grow),
                            Compared = parsed.GetValue(compare) ? StructureOptions.Chosen : [],
                            Threads = parsed.GetValue(threads),
                        },
                        parsed.GetValue(layers)!,
                        parsed.GetValue(keep)!,
                        parsed.GetValue(json)
                    )
                    {
                        Shapes = parsed.GetValue(shapes)!,
                        Store = parsed.GetValue(store),
                        Shard = parsed.GetValue(shard),
                    },
                    terminal,
                    cancel
                )
        );
    }

    internal static ExitCode Run(Options options, Terminal terminal, CancellationToken cancel)
    {
        OutputFile.Check(options.Json, options.Model.FullName);
        if (options.Search is { PricesMacs: true, Parts: > 1 })
            throw new UsageException("Trees over folded channels are priced in parameters: leave out --fold or --price macs.");
        if (options.Search is { PricesMacs: true, Grows: true })
            throw new UsageException("Networks grow within a part of the parameters: leave out --grow or --price macs.");
        SchedulerShard.Check(options.Shard, options.Store, ("--json", options.Json is not null));
        Graph file = WeightsAsInitializers.Apply(OnnxFile.Read(options.Model.ToString())),
            graph = InputShape.Apply(file, options.Shapes).WithGuessedExtents();
        LayerChoice choice = LayerChoice.From(graph, options.Layers, options.Keep, file);
        using ResultCache memory = options.Store is null
            ? ResultCache.None
            : ResultCache.Open(options.Store.FullName, ModelFile.OfSource(file).Sha256, "", terminal.Warn, options.Shard);
        if (options.Shard is { Count: > 1 } shard)
        {
            (int own, int all) = terminal.WithProgress(progress =>
                NetworkStructures.Measure(choice, options.Search, shard, memory, progress, cancel)
            );
            SchedulerShard.Report(terminal, shard, options.Store!, $"{own} of {all} kernels", "");
            return ExitCode.Done;
        }
        (ImmutableArray<LayerStructures> layers, ImmutableArray<KeptLayer> kept) = terminal.WithProgress(progress =>
            NetworkStructures.Of(choice, options.Search, memory, progress, cancel)
        );
        Result result = new(
            1,
            options.Model.Name,
            options.Search.PricesMacs ? "macs" : "params",
            layers,
            StructureSummary.Of(layers, options.Search.Rates),
            kept
        );
        StructureTablesForPeople.Show(result, terminal);
        if (options.Json is { } json)
            JsonFile.Write(json, result);
        return ExitCode.Done;
    }

    private static double RateOf(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double rate) && rate > 0 && rate < 1
            ? rate
            : throw new BadInputException($"A rate is the part of the parameters that is left, above 0 and below 1; not '{text}'.");
}
