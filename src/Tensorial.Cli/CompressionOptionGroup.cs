using System.Collections.Immutable;
using System.CommandLine;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Graphs;

namespace Tensorial.Cli;

/// <summary>What a plan is made for: targets, formats, layers, images.</summary>
internal sealed record CompressionOptionGroup(
    ImmutableArray<CompressionTarget> Targets,
    ImmutableArray<KernelFormat> Formats,
    string[] Layers,
    string[] Keep,
    DataOptions? Training,
    DataOptions? Test,
    int CalibrationImages,
    int RankMultiple,
    AllocationRule Rule,
    string[] Runtimes,
    int LatencyBatch,
    Objective Objective,
    DirectoryInfo? Store,
    int Threads,
    int Seed
)
{
    /// <summary>Layers that may change, and those that stay with the reason.</summary>
    /// <param name="graph">The network, with the extents of images.</param>
    /// <param name="file">The network as it was read.</param>
    public LayerChoice LayersOf(Graph graph, Graph file) => LayerChoice.From(graph, Layers, Keep, file);

    /// <summary>Extents of inputs that the network leaves open.</summary>
    /// <summary>What to do with a network that samples cannot be given to.</summary>
    public const string WithoutSamples = "Leave --data out: layers are then compressed by their kernels alone.";

    public ImmutableArray<InputShape> Shapes { get; init; } = [];

    /// <summary>The network as layers are measured in it: with extents of images, or those given, or those that random inputs have.</summary>
    public Graph Sized(Graph file, ImageSet? images)
    {
        Graph graph = InputShape.Apply(file, Shapes).WithImageShape(images?.ImageShape);
        return images is null ? graph.WithGuessedExtents() : graph;
    }

    public CompressionOptions Compression =>
        new()
        {
            Targets = Targets,
            Formats = Formats,
            Rule = Rule,
            RankMultiple = RankMultiple,
            CalibrationImages = CalibrationImages,
            LatencyBatch = LatencyBatch,
            Objective = Objective,
            Threads = Threads,
            Seed = Seed,
        };

    /// <summary>The memory in the folder of --resume; one that forgets without.</summary>
    public ResultCache OpenMemory(ModelFile model, ImageSet? training, Terminal terminal, Shard? shard = null) =>
        Store is null
            ? ResultCache.None
            : ResultCache.Open(Store.FullName, model.Sha256, training?.Fingerprint ?? "", terminal.Warn, shard);

    internal sealed class Group
    {
        private readonly Option<CompressionTarget[]> _targets = new("--target")
        {
            HelpName = "MEASURE=VALUE",
            Description =
                "params=, conv-params=, macs= or latency= (timed in --runtime) and the part that may be left (0 to 1); max-drop= and the points of top-1 accuracy that may be lost: "
                + "alone, the smallest network within it is searched for; beside others it is checked at the end. May be given several times.",
            DefaultValueFactory = static _ => [],
            CustomParser = static result => CommonOptions.Each(result, CompressionTarget.Parse),
        };

        private readonly Option<KernelFormat[]> _formats = new("--format")
        {
            HelpName = "auto|FORMAT",
            Description =
                $"Formats to choose from: {string.Join(", ", KernelFormat.All)}; auto weighs {string.Join(", ", SearchOptions.Usual)}. rcp:2 splits channels in two, bt:4 adds four terms; an equation such as \"ri,sr,shw,os->oihw\" is a format of your own. May be given several times.",
            DefaultValueFactory = static _ => [],
            CustomParser = static result =>
                [.. CommonOptions.Each(result, static text => text == "auto" ? null : KernelFormat.Parse(text)).OfType<KernelFormat>()],
        };

        private readonly Option<string[]> _layers = CommonOptions.Layers();
        private readonly Option<string[]> _keep = CommonOptions.Keep();
        private readonly Option<int> _images = CommonOptions.Positive(
            "--calibration",
            "N",
            "Training images to calibrate on.",
            new CompressionOptions().CalibrationImages
        );

        private readonly Option<int> _multiple = CommonOptions.Positive(
            "--rank-multiple",
            "N",
            "Ranks are multiples of this where they are larger.",
            1
        );

        private readonly Option<AllocationRule[]> _rule = new("--allocate")
        {
            HelpName = "RULE",
            Description =
                "How layers share the budget: measured (least damage to the predictions, the default; without images as error), error (least noise over signal), energy (least lost norm), equal-error, uniform.",
            DefaultValueFactory = static _ => [],
            CustomParser = static result => CommonOptions.Each(result, AllocationRules.Parse),
        };

        private readonly Option<string[]> _runtimes = CommonOptions.Runtimes();
        private readonly Option<Objective[]> _objective = new("--objective")
        {
            HelpName = "size|balanced|speed",
            Description =
                "balanced (the default) prefers forms that are measured no slower than their dense layer, speed takes no others; with size time does not count, and the result is the same on every machine.",
            DefaultValueFactory = static _ => [],
            CustomParser = static result => CommonOptions.Each(result, Objectives.Parse),
        };
        private readonly Option<int> _batch = CommonOptions.Positive(
            "--batch",
            "N",
            "Images at a time where layers are timed and latency= counts.",
            1
        );
        private readonly Option<DirectoryInfo?> _store = CommonOptions.Resume();
        private readonly Option<int> _threads = CommonOptions.Threads(),
            _seed = CommonOptions.Seed();
        private readonly DataOptions.Group _data = new(required: false);
        private readonly Option<InputShape[]> _shapes = CommonOptions.Shapes();

        public void AddTo(Command command)
        {
            foreach (
                Option option in (Option[])
                    [
                        _targets,
                        _formats,
                        _layers,
                        _keep,
                        _images,
                        _multiple,
                        _rule,
                        _objective,
                        _runtimes,
                        _batch,
                        _store,
                        _threads,
                        _seed,
                        _shapes,
                    ]
            )
                command.Options.Add(option);
            _data.AddTo(command);
        }

        public CompressionOptionGroup Read(ParseResult parsed)
        {
            DataOptions? data = _data.Read(parsed, DataSplit.Test);
            KernelFormat[] formats = parsed.GetValue(_formats)!;
            return new(
                [.. parsed.GetValue(_targets)!],
                formats.Length > 0 ? [.. formats] : SearchOptions.Usual,
                parsed.GetValue(_layers)!,
                parsed.GetValue(_keep)!,
                data is null ? null : data with { Split = DataSplit.Train, Limit = null },
                data,
                parsed.GetValue(_images),
                parsed.GetValue(_multiple),
                parsed.GetValue(_rule) is [.., { } rule] ? rule : AllocationRule.Measured,
                parsed.GetValue(_runtimes)!,
                parsed.GetValue(_batch),
                parsed.GetValue(_objective) is [.., var objective] ? objective : new CompressionOptions().Objective,
                parsed.GetValue(_store),
                parsed.GetValue(_threads),
                parsed.GetValue(_seed)
            )
            {
                Shapes = [.. parsed.GetValue(_shapes)!],
            };
        }
    }
}
