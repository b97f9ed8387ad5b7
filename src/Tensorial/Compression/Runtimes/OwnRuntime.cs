using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Operations;

namespace Tensorial.Compression.Runtimes;

/// <summary>This library's executor.</summary>
public sealed class OwnRuntime : IRuntime
{
    public string Name => "tensorial";

    public ISession Load(Graph graph, int threads) =>
        graph.Nodes.FirstOrDefault(static node => node.Operation is Unknown) is { Operation: Unknown unknown } node
            ? throw new UnsupportedException($"Node '{node.Label}' ({unknown.Name}): {unknown.Reason}")
        : Compile(graph, threads) is { } network ? new Session(network, graph)
        : new Interpreted(graph, threads);

    /// <summary>Null where values decide extents, as what is left of overlapping boxes: such a network runs node by node.</summary>
    private static Inference? Compile(Graph graph, int threads)
    {
        try
        {
            Inference network = new(graph, threads);
            if (network.IsForImages || ShapeInference.Explore(graph).Failures.IsEmpty)
                return network;
            network.Dispose();
            return null;
        }
        catch (UnsupportedException)
        {
            return null;
        }
    }

    public void Dispose() { }

    private sealed class Interpreted(Graph graph, int threads) : ISession
    {
        private readonly ThreadWorkers _workers = new(threads);

        public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs) =>
            Interpreter.Run(graph, inputs, _workers);

        public void Dispose() => _workers.Dispose();
    }

    private sealed class Session(Inference network, Graph graph) : ISession
    {
        /// <summary>Whether images are answered one by one, so that a batch may go through the network in pieces.</summary>
        private readonly bool _isByImage =
            network.IsForImages && network.FixedBatch is null && graph.Outputs is [{ } output] && IsByImage(graph, output.Name);

        public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs) =>
            _isByImage && inputs.TryGetValue(graph.FreeInputs[0].Name, out Tensor? images)
                ? new Dictionary<string, Tensor> { [graph.Outputs[0].Name] = network.Run(images.Of<float>()) }
                : network.Run(inputs);

        public void Dispose() => network.Dispose();

        private static bool IsByImage(Graph graph, string output) =>
            ((int[])[1, 3]).All(batch =>
            {
                Shape input = Shape.Of([batch, .. graph.FreeInputs[0].Dimensions!.Value.Skip(1).Select(static d => d.Extent ?? 1)]);
                return ShapeInference
                        .Explore(graph, new Dictionary<string, Shape> { [graph.FreeInputs[0].Name] = input })
                        .Operands.TryGetValue(output, out Operand? operand)
                    && operand is { Type: ElementType.Float32, Shape.Rank: > 0 }
                    && operand.Shape[0] == batch;
            });
    }
}
