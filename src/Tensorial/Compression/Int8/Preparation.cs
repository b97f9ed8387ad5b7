using System.Collections.Immutable;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Operations;

namespace Tensorial.Compression.Int8;

/// <summary>
/// A network as it is quantized: computed in float32 between the ports that it has, normalisations and added constants folded into the
/// convolutions before them, in an operator set that has a scale for each channel.
/// </summary>
/// <param name="Graph">The network.</param>
/// <param name="Layers">Its layers that can be quantized, in their order.</param>
/// <param name="Kept">Those that cannot, with the reason.</param>
internal sealed record Preparation(Graph Graph, ImmutableArray<Int8Layer> Layers, ImmutableArray<KeptLayer> Kept)
{
    /// <summary>The first operator set in which scales along an axis are known.</summary>
    private const int Opset = 13;

    /// <summary>The part of all multiply-accumulates that a light layer takes at most.</summary>
    private const double Light = 0.05;

    /// <summary>Prepares a network.</summary>
    /// <param name="network">The network as it was read.</param>
    /// <param name="keep">Patterns of names of layers that stay.</param>
    /// <exception cref="BadInputException">It is quantized already, or has no layer that can be.</exception>
    /// <exception cref="NumericalException">A weight is no finite number.</exception>
    public static Preparation From(Graph network, IReadOnlyList<string> keep)
    {
        RefuseQuantized(network);
        Graph graph = WeightsAsInitializers.Apply(network);
        if (NonFiniteWeights.Of(graph) is [{ } broken, ..] && KernelWeights.From(graph).Kernels.Any(kernel => kernel.Name == broken.Name))
            throw new NumericalException(
                $"The weights '{broken.Name}' hold {broken.NaN + broken.Infinite:N0} values that are no finite numbers."
            );
        HashSet<string> held = keep.Count == 0 ? [] : [.. Names(Analysis.LayerSelection.Matching(KernelWeights.From(graph), keep))];
        graph = DropIdlePads.Apply(Float32Within.Apply(WithoutIdleRegions(OpsetUpgrade.ToAtLeast(graph, Opset))));
        ConstantOrigins origins = new(graph);
        graph = FoldMadeWeights.Apply(graph, origins, held);
        graph = FoldAddedConstants.Apply(Plain(FoldBatchNorm.Apply(graph, origins, new WeightCache())));
        var layers = ImmutableArray.CreateBuilder<Int8Layer>();
        var kept = ImmutableArray.CreateBuilder<KeptLayer>();
        foreach (Node node in graph.Nodes.Where(static node => node.Operation is Convolution or ConvolutionTranspose or Gemm or MatMul))
        {
            // A kernel made of factors is called as inspect calls it: as the value that is multiplied with.
            string name =
                node.Inputs.Length < 2 ? node.Label
                : graph.Initializers.ContainsKey(node.Inputs[1]) ? origins[node.Inputs[1]].FirstOrDefault(node.Inputs[1])
                : node.Inputs[1];
            (Int8Layer? layer, string? reason) = Int8Layer.Of(graph, node, name);
            if (
                layer is null
                && reason is null
                && node.Inputs.Skip(1).Any(input => !origins[input].IsEmpty && !graph.Initializers.ContainsKey(input))
            )
                reason = "its weights are made of factors that take less room than 8-bit integers";
            long count = layer is null ? 0 : graph.Initializers[layer.Weights].Shape.ElementCount;
            if (layer is not null && !held.Contains(name))
                layers.Add(layer);
            else if ((layer is null ? reason : "--keep names it") is { } why)
                kept.Add(new(name, count, why));
        }
        return layers.Count > 0
            ? new(graph, InFloatAtTheEnd(graph, layers.ToImmutable()), kept.ToImmutable())
            : throw new BadInputException(
                "There is nothing to quantize in this network: "
                    + (
                        kept.Count == 0
                            ? "it has no convolution and no product with constant weights."
                            : string.Join("; ", kept.Take(5).Select(static layer => $"'{layer.Name}' stays as it is, {layer.Reason}")) + "."
                    )
            );
    }

