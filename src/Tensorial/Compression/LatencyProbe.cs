using System.Collections.Immutable;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>
/// Times layers by themselves, dense and in factors by turns, so that whatever else the machine does meets both. Times of factors depend on
/// extents alone: zeros serve as values, and layers that are alike are timed once. Where a layer answers in the shape it reads, some copies
/// are timed one after another: how a runtime lays out its input and output counts less then, as it does within a network.
/// </summary>
/// <param name="runtimes">What to time them in.</param>
/// <param name="batch">Images at a time.</param>
/// <param name="threads">Threads of a runtime.</param>
internal sealed class LatencyProbe(ImmutableArray<IRuntime> runtimes, int batch, int threads)
{
    private const int Pairs = 5;

    private const int PairsOfNetworks = 9;

    private const int Copies = 4;

    /// <summary>
    /// What layers of all sizes share has settled after the first; another has little code of its own.
    /// </summary>
    private const int SettledAfterFirst = 2;

    /// <summary>
    /// Forms of one format, each larger than the one before, that are slower than the dense layer, until the rest is taken to be so too.
    /// </summary>
    private const int SlowInARow = 2;

    private readonly Dictionary<string, ImmutableArray<double>> _known = [];

    /// <summary>Formats of layers that were timed, the dense one as an empty name.</summary>
    private readonly HashSet<string> _timed = [];

    /// <summary>What times depend on beside the layer.</summary>
    public string Setting => $"{string.Join('+', runtimes.Select(static runtime => runtime.Name))} {batch} {threads}";

    /// <summary>The candidates with their times, without those that are slower than the dense layer somewhere.</summary>
    public ImmutableArray<ImmutableArray<CompressionCandidate>> Timed(
        ImmutableArray<ImmutableArray<CompressionCandidate>> choices,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        int done = 0,
            all = choices.Sum(static layer => layer.Length);
        return
        [
            .. choices.Select(layer =>
            {
                CompressionCandidate dense = layer[0] with { Milliseconds = Dense(layer[0].Layer) };
                var faster = ImmutableArray.CreateBuilder<CompressionCandidate>();
                faster.Add(dense);
                foreach (
                    IGrouping<string, CompressionCandidate> format in layer
                        .Skip(1)
                        .GroupBy(static candidate => candidate.Format!.ToString())
                )
                {
                    int slow = 0;
                    foreach (CompressionCandidate candidate in format.OrderBy(static candidate => candidate.Parameters))
                    {
                        cancel.ThrowIfCancellationRequested();
                        progress?.Report(new("time", ++done, all, "candidates"));
                        if (slow == SlowInARow)
                            continue;
                        CompressionCandidate timed = candidate with
                        {
                            Milliseconds = InFactors(candidate.Layer, candidate.Form!, dense.Milliseconds),
                        };
                        bool isFaster = timed.Milliseconds.Zip(dense.Milliseconds).All(static pair => pair.First < pair.Second);
                        if (isFaster)
                            faster.Add(timed);
                        slow = isFaster ? 0 : slow + 1;
                    }
                }
                progress?.Report(new("time", ++done, all, "candidates"));
                return faster.ToImmutable();
            }),
        ];
    }

    /// <summary>
    /// The time of a layer in factors over the dense layer's, in each runtime, 1 where that is not certain (<see
    /// cref="PairedTiming.CautiousRatio"/>). A kernel made whole when the network is loaded leaves the layer as it was.
    /// </summary>
    public ImmutableArray<double> Ratios(CompressibleLayer layer, LayerForm form)
    {
        if (form.IsWhole)
            return [.. runtimes.Select(static _ => 1.0)];
        string key = $"ratio {KeyOf(layer, form)}";
        return _known.TryGetValue(key, out ImmutableArray<double> known)
            ? known
            : _known[key] = [.. Paired(layer, form, PairsOfNetworks).Select(static timing => timing.CautiousRatio)];
    }

    /// <summary>Milliseconds of a whole network for a batch, in each runtime.</summary>
    public ImmutableArray<double> Of(Graph graph)
    {
        IReadOnlyDictionary<string, Tensor> inputs = RandomInputs.Create(graph, batch, 0);
        return
        [
            .. runtimes.Select(runtime =>
            {
                using ISession session = runtime.Load(graph, threads);
                return 1e3 * PairedTiming.Seconds(() => session.Run(inputs), Pairs);
            }),
        ];
    }

    /// <summary>Time of one network over that of another, pair by pair, in each runtime.</summary>
    public ImmutableArray<PairedTiming> Compare(Graph first, Graph second, int pairs = PairsOfNetworks, CancellationToken cancel = default)
    {
        IReadOnlyDictionary<string, Tensor> inputs = RandomInputs.Create(first, batch, 0);
        return
        [
            .. runtimes.Select(runtime =>
            {
                using ISession one = runtime.Load(first, threads),
                    other = runtime.Load(second, threads);
                return PairedTiming.From(() => one.Run(inputs), () => other.Run(inputs), pairs, cancel: cancel);
            }),
        ];
    }

    /// <summary>A network with candidates' forms and zeros for factors: as fast as it will be, and good for nothing else.</summary>
    public static Graph WithZeroWeights(Graph graph, IEnumerable<CompressionCandidate> chosen) =>
        chosen
            .Where(static c => c.Form is not null)
            .Aggregate(graph, static (network, c) => FactorRewrite.Apply(network, c.Layer, c.Form!, Zeros(c.Form!)));

