using System.Collections.Concurrent;
using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// The body of a branch or a loop, compiled for the shapes that it is given; what it captures that never changes, weights above all, is
/// constant in it. Where values decide extents, or shapes change from round to round, the body runs node by node.
/// </summary>
/// <param name="Plain">The body.</param>
/// <param name="Constants">Captured constants, by the body's names for them.</param>
internal sealed record CompiledBody(Subgraph Plain, ImmutableDictionary<string, Tensor> Constants) : Operation
{
    /// <summary>Shapes for which a body is compiled; more come of loops that make their values longer in every round.</summary>
    private const int MostShapes = 8;

    private readonly ConcurrentDictionary<string, Compiled?> _compiled = new();

    internal override int OperationCount => Plain.OperationCount;

    /// <summary>A network with the bodies of its branches and loops compiled when they are first run.</summary>
    public static Graph Apply(Graph graph) => graph with { Nodes = [.. graph.Nodes.Select(node => Apply(node, graph))] };

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) => Plain.Infer(inputs);

    internal override Tensor[] Evaluate(
        ReadOnlySpan<Tensor?> inputs,
        int count,
        Workers workers,
        Action<ImmutableArray<ValueInfo>>? check = null
    ) =>
        CompiledFor(inputs)?.Run(inputs, workers)[..Limited(count, Plain.Body.Outputs.Length)]
        ?? Plain.Evaluate(inputs, count, workers, check);

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor[] results = Evaluate(inputs, outputs.Length, workers);
        for (int i = 0; i < outputs.Length; i++)
            Conversion.Convert(results[i], outputs[i]);
    }

    private static Node Apply(Node node, Graph graph)
    {
        return node.Operation switch
        {
            If { Then: Subgraph then, Else: Subgraph other } branch => node with
            {
                Operation = branch with { Then = Compiling(then), Else = Compiling(other) },
            },
            Loop { Body: Subgraph body } loop => node with { Operation = loop with { Body = Compiling(body) } },
            _ => node,
        };

        // What is captured stands last, at the node as in the body.
        CompiledBody Compiling(Subgraph body)
        {
            int captured = node.Inputs.Length - ((Branching)node.Operation).OwnInputs;
            return new(
                body,
                body.Body.Inputs[^captured..]
                    .Zip(node.Inputs[^captured..])
                    .Where(pair => graph.Initializers.ContainsKey(pair.Second))
                    .ToImmutableDictionary(static pair => pair.First.Name, pair => graph.Initializers[pair.Second])
            );
        }
    }

    private Compiled? CompiledFor(ReadOnlySpan<Tensor?> inputs)
    {
        Tensor[] given = [.. inputs.ToArray().OfType<Tensor>()];
        if (given.Length < inputs.Length || given.Length < Plain.Body.Inputs.Length)
            return null;
        string key = string.Join(';', given.AsEnumerable());
        if (_compiled.TryGetValue(key, out Compiled? known))
            return known;
        lock (_compiled)
            return _compiled.Count < MostShapes ? _compiled.GetOrAdd(key, _ => Compile(given)) : null;
    }

    /// <summary>Null where it cannot be done for these; running node by node says why, if it cannot either.</summary>
    private Compiled? Compile(Tensor[] given)
    {
        Graph body = Plain.Body with
        {
            Inputs = [.. Plain.Body.Inputs.Select((port, index) => port with { Type = given[index].ElementType })],
            Initializers = Plain.Body.Initializers.SetItems(Constants),
        };
        (int Index, string Name)[] free =
        [
            .. body
                .Inputs.Index()
                .Where(port => !body.Initializers.ContainsKey(port.Item.Name))
                .Select(static port => (port.Index, port.Item.Name)),
        ];
        try
        {
            Program program = Inference.Compile(
                body,
                free.ToDictionary(static input => input.Name, input => given[input.Index].Shape),
                new WeightCache()
            );
            return new(
                program,
                [.. free.Select(input => (input.Index, program.Inputs[input.Name]))],
                [.. body.Outputs.Select(port => program.Outputs[port.Name])]
            );
        }
        catch (BadInputException)
        {
            return null;
        }
    }

    /// <summary>A body for shapes of its inputs, and memory for calls of it.</summary>
    private sealed class Compiled(Program program, ImmutableArray<(int Index, Value Input)> inputs, ImmutableArray<Value> outputs)
    {
        private readonly ConcurrentBag<ProgramFrame> _idle = [];

        public Tensor[] Run(ReadOnlySpan<Tensor?> given, Workers workers)
        {
            ProgramFrame frame = _idle.TryTake(out ProgramFrame? idle) && idle.Workers == workers ? idle : new(program, workers);
            foreach ((int index, Value input) in inputs)
                frame.Bind(input, given[index]!);
            program.Run(frame, 0, program.Segments.Length);
            Tensor[] results = [.. outputs.Select(output => frame[output].Clone())];
            _idle.Add(frame);
            return results;
        }
    }
}
