using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Turns a network in its training form into a program for one batch size. Convolutions, normalisations and poolings of feature maps run on
/// blocked activations; everything else as the operations define value and gradient, on plain ones.
/// </summary>
internal sealed partial class TrainingLowering
{
    private readonly Graph _graph;
    private readonly IReadOnlyDictionary<string, Operand> _shapes;
    private readonly GradientPaths _paths;
    private readonly IReadOnlyDictionary<string, Tensor<float>> _constantGradients;
    private readonly PackedWeights _packed;
    private readonly List<TrainingStep> _forward = [],
        _backward = [];
    private readonly Dictionary<string, Value> _plain = [],
        _blocked = [];
    private readonly Dictionary<string, Value> _plainGradients = [],
        _blockedGradients = [];
    private readonly int _images;

    private List<TrainingStep> _steps;

    private TrainingLowering(
        Graph graph,
        IReadOnlyDictionary<string, Operand> shapes,
        GradientPaths paths,
        IReadOnlyDictionary<string, Tensor<float>> constantGradients,
        PackedWeights packed,
        int images
    )
    {
        (_graph, _shapes, _paths, _constantGradients, _packed, _images) = (graph, shapes, paths, constantGradients, packed, images);
        _steps = _forward;
    }

    /// <summary>What a program is run with: values that come from outside and go there.</summary>
    internal sealed record Compiled(
        TrainingProgram Program,
        IReadOnlyDictionary<string, Value> Inputs,
        Value Output,
        Value? OutputGradient,
        IReadOnlyDictionary<string, Value> Renewed
    );

    /// <summary>Compiles a network.</summary>
    /// <param name="form">The network in its training form; constants are read, and weights renewed, in place.</param>
    /// <param name="inputs">Extents of its inputs, batch first.</param>
    /// <param name="paths">Where gradients go.</param>
    /// <param name="gradients">Where those of the weights pile up.</param>
    /// <param name="packed">Packed kernels, shared by programs.</param>
    /// <param name="workers">Threads.</param>
    public static Compiled Compile(
        TrainingForm form,
        IReadOnlyDictionary<string, Shape> inputs,
        GradientPaths paths,
        IReadOnlyDictionary<string, Tensor<float>> gradients,
        PackedWeights packed,
        Kernels.Workers workers
    )
    {
        Graph graph = form.Graph;
        IReadOnlyDictionary<string, Operand> shapes = ShapeInference.Run(graph, inputs);
        TrainingLowering lowering = new(graph, shapes, paths, gradients, packed, inputs.Values.First()[0]);
        return lowering.Compile(form, workers);
    }

    private Compiled Compile(TrainingForm form, Kernels.Workers workers)
    {
        Dictionary<string, Value> inputs = [];
        foreach (Port port in _graph.Inputs.Where(port => !_graph.Initializers.ContainsKey(port.Name)))
            inputs[port.Name] = _plain[port.Name] = new(port.Name, ElementType.Float32, _shapes[port.Name].Shape, layout: null)
            {
                IsExternal = true,
            };
        PlanBlocks();
        Emit(
            "prepare",
            [],
            [],
            _ =>
            {
                foreach (ChannelStatistics statistics in _statistics.Values)
                    statistics.Prepare();
            }
        );
        foreach (Node node in _graph.Nodes)
            if (!LowerBlocked(node) && !IsSettled(node))
                LowerPlain(node);
        string outputName = _graph.Outputs[0].Name;
        Value output = Plain(outputName);

        _steps = _backward;
        Value? outputGradient = _paths.Carry(outputName) ? PlainGradient(outputName, out _) : null;
        foreach (Node node in _graph.Nodes.Reverse())
            if (_paths.ReadsOf(node) is { } reads && !LowerBlockedGradient(node))
                LowerPlainGradient(node, reads);
        Dictionary<string, Value> renewed = form
            .Statistics.Where(s => _plain.ContainsKey(s.Renewed))
            .ToDictionary(static s => s.Constant, s => _plain[s.Renewed]);
        Value[] kept = [output, .. outputGradient is null ? Array.Empty<Value>() : [outputGradient], .. renewed.Values];
        return new(new(_images, _forward, _backward, kept, workers), inputs, output, outputGradient, renewed);
    }

    /// <summary>Whether shapes and constants alone have decided what a node makes.</summary>
    private bool IsSettled(Node node) => node.Outputs.All(name => name.Length == 0 || ConstantOf(name) is not null);

    /// <summary>A value that no batch and no training changes, or a weight in the place where training changes it.</summary>
    private Tensor? ConstantOf(string name) =>
        name.Length == 0 ? null
        : _graph.Initializers.TryGetValue(name, out Tensor? constant) ? constant
        : _paths.Carry(name) || _plain.ContainsKey(name) ? null
        : _shapes[name].Value;

    private void Emit(string label, IEnumerable<Value> reads, IEnumerable<Value> writes, Action<Frame> whole) =>
        _steps.Add(new(label, [.. reads], [.. writes]) { Whole = whole });

    private TrainingStep EmitImages(
        string label,
        IEnumerable<Value> reads,
        IEnumerable<Value> writes,
        Action<Frame, Piece> images,
        Action<Frame>? join = null,
        TrainingStep? awaits = null
    )
    {
        TrainingStep step = new(label, [.. reads], [.. writes])
        {
            Images = images,
            Join = join,
            Awaits = awaits,
        };
        _steps.Add(step);
        return step;
    }

