using System.Collections.Immutable;
using System.Globalization;
using System.Numerics.Tensors;
using Tensorial.Analysis;
using Tensorial.Compression.Runtimes;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Graphs;

namespace Tensorial.Compression;

/// <summary>
/// Writes a network in one format after another, every layer at the same part of its parameters, and says what that costs: the error of the
/// kernels and, with images, the damage of each layer by itself and the predictions of each whole network.
/// </summary>
/// <param name="network">The network, with the extents of the images.</param>
/// <param name="layers">The layers that may change, each of which suits every format.</param>
/// <param name="training">Images that factors are fitted on; null for none.</param>
/// <param name="test">Images that the networks are compared on; null for none.</param>
/// <param name="options">Formats, threads, seed, calibration images.</param>
/// <param name="memory">Where results of an earlier run lie.</param>
internal sealed class FormatComparer(
    Graph network,
    ImmutableArray<CompressibleLayer> layers,
    ImageSet? training,
    ImageSet? test,
    CompressionOptions options,
    ResultCache memory
)
{
    private const int Batch = 64;

    /// <summary>
    /// The layers of a choice that suit every format, and all that stay: formats are compared on the same layers, so that networks are of equal
    /// size and differ in nothing else.
    /// </summary>
    /// <exception cref="BadInputException">There are none.</exception>
    public static LayerChoice Common(LayerChoice choice, ImmutableArray<KernelFormat> formats)
    {
        CompressibleLayer[] common = [.. choice.Layers.Where(layer => formats.All(layer.Suits))];
        if (common.Length == 0)
            throw new BadInputException(
                choice.Layers.IsEmpty
                    ? "No layer of the network may change."
                    : $"No layer suits all of {string.Join(", ", formats)}; the {choice.Layers.Length} layers that may change take {string.Join(", ", choice.Layers.SelectMany(static layer => layer.Formats).Distinct())}."
            );
        return new(
            [.. common],
            [
                .. choice.Kept,
                .. choice
                    .Layers.Except(common)
                    .Select(layer => new KeptLayer(
                        layer.Name,
                        layer.Parameters,
                        $"it does not suit {string.Join(", ", formats.Where(format => !layer.Suits(format)))}"
                    )),
            ]
        );
    }

    private readonly Graph _graph = WeightsAsInitializers.Apply(network);

    /// <summary>Measures every format at every rate.</summary>
    public (ImmutableArray<ComparedFormat> Networks, ImmutableArray<ComparedLayer> Layers, Evaluation? Dense) Run(
        ImmutableArray<double> rates,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        CandidateSearch search = SearchOf(rates, Shard.Whole);
        Dictionary<(string Layer, KernelFormat Format, double Rate), LayerForm> forms = FormsOf(search, rates, cancel);
        Dictionary<string, ImmutableArray<CompressionCandidate>> found = search
            .Run(layers, layer => OwnForms(layer, forms), progress, cancel)
            .ToDictionary(static own => own[0].Layer.Name);

        CompressionCandidate Candidate(CompressibleLayer layer, KernelFormat format, double rate) =>
            found[layer.Name].First(candidate => Equals(candidate.Form, forms[(layer.Name, format, rate)]));

        (KernelFormat Format, double Rate)[] settings = SettingsOf(rates);
        ComparedLayer[] compared =
        [
            .. layers.SelectMany(layer =>
                MarkDominated([.. settings.Select(setting => Row(Candidate(layer, setting.Format, setting.Rate), setting.Rate))])
            ),
        ];
        ComparedFormat[] networks = new ComparedFormat[settings.Length];
        Evaluation? dense = null;
        for (int k = 0; k < settings.Length; k++)
        {
            (KernelFormat format, double rate) = settings[k];
            ImmutableArray<CompressionCandidate> chosen = [.. layers.Select(layer => Candidate(layer, format, rate))];
            networks[k] = Row(format, rate, chosen);
            if (test is not null)
            {
                progress?.Report(new("networks", k, settings.Length, "networks"));
                ComparedPredictions predictions = PredictionsOf(settings[k], chosen, memory, cancel);
                dense = predictions.Dense;
                networks[k] = networks[k] with
                {
                    KlDivergence = predictions.KlDivergence,
                    OutputError = predictions.OutputError,
                    Agreement = predictions.Agreement,
                    Top1 = predictions.Top1,
                };
            }
        }
        return ([.. MarkDominated(networks)], [.. compared], dense);
    }

    /// <summary>
    /// Measures a shard's layers and a shard's networks into the memory, where <see cref="Run"/> finds them.
    /// </summary>
    /// <returns>How many layers and how many networks.</returns>
    public (int Layers, int Networks) Weigh(
        ImmutableArray<double> rates,
        Shard shard,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        string list = string.Join(' ', layers.Select(static layer => layer.Name));
        ShardRecord record = new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"compare {string.Join(',', options.Formats)} at {string.Join(',', rates)} seed {options.Seed} of {ResultStore.Key(list, test?.Fingerprint ?? "", $"{options.CalibrationImages}")[..8]}"
            ),
            shard.ToString(),
            IsDone: false
        );
        memory.Add(record);
        CandidateSearch search = SearchOf(rates, shard);
        Dictionary<(string Layer, KernelFormat Format, double Rate), LayerForm> forms = FormsOf(search, rates, cancel);
        int weighed = search.Run(layers, layer => OwnForms(layer, forms), progress, cancel).Count(static own => own.Length > 0);
        (KernelFormat Format, double Rate)[] settings = [.. SettingsOf(rates).Where((_, k) => test is not null && shard.Takes(k))];
        for (int k = 0; k < settings.Length; k++)
        {
            progress?.Report(new("networks", k, settings.Length, "networks"));
            (KernelFormat format, double rate) = settings[k];
            // Factors are not kept: files that several shards write into one folder would be in each other's way.
            PredictionsOf(
                settings[k],
                [.. layers.Select(layer => CompressionCandidate.From(layer, forms[(layer.Name, format, rate)], 1, 0))],
                ResultCache.None,
                cancel
            );
        }
        memory.Add(record with { IsDone = true });
        return (weighed, settings.Length);
    }

    private CandidateSearch SearchOf(ImmutableArray<double> rates, Shard shard) =>
        new(
            _graph,
            training,
            options.Request.Search with
            {
                MeasuresSensitivity = training is not null,
                KeepDominated = true,
                // Ranks are those of the rate, and every form is measured.
                AdaptsRanks = false,
                MeasuredCandidates = Math.Max(2, options.Formats.Length * rates.Length),
                Shard = shard,
            },
            memory
        );

    private (KernelFormat Format, double Rate)[] SettingsOf(ImmutableArray<double> rates) =>
        [.. options.Formats.SelectMany(format => rates.Select(rate => (format, rate)))];

    private Dictionary<(string Layer, KernelFormat Format, double Rate), LayerForm> FormsOf(
        CandidateSearch search,
        ImmutableArray<double> rates,
        CancellationToken cancel
    )
    {
        Dictionary<(string Layer, KernelFormat Format, double Rate), LayerForm> forms = [];
        foreach (CompressibleLayer layer in layers)
        foreach (KernelFormat format in options.Formats)
        foreach (double rate in rates)
        {
            cancel.ThrowIfCancellationRequested();
            forms[(layer.Name, format, rate)] = search.FormAt(layer, format, rate);
        }
        return forms;
    }

    private static ImmutableArray<LayerForm> OwnForms(
        CompressibleLayer layer,
        Dictionary<(string Layer, KernelFormat Format, double Rate), LayerForm> forms
    ) => [.. forms.Where(pair => pair.Key.Layer == layer.Name).Select(static pair => pair.Value).Distinct()];

    /// <summary>What a network predicts, from the memory or measured now.</summary>
    private ComparedPredictions PredictionsOf(
        (KernelFormat Format, double Rate) setting,
        ImmutableArray<CompressionCandidate> chosen,
        ResultCache factors,
        CancellationToken cancel
    )
    {
        string all = ResultStore.Key(
            test!.Fingerprint,
            $"{options.CalibrationImages} {options.Seed}",
            string.Join('\n', chosen.Select(static candidate => $"{candidate.Layer.Name} {candidate.Form}"))
        );
        string name = string.Create(CultureInfo.InvariantCulture, $"network {setting.Format} {setting.Rate} {all}");
        if (ComparedPredictions.Find(memory, name) is { } known)
            return known;
        Verification verification = Verify(chosen, factors, cancel);
        ComparedPredictions found = new(
            verification.KlDivergence,
            verification.RelativeError,
            verification.Agreement,
            verification.Second?.Top1,
            verification.First
        );
        found.AddTo(memory, name);
        return found;
    }

    private ComparedLayer Row(CompressionCandidate candidate, double rate) =>
        new(
            candidate.Layer.Name,
            candidate.Format!.ToString(),
            rate,
            candidate.Form!.Ranks,
            candidate.Layer.Parameters,
            candidate.Parameters,
            candidate.Layer.Macs,
            candidate.Macs,
            candidate.RelativeError,
            training is null ? null : candidate.Sensitivity
        );

    private ComparedFormat Row(KernelFormat format, double rate, ImmutableArray<CompressionCandidate> chosen)
    {
        GraphStatistics statistics = GraphStatistics.From(_graph);
        long parameters = chosen.Sum(static c => c.Parameters);
        double norms = chosen.Sum(static c => NormOf(c.Layer)),
            lost = chosen.Sum(static c => c.RelativeError * c.RelativeError * NormOf(c.Layer));
        return new(
            format.ToString(),
            rate,
            statistics.Parameters - layers.Sum(static layer => layer.Parameters) + parameters,
            parameters,
            statistics.Macs - layers.Sum(static layer => layer.Macs) + chosen.Sum(static c => c.Macs),
            norms > 0 ? Math.Sqrt(lost / norms) : 0
        );
    }

    private static double NormOf(CompressibleLayer layer) => TensorPrimitives.SumOfSquares<double>(layer.Kernel.Values);

    private Verification Verify(ImmutableArray<CompressionCandidate> chosen, ResultCache factors, CancellationToken cancel)
    {
        (Graph small, _) = new Compressor(_graph, training, options.Rewriting, factors).Run(chosen, null, cancel);
        using OwnRuntime runtime = new();
        using ISession before = runtime.Load(_graph, options.ThreadCount),
            after = runtime.Load(small, options.ThreadCount);
        return Verification.From(
            before.Run,
            after.Run,
            InputBatch.Images(_graph, test!, Batch),
            ScoreOutput.Find(_graph, test!.HasLabels ? test.Classes : null),
            cancel: cancel
        );
    }

    private static IEnumerable<ComparedFormat> MarkDominated(ComparedFormat[] rows) =>
        rows.Select(row => row with { Dominated = rows.Any(other => Beats((other.Parameters, other.Cost), (row.Parameters, row.Cost))) });

    private static IEnumerable<ComparedLayer> MarkDominated(ComparedLayer[] rows) =>
        rows.Select(row => row with { Dominated = rows.Any(other => Beats((other.Parameters, other.Cost), (row.Parameters, row.Cost))) });

    private static bool Beats((long Parameters, double Cost) one, (long Parameters, double Cost) other) =>
        one.Parameters <= other.Parameters && one.Cost <= other.Cost && one != other;
}