    private ImmutableArray<double> Dense(CompressibleLayer layer)
    {
        string key = KeyOf(layer, null);
        if (_known.TryGetValue(key, out ImmutableArray<double> known))
            return known;
        Graph alone = Repeated(Alone(InFloat32(layer)), CopiesOf(layer));
        IReadOnlyDictionary<string, Tensor> inputs = InputOf(layer);
        int settled = SettledOf("");
        return _known[key] = [
            .. runtimes.Select(runtime =>
            {
                using ISession session = runtime.Load(alone, threads);
                return 1e3 * PairedTiming.Seconds(() => session.Run(inputs), Pairs, settled) / CopiesOf(layer);
            }),
        ];
    }

    private ImmutableArray<double> InFactors(CompressibleLayer layer, LayerForm form, ImmutableArray<double> dense)
    {
        string key = KeyOf(layer, form);
        if (_known.TryGetValue(key, out ImmutableArray<double> known))
            return known;
        return _known[key] = [.. Paired(layer, form, Pairs).Zip(dense, static (timing, whole) => whole * timing.MedianRatio)];
    }

    /// <summary>The dense layer and its factors by turns, in each runtime.</summary>
    private IEnumerable<PairedTiming> Paired(CompressibleLayer layer, LayerForm form, int pairs)
    {
        layer = InFloat32(layer);
        Graph alone = Alone(layer),
            factored = FactorRewrite.Apply(alone, layer, form, Zeros(form));
        (alone, factored) = (Repeated(alone, CopiesOf(layer)), Repeated(factored, CopiesOf(layer)));
        IReadOnlyDictionary<string, Tensor> inputs = InputOf(layer);
        int settled = SettledOf(form.Form.Format.ToString());
        foreach (IRuntime runtime in runtimes)
        {
            using ISession one = runtime.Load(alone, threads),
                other = runtime.Load(factored, threads);
            yield return PairedTiming.From(() => one.Run(inputs), () => other.Run(inputs), pairs, settled);
        }
    }

    private int SettledOf(string format) => _timed.Add(format) ? PairedTiming.Settled : SettledAfterFirst;

    internal static string KeyOf(CompressibleLayer layer, LayerForm? form) =>
        $"{layer.Weight.Node.Operation} {layer.Kernel.Shape} {layer.Input} {form} {form?.Form.Folding.Folded} {form?.Order}";

    /// <summary>The layer with float32 weights of its own, which runtimes are timed with; the first use stands for all.</summary>
    internal static CompressibleLayer InFloat32(CompressibleLayer layer)
    {
        LayerUse use = layer.Use;
        Node node = use.Node with { Inputs = use.Node.Inputs.SetItem(use.Operand, layer.Name) };
        return layer.At(use with { Node = node }) with { Weight = layer.AsRead(node) };
    }

    /// <summary>A network of one layer.</summary>
    internal static Graph Alone(CompressibleLayer layer)
    {
        LayerUse use = layer.Use;
        Graph alone = new(
            "layer",
            [use.Node with { Inputs = [.. use.Node.Inputs.Take(2)], Source = null }],
            [new(use.Data, ElementType.Float32, [new(null, "N"), .. layer.Input.Skip(1).Select(static extent => new Dimension(extent))])],
            [new(use.Made, ElementType.Float32, [new(null, "N"), .. layer.Output.Skip(1).Select(static extent => new Dimension(extent))])],
            ImmutableDictionary<string, Tensor>.Empty.Add(layer.Name, layer.Weight.Weights)
        );
        if (use.Node.Operation is not Recurrent recurrent)
            return alone;
        // The product with the state, which stays as it is, belongs to its time.
        string state = $"{layer.Name}/state";
        int rows = layer.Weight.Weights.Shape[1];
        return alone with
        {
            Nodes = [use.Node with { Inputs = [use.Data, layer.Name, state] }],
            Inputs = [new(use.Data, ElementType.Float32, null)],
            Outputs = [new(use.Made, ElementType.Float32, null)],
            Initializers = alone.Initializers.Add(state, new Tensor<float>([recurrent.Directions, rows, rows / recurrent.Gates])),
        };
    }

    /// <summary>As many images as are timed; a recurrent layer keeps its steps, which stand first.</summary>
    private IReadOnlyDictionary<string, Tensor> InputOf(CompressibleLayer layer) =>
        new Dictionary<string, Tensor>
        {
            [layer.Weight.Node.Inputs[0]] = new Tensor<float>(layer.Use.IsRecurrent ? layer.Input : layer.Input.With(0, batch)),
        };

    private static int CopiesOf(CompressibleLayer layer) => layer.Input == layer.Output ? Copies : 1;

    /// <summary>A network several times in a row, on the same constants.</summary>
    private static Graph Repeated(Graph graph, int copies)
    {
        (string input, string output) = (graph.Inputs[0].Name, graph.Outputs[0].Name);
        string[] made = [.. graph.Nodes.SelectMany(static node => node.Outputs)];
        return graph with
        {
            Nodes =
            [
                .. Enumerable
                    .Range(0, copies)
                    .SelectMany(copy =>
                        graph.Nodes.Select(node =>
                            node with
                            {
                                Name = $"{node.Name}#{copy}",
                                Inputs = [.. node.Inputs.Select(name => NameOf(name, copy))],
                                Outputs = [.. node.Outputs.Select(name => NameOf(name, copy))],
                            }
                        )
                    ),
            ],
        };

        string NameOf(string name, int copy) =>
            name == input ? (copy == 0 ? input : $"{output}#{copy - 1}")
            : name == output && copy == copies - 1 ? output
            : made.Contains(name) ? $"{name}#{copy}"
            : name;
    }

    internal static Decompositions.TensorFactors<double> Zeros(LayerForm form) =>
        new(
            form.Form.Tensor,
            form.Form.Folding,
            form.Ranks,
            [
                .. form
                    .Form.Tensor.FactorShapes(form.Form.Folding.Folded, form.Ranks.AsSpan())
                    .Select(static shape => new Tensor<double>(shape)),
            ],
            1
        );
}
