using System.Collections.Immutable;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Operations;

namespace Tensorial.Compression.Runtimes;

/// <summary>This library's executor.</summary>
public sealed class OwnRuntime : IRuntime
{
    /// <inheritdoc/>
    public string Name => "tensorial";

    /// <inheritdoc/>
    public ISession Load(Graph graph, int threads)
    {
        if (graph.Nodes.FirstOrDefault(static node => node.Operation is Unknown) is { Operation: Unknown unknown } node)
            throw new UnsupportedException($"Node '{node.Label}': {unknown.Name} cannot be evaluated: {unknown.Reason}");
        if (Widened.Of(graph) is not { } wide)
            return Prepared(graph, threads);
        try
        {
            return new Widened(Prepared(wide, threads), graph, threads);
        }
        catch (BadInputException)
        {
            // Types that its nodes or their bodies insist on.
            return Prepared(graph, threads);
        }
    }

    private static ISession Prepared(Graph graph, int threads)
    {
        try
        {
            return new Compiled(new Inference(graph, threads), graph, threads);
        }
        catch (UnsupportedException)
        {
            // Values decide extents, as what is left of overlapping boxes: such a network runs node by node.
            return new Interpreted(graph, threads);
        }
    }

    /// <inheritdoc/>
    /// <remarks>All threads share each step, as they do where there are fewer images than threads.</remarks>
    public ImmutableArray<StepTime> TimeSteps(
        Graph graph,
        IReadOnlyDictionary<string, Tensor> inputs,
        int threads,
        int rounds,
        CancellationToken cancel = default
    )
    {
        if (Widened.Of(graph) is { } wide)
            (graph, inputs) = (wide, Widened.Inputs(inputs));
        try
        {
            return [.. StepTimer.Run(graph, inputs, threads, rounds, cancel).Select(static step => new StepTime(step.Label, step.Seconds))];
        }
        catch (UnsupportedException)
        {
            return [];
        }
    }

    /// <inheritdoc/>
    public void Dispose() { }

    private sealed class Compiled(Inference network, Graph graph, int threads) : ISession
    {
        /// <summary>Whether images are answered one by one, so that a batch may go through the network in pieces.</summary>
        private readonly bool _isByImage =
            network.IsForImages && network.FixedBatch is null && graph.Outputs is [{ } output] && IsByImage(graph, output.Name);

        /// <summary>Node by node, once it turned out that values decide extents; null until then.</summary>
        private Interpreted? _slow;

        public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs)
        {
            if (_slow is not null)
                return _slow.Run(inputs);
            if (_isByImage && inputs.TryGetValue(graph.FreeInputs[0].Name, out Tensor? images))
                return new Dictionary<string, Tensor> { [graph.Outputs[0].Name] = network.Run(images.Of<float>()) };
            try
            {
                return network.Run(inputs);
            }
            catch (UnsupportedException)
            {
                return (_slow = new(graph, threads)).Run(inputs);
            }
        }

        public void Dispose()
        {
            network.Dispose();
            _slow?.Dispose();
        }

        private static bool IsByImage(Graph graph, string output) =>
            ((int[])[1, 3]).All(batch =>
            {
                Port images = graph.WithGuessedExtents().FreeInputs[0];
                Shape input = Shape.From([batch, .. images.Dimensions!.Value.Skip(1).Select(static d => d.Extent ?? 1)]);
                return ShapeInference
                        .Explore(graph, new Dictionary<string, Shape> { [images.Name] = input })
                        .Operands.TryGetValue(output, out ValueInfo? operand)
                    && operand is { Type: ElementType.Float32, Shape.Rank: > 0 }
                    && operand.Shape[0] == batch;
            });
    }

    private sealed class Interpreted(Graph graph, int threads) : ISession
    {
        private readonly ThreadWorkers _workers = new(threads);

        public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs) =>
            Interpreter.Run(graph, inputs, _workers);

        public void Dispose() => _workers.Dispose();
    }

    /// <summary>
    /// A network in half precision, computed in float32: processors have no fast arithmetic of that type. Inputs and outputs keep their types.
    /// </summary>
    private sealed class Widened(ISession inner, Graph graph, int threads) : ISession
    {
        /// <summary>The network as it is, once it turned out that its nodes insist on their types; null until then.</summary>
        private ISession? _plain;

        /// <summary>The network in float32; null where it holds nothing of half precision, or doubles, which say that more is wanted.</summary>
        public static Graph? Of(Graph graph)
        {
            ElementType[] types =
            [
                .. graph.Inputs.Concat(graph.Outputs).Select(static port => port.Type),
                .. graph.Initializers.Values.Select(static value => value.ElementType),
            ];
            return types.Any(IsHalf) && !types.Contains(ElementType.Float64) ? InFloat32.Apply(graph) : null;
        }

        public static Dictionary<string, Tensor> Inputs(IReadOnlyDictionary<string, Tensor> inputs) =>
            inputs.ToDictionary(
                static input => input.Key,
                static input => IsHalf(input.Value.ElementType) ? input.Value.To(ElementType.Float32) : input.Value
            );

        public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs)
        {
            foreach (Port port in graph.FreeInputs)
                if (inputs.TryGetValue(port.Name, out Tensor? given) && given.ElementType != port.Type)
                    throw new BadInputException($"The input '{port.Name}' takes {port.Type} numbers, not {given.ElementType}.");
            if (_plain is not null)
                return _plain.Run(inputs);
            Dictionary<string, Tensor> outputs;
            try
            {
                outputs = inner.Run(Inputs(inputs)).ToDictionary();
            }
            catch (BadInputException)
            {
                return (_plain = Prepared(graph, threads)).Run(inputs);
            }
            foreach (Port port in graph.Outputs.Where(static port => IsHalf(port.Type)))
                outputs[port.Name] = outputs[port.Name].To(port.Type);
            return outputs;
        }

        public void Dispose()
        {
            inner.Dispose();
            _plain?.Dispose();
        }

        private static bool IsHalf(ElementType type) => type is ElementType.Float16 or ElementType.BFloat16;
    }
}