    /// <summary>
    /// Light convolutions whose results nothing in integers reads, as heads have them, compute in float: a runtime's integer convolution
    /// answers in 8 bits, which would be rounding for nothing.
    /// </summary>
    private static ImmutableArray<Int8Layer> InFloatAtTheEnd(Graph graph, ImmutableArray<Int8Layer> layers)
    {
        QuantizedValues values = new(graph, layers);
        ILookup<string, Node> readers = graph
            .Nodes.SelectMany(static node => node.Reads, static (node, name) => (node, name))
            .ToLookup(static use => use.name, static use => use.node);
        GraphStatistics statistics = GraphStatistics.From(graph);
        Dictionary<Node, long> macs = statistics.Nodes.ToDictionary(
            static node => node.Node,
            static node => node.Macs ?? long.MaxValue,
            (IEqualityComparer<Node>)ReferenceEqualityComparer.Instance
        );
        bool IsReadInIntegers(string value) =>
            readers[value]
                .Any(reader =>
                    values.IsInteger(reader) || reader.Outputs.Any(output => values.ClampOf(output) == reader && IsReadInIntegers(output))
                );
        return
        [
            .. layers.Select(layer =>
                layer.MakesIntegers && macs[layer.Node] <= Light * statistics.Macs && !IsReadInIntegers(layer.Node.Outputs[0])
                    ? layer with
                    {
                        WeightsOnly = true,
                    }
                    : layer
            ),
        ];
    }

    /// <summary>
    /// Resizes without the region that only cropping ones read: ONNX Runtime, when it turns integer layers to channels last, takes four
    /// numbers of it, which an empty one has not.
    /// </summary>
    private static Graph WithoutIdleRegions(Graph graph) =>
        RemoveUnused.Apply(
            graph with
            {
                Nodes =
                [
                    .. graph.Nodes.Select(static node =>
                        node
                            is {
                                Operation: Resize { HasRegion: true, Sampling.Coordinates: not Coordinates.CropAndResize },
                                Inputs: [_, { Length: > 0 }, _, ..]
                            }
                            ? node with
                            {
                                Inputs = node.Inputs.SetItem(1, ""),
                            }
                            : node
                    ),
                ],
            }
        );

    private static IEnumerable<string> Names(KernelWeights weights) =>
        weights.Kernels.Select(static kernel => kernel.Name).Concat(weights.Uncut.Select(static kernel => kernel.Name));

    private static void RefuseQuantized(Graph graph)
    {
        string[] found =
        [
            .. graph
                .Nodes.Where(static node =>
                    node.Operation
                        is QuantizeLinear
                            or DequantizeLinear
                            or DynamicQuantizeLinear
                            or ConvInteger
                            or MatMulInteger
                            or QLinearConv
                            or QLinearMatMul
                            or QGemm
                            or QuantizedFunction
                )
                .GroupBy(static node => node.Operation.Name)
                .Select(static group => $"{group.Count()} {group.Key}"),
        ];
        if (found.Length > 0)
            throw new BadInputException(
                $"This network is quantized already: it has {string.Join(", ", found)}. Quantize the float network that it was made from."
            );
    }

    /// <summary>The network with folded values in memory of their own.</summary>
    private static Graph Plain(Graph graph) =>
        RemoveUnused.Apply(
            graph with
            {
                Initializers = graph.Initializers.SetItems(
                    graph
                        .Initializers.Where(static i => i.Value is Tensor<float> value && !value.Memory.IsArray())
                        .Select(static i => KeyValuePair.Create(i.Key, (Tensor)i.Value.Of<float>().Clone()))
                ),
            }
        );
}

/// <summary>Memory that is computed on demand, told apart from memory that is there.</summary>
file static class Memories
{
    public static bool IsArray(this Memory<float> memory) => System.Runtime.InteropServices.MemoryMarshal.TryGetArray<float>(memory, out _);
}