    private void LowerPlain(Node node)
    {
        ImmutableArray<Value> outputs = [.. node.Outputs.Select((name, k) => PlainResult(node, name, k))];
        Value?[] reads = [.. node.Inputs.Select(name => name.Length == 0 || ConstantOf(name) is not null ? null : Plain(name))];
        Tensor?[] constants = [.. node.Inputs.Select(ConstantOf)];
        Operation operation = node.Operation;
        Emit(
            node.Label,
            reads.OfType<Value>(),
            outputs,
            frame => operation.Forward(Tensors(frame, reads, constants), [.. outputs.Select(value => frame[value])], frame.Workers)
        );
    }

    private static Tensor?[] Tensors(Frame frame, Value?[] values, Tensor?[] constants) =>
        [.. values.Select((value, i) => value is null ? constants[i] : frame[value])];

    private Value PlainResult(Node node, string name, int index)
    {
        if (name.Length > 0)
            return _plain[name] = new(name, _shapes[name].Type, _shapes[name].Shape, layout: null);
        // An optional result that nobody asked for still needs a place to go to.
        Operand operand = node.Operation.Infer([.. node.Inputs.Select(input => input.Length == 0 ? null : _shapes[input])])[index];
        return new($"{node.Label}/{index}", operand.Type, operand.Shape, layout: null);
    }

    private void LowerPlainGradient(Node node, Reads reads)
    {
        Value?[] upstream = [.. node.Outputs.Select(name => _paths.Carry(name) ? ResolvedPlainGradient(name) : null)];
        if (!Array.Exists(upstream, static u => u is not null))
            return;
        bool[] isRead = [.. node.Inputs.Select((name, i) => name.Length > 0 && reads.IncludesInput(i))];
        Value?[] inputs = [.. node.Inputs.Select((name, i) => isRead[i] && ConstantOf(name) is null ? Plain(name) : null)];
        Tensor?[] constants = [.. node.Inputs.Select((name, i) => isRead[i] ? ConstantOf(name) : null)];
        Value?[] outputs = [.. node.Outputs.Select((name, k) => name.Length > 0 && reads.IncludesOutput(k) ? Plain(name) : null)];
        Shape[] shapes = [.. node.Inputs.Select(name => name.Length > 0 ? _shapes[name].Shape : [])];
        List<Value> fresh = [];
        Value?[] gradients =
        [
            .. node.Inputs.Select(name => _paths.Carry(name) && !_constantGradients.ContainsKey(name) ? Wanted(name) : null),
        ];
        Tensor?[] weights = [.. node.Inputs.Select(name => _constantGradients.GetValueOrDefault(name))];
        Operation operation = node.Operation;
        Emit(
            $"{node.Label} gradient",
            [.. inputs.OfType<Value>(), .. outputs.OfType<Value>(), .. upstream.OfType<Value>()],
            gradients.OfType<Value>(),
            frame =>
            {
                foreach (Value value in fresh)
                    frame[value].Of<float>().Values.Clear();
                operation.Backward(
                    new(
                        shapes,
                        Tensors(frame, inputs, constants),
                        Tensors(frame, outputs, new Tensor?[outputs.Length]),
                        Tensors(frame, upstream, new Tensor?[upstream.Length]),
                        Tensors(frame, gradients, weights)
                    ),
                    frame.Workers
                );
            }
        );

        Value Wanted(string name)
        {
            Value value = PlainGradient(name, out bool isNew);
            if (isNew)
                fresh.Add(value);
            return value;
        }
    }

    /// <summary>The plain form of a computed value, converted from its blocked form where that is what was made.</summary>
    private Value Plain(string name)
    {
        if (_plain.TryGetValue(name, out Value? known))
            return known;
        Value source = _blocked[name],
            value = _plain[name] = new(name, ElementType.Float32, source.Shape, layout: null);
        EmitImages(
            $"unblock {name}",
            [source],
            [value],
            (frame, piece) =>
                BlockedConversion.ToPlain(piece.Of(frame, source), piece.Layout(source), piece.Rows(frame, value), Kernels.Workers.Serial)
        );
        return value;
    }

    /// <summary>The place where plain contributions to a value's gradient pile up.</summary>
    private Value PlainGradient(string name, out bool isNew)
    {
        isNew = !_plainGradients.TryGetValue(name, out Value? value);
        return value ?? (_plainGradients[name] = new($"∂{name}", ElementType.Float32, _shapes[name].Shape, layout: null));
    }

    /// <summary>The whole gradient of a value, plain; null where nothing contributed.</summary>
    private Value? ResolvedPlainGradient(string name)
    {
        if (!_blockedGradients.TryGetValue(name, out Value? blocked))
            return _plainGradients.GetValueOrDefault(name);
        Value value = PlainGradient(name, out bool isNew);
        EmitImages(
            $"unblock ∂{name}",
            isNew ? [blocked] : [blocked, value],
            [value],
            (frame, piece) =>
            {
                Span<float> rows = piece.Rows(frame, value);
                float[] unblocked = new float[rows.Length];
                BlockedConversion.ToPlain(piece.Of(frame, blocked), piece.Layout(blocked), unblocked, Kernels.Workers.Serial);
                if (isNew)
                    unblocked.CopyTo(rows);
                else
                    System.Numerics.Tensors.TensorPrimitives.Add(rows, unblocked, rows);
            }
        );
        _blockedGradients.Remove(name);
        return value;
    }
}
