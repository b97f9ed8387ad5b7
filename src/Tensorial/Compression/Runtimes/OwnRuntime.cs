using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Kernels;

namespace Tensorial.Compression.Runtimes;

/// <summary>This library's executor.</summary>
public sealed class OwnRuntime : IRuntime
{
    public string Name => "tensorial";

    public ISession Load(Graph graph, int threads) =>
        graph.Outputs is [{ } output] && graph.FreeInputs is [{ Type: ElementType.Float32 } input]
            ? new Compiled(new Inference(graph, threads), input.Name, output.Name)
            : new Interpreted(graph, threads);

    public void Dispose() { }

    private sealed class Compiled(Inference network, string input, string output) : ISession
    {
        public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs) =>
            inputs.TryGetValue(input, out Tensor? given)
                ? new Dictionary<string, Tensor> { [output] = network.Run(given.Of<float>()) }
                : throw new BadInputException($"No tensor is given for the input '{input}'.");

        public void Dispose() => network.Dispose();
    }

    /// <summary>Several inputs or outputs, or other types than float32: node by node.</summary>
    private sealed class Interpreted(Graph graph, int threads) : ISession
    {
        private readonly ThreadWorkers _workers = new(threads);

        public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs) =>
            Interpreter.Run(graph, inputs, _workers);

        public void Dispose() => _workers.Dispose();
    }
}
