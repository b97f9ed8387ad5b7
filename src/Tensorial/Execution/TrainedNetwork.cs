using System.Collections.Frozen;
using System.Collections.Immutable;
using Tensorial.Equations;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>A weight under training: its value, and the gradient of the last batch.</summary>
public sealed record TrainedWeight(TrainableConstant Constant, Tensor<float> Value, Tensor<float> Gradient)
{
    /// <summary>Name of the weight.</summary>
    public string Name => Constant.Name;
}

/// <summary>
/// A network whose weights change: <see cref="Forward(Tensor{float}, Random?)"/> evaluates a batch in training form,
/// <see cref="Backward(Tensor{float}, bool)"/> adds up the gradients of its weights, whoever trains it changes their values in place,
/// <see cref="ToGraph"/> gives the network as it has become. It may have several inputs, all with the batch as their first axis, and
/// several outputs. Not safe for calls from several threads.
/// </summary>
public sealed class TrainedNetwork : IDisposable
{
    private readonly Graph _original,
        _opened;
    private readonly TrainingForm _form;
    private readonly ImmutableArray<Port> _inputs;
    private readonly ImmutableArray<string> _outputs;
    private readonly FrozenSet<string> _changing;
    private readonly int? _fixedBatch;
    private readonly WeightCache _cache = new();
    private readonly ThreadWorkers _workers;
    private readonly Dictionary<int, Compiled> _programs = [];
    private readonly Dictionary<string, Tensor<float>> _statistics = [];
    private Compiled? _current;

    /// <summary>Prepares a network. Its weights are copied; the graph itself stays as it is.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="weights">What is trained; all of <see cref="TrainableConstants"/> when null.</param>
    /// <param name="momentum">What running statistics keep of themselves at each step.</param>
    /// <param name="threads">Threads to compute with; 0 for all cores.</param>
    /// <param name="outputs">Outputs whose gradients will be given; the first one when null.</param>
    /// <exception cref="BadInputException">The network has no float32 input of declared shape, nothing to train, or an operation without a
    /// gradient on the way.</exception>
    public TrainedNetwork(
        Graph graph,
        IEnumerable<TrainableConstant>? weights = null,
        float momentum = 0.9f,
        int threads = 0,
        IEnumerable<string>? outputs = null
    )
        : this(graph, weights, momentum, threads, outputs, overRanks: null) { }

    /// <param name="overRanks">Where batch normalisations take mean and variance of a batch that several ranks share; null for this rank's
    /// images.</param>
    /// <inheritdoc cref="TrainedNetwork(Graph, IEnumerable{TrainableConstant}?, float, int, IEnumerable{string}?)"/>
    internal TrainedNetwork(
        Graph graph,
        IEnumerable<TrainableConstant>? weights,
        float momentum,
        int threads,
        IEnumerable<string>? outputs,
        RankSum? overRanks
    )
    {
        // A constant that an exporter joined, such as the scales and the running variances of fresh normalisations, has one part afterwards.
        _original = graph = WeightsAsInitializers.ForTraining(graph);
        _inputs = [.. graph.Inputs.Where(port => !graph.Initializers.ContainsKey(port.Name))];
        if (_inputs.IsEmpty || _inputs[0].Type != ElementType.Float32 || _inputs.Any(static p => p.Dimensions is not { Length: > 0 }))
            throw new BadInputException(
                $"A network with a float32 input of declared shape was expected; this one has {string.Join(", ", _inputs.Select(static p => $"{p.Name} ({p.Type})"))}."
            );
        ImageShape = [.. _inputs[0].Dimensions!.Value.Skip(1).Select(static d => d.Extent ?? 1)];
        if (graph.Outputs.IsEmpty)
            throw new BadInputException("The network has no output.");
        _outputs = [.. outputs ?? [graph.Outputs[0].Name]];

        TrainableConstant[] chosen = [.. weights ?? TrainableConstants.Of(graph)];
        if (chosen.Length == 0)
            throw new BadInputException("The network has no weights to train.");
        _opened = OpenBatch.WherePossible(graph);
        TrainingForm form = TrainingForm.From(_opened, momentum, overRanks);
        ImmutableDictionary<string, Tensor>.Builder constants = form.Graph.Initializers.ToBuilder();
        var trained = ImmutableArray.CreateBuilder<TrainedWeight>(chosen.Length);
        foreach (TrainableConstant constant in chosen)
        {
            Tensor<float> value = Float(constants, constant.Name).Clone();
            constants[constant.Name] = value;
            trained.Add(new(constant, value, new(value.Shape)));
        }
        Weights = trained.ToImmutable();
        foreach (RunningStatistic statistic in form.Statistics)
            constants[statistic.Constant] = _statistics[statistic.Constant] = Float(constants, statistic.Constant).Clone();
        _changing = [.. Weights.Select(static w => w.Name), .. _statistics.Keys];
        _form = form with
        {
            Graph = ParametersFirst.Apply(
                RecognizeActivations.Apply(DropIdlePads.Apply(form.Graph with { Initializers = constants.ToImmutable() }), _changing)
            ),
        };
        _workers = new(threads > 0 ? threads : Environment.ProcessorCount);
        _fixedBatch = _opened.FreeInputs is [{ Dimensions: [{ Extent: { } images }, ..] }, ..] ? images : null;
        OutputShape = [.. ProgramFor(_fixedBatch ?? 2).Shapes[graph.Outputs[0].Name].Skip(1)];
        _programs.Clear();
    }

    /// <summary>Extents of one image at the first input.</summary>
    public Shape ImageShape { get; }

    /// <summary>Extents of the first output for one image.</summary>
    public Shape OutputShape { get; }

    /// <summary>The weights, in the order the network reads them.</summary>
    public ImmutableArray<TrainedWeight> Weights { get; }

    /// <summary>Running means and variances by the name of their constant; each forward pass renews them.</summary>
    public IReadOnlyDictionary<string, Tensor<float>> Statistics => _statistics;

    /// <summary>Values that are dropped at random; empty for networks without dropout.</summary>
    internal ImmutableArray<DropMask> Masks => _form.Masks;

    /// <summary>Bytes that activations and their gradients take for a batch, and what weights make whatever the batch.</summary>
    public long ActivationBytes(int images) => ProgramFor(images).Program.ArenaLength * (long)sizeof(float);

    /// <summary>
    /// Seconds of every kind of step, added up from now on where a dictionary is given; several threads count several times.
    /// </summary>
    public Dictionary<string, double>? Profile { get; init; }

    /// <summary>
    /// Told, on the thread that calls <see cref="Backward(Tensor{float}, bool)"/>, of each weight whose gradient is complete: those that a pass
    /// writes in place as soon as its last step on them is done, the others at its end.
    /// </summary>
    internal Action<TrainedWeight>? GradientDone { get; set; }

    /// <summary>Which image of a larger batch the next batch begins with, so that what is dropped of an image does not depend on how the batch is
    /// shared out.</summary>
    internal int FirstImage { get; set; }

    /// <summary>The network's first output for a batch, in training form. It stays valid until the next call.</summary>
    /// <param name="images">[n, …] as the network's only input.</param>
    /// <param name="random">Decides what is dropped, where the network drops values.</param>
    public Tensor<float> Forward(Tensor<float> images, Random? random = null) =>
        _inputs.Length == 1
            ? Forward(new Dictionary<string, Tensor> { [_inputs[0].Name] = images }, random)[_original.Outputs[0].Name].Of<float>()
            : throw new BadInputException($"The network has {_inputs.Length} inputs; each of them needs a tensor.");

    /// <summary>All outputs for a batch, in training form, by name. They stay valid until the next call.</summary>
    /// <param name="inputs">[n, …] by input.</param>
    /// <param name="random">Decides what is dropped, where the network drops values.</param>
    public IReadOnlyDictionary<string, Tensor> Forward(IReadOnlyDictionary<string, Tensor> inputs, Random? random = null)
    {
        Compiled compiled = _current = ProgramFor(inputs[_inputs[0].Name].Shape[0]);
        Program program = compiled.Program;
        program.Profile = Profile;
        ProgramFrame frame = compiled.Frame.Value;
        foreach (Port input in _inputs)
            frame.Bind(program.Inputs[input.Name], inputs[input.Name]);
        random ??= new(0);
        foreach (DropMask mask in _form.Masks)
            frame.Bind(program.Inputs[mask.Input], Drawn(program.Inputs[mask.Input].Shape, mask.Ratio, random, FirstImage));
        _cache.Renew(_workers);
        program.Run(frame, 0, program.Boundary);
        foreach (RunningStatistic statistic in _form.Statistics)
            if (program.Outputs.TryGetValue(statistic.Renewed, out Value? renewed))
                frame[renewed].Of<float>().Values.CopyTo(_statistics[statistic.Constant].Values);
        return _original.Outputs.ToDictionary(static port => port.Name, port => frame[program.Outputs[port.Name]]);
    }

    /// <summary>Carries ∂L/∂output of the last forward pass back; the weights' gradients are then those of L.</summary>
    /// <param name="outputGradient">[n, …] as the only output whose gradient is given.</param>
    /// <param name="add">Adds them to the gradients that are there, as those of another part of the same batch, in place of renewing
    /// them.</param>
    public void Backward(Tensor<float> outputGradient, bool add = false) =>
        Backward(new Dictionary<string, Tensor> { [_outputs.Single()] = outputGradient }, add);

    /// <summary>A gradient in its output's shape: scores may come as rows.</summary>
    private static Tensor Shaped(Tensor gradient, Shape shape, string output) =>
        gradient.Shape.ElementCount == shape.ElementCount
            ? gradient.As(shape)
            : throw new ShapeException($"The gradient of '{output}' has the shape {gradient.Shape}; the output is {shape}.");

    /// <inheritdoc cref="Backward(Tensor{float}, bool)"/>
    /// <param name="outputGradients">[n, …] by output.</param>
    public void Backward(IReadOnlyDictionary<string, Tensor> outputGradients, bool add = false)
    {
        Compiled compiled = _current ?? throw new InvalidOperationException("Backward comes after Forward.");
        (Program program, ProgramFrame frame) = (compiled.Program, compiled.Frame.Value);
        foreach ((string output, string seed) in compiled.Derivatives.Seeds)
            frame.Bind(program.Inputs[seed], Shaped(outputGradients[output], program.Inputs[seed].Shape, output));
        // Sums of parts go to memory of their own first.
        Dictionary<string, Tensor<float>> targets = Weights.ToDictionary(
            static weight => weight.Name,
            weight => add ? new Tensor<float>(weight.Gradient.Shape) : weight.Gradient
        );
        foreach ((string name, string gradient) in compiled.Derivatives.Gradients)
            if (program.Outputs[gradient] is { IsExternal: true } bound)
                frame.Bind(bound, targets[name]);
        ILookup<int, TrainedWeight>? completed = add || GradientDone is null ? null : compiled.Completed;
        program.Run(frame, program.Boundary, program.Segments.Length, completed is null ? null : Complete);
        foreach (TrainedWeight weight in Weights)
        {
            Span<float> target = targets[weight.Name].Values;
            bool isWritten = false;
            if (!compiled.Derivatives.Gradients.TryGetValue(weight.Name, out string? gradient))
                target.Clear();
            else if (program.Outputs[gradient] is { IsExternal: false } own)
                frame[own].Of<float>().Values.CopyTo(target);
            else
                isWritten = completed is not null;
            if (add)
                System.Numerics.Tensors.TensorPrimitives.Add(weight.Gradient.Values, target, weight.Gradient.Values);
            if (!isWritten)
                GradientDone?.Invoke(weight);
        }

        void Complete(int segment)
        {
            foreach (TrainedWeight weight in completed[segment])
                GradientDone!(weight);
        }
    }

    /// <summary>Labels of the steps for a batch, forward and backward.</summary>
    internal IEnumerable<string> StepsFor(int images) =>
        ProgramFor(images).Program.Segments.SelectMany(static segment => segment.Steps).Select(static step => step.Label);

    /// <summary>What a step on a batch of images multiplies, forward and backward, as plans of equations.</summary>
    internal ImmutableArray<NodePlan> Plans(int images) => ProgramFor(images).Program.Plans;

    /// <summary>The network with its weights and running statistics as they are now.</summary>
    public Graph ToGraph()
    {
        Graph graph = _original;
        foreach (
            (string name, Tensor<float> value) in Weights
                .Select(static w => (w.Name, w.Value))
                .Concat(_statistics.Select(static s => (s.Key, s.Value)))
        )
            graph = graph.With(name, value.Clone());
        return graph;
    }

    /// <inheritdoc/>
    public void Dispose() => _workers.Dispose();

    private Compiled ProgramFor(int images)
    {
        if (_programs.TryGetValue(images, out Compiled? known))
            return known;
        if (_fixedBatch is { } batch && batch != images)
            throw new BadInputException(
                $"The network's file fixes its batch at {batch}, and so it is trained on {batch} images at a time, not on {images}. {WhyFixed()}"
            );
        Dictionary<string, Shape> inputs = InputsFor(images);
        IReadOnlyDictionary<string, ValueInfo> shapes = ShapeInference.Run(_form.Graph, inputs, _changing);
        foreach (string output in _outputs)
            if (shapes[output] is not { Type: ElementType.Float32, Shape.Rank: > 0 } operand || operand.Shape[0] != images)
                throw new BadInputException(
                    $"Output '{output}' is {shapes[output].Type} {shapes[output].Shape} for {images} images; one row of float32 an image was expected."
                );
        Graph graph = ExpandEquations.ForExecution(_form.Graph, shapes, PlanGoal.ForwardAndBackward);
        if (graph != _form.Graph)
            shapes = ShapeInference.Run(graph = ParametersFirst.Apply(graph), inputs, _changing);
        graph = FoldConstants.Apply(graph, shapes, _cache, changing: _changing);
        graph = graph with
        {
            Outputs =
            [
                .. graph.Outputs,
                .. _form
                    .Statistics.Where(s => shapes.ContainsKey(s.Renewed))
                    .Select(static s => new Port(s.Renewed, ElementType.Float32, null)),
            ],
        };
        Differentiated derivatives = Recompute.Apply(
            Differentiate.Apply(graph, shapes, [.. Weights.Select(static w => w.Name)], _outputs),
            shapes
        );
        foreach ((string output, string seed) in derivatives.Seeds)
            inputs[seed] = shapes[output].Shape;
        Scope scope = new(
            derivatives.Graph,
            ShapeInference.Run(derivatives.Graph, inputs, _changing),
            _changing,
            BatchPlan.Sharded(images),
            _cache
        );
        Program program = Compiler.Compile(scope, derivatives.ForwardNodes, bound: derivatives.Gradients.Values);
        // Planned batches need not all be run.
        return _programs[images] = new(
            program,
            derivatives,
            shapes.ToDictionary(static s => s.Key, static s => s.Value.Shape),
            new(() => new(program, _workers)),
            Weights
                .Where(w => derivatives.Gradients.TryGetValue(w.Name, out string? name) && program.Outputs[name].IsExternal)
                .ToLookup(w => program.LastWrite(program.Outputs[derivatives.Gradients[w.Name]]))
        );
    }

    private string WhyFixed()
    {
        try
        {
            _ = OpenBatch.Apply(_original);
            return "";
        }
        catch (UnsupportedException refusal)
        {
            return refusal.Message;
        }
    }

    /// <summary>Extents of all inputs for a batch of images.</summary>
    private Dictionary<string, Shape> InputsFor(int images)
    {
        Dictionary<string, Shape> inputs = _inputs.ToDictionary(
            static port => port.Name,
            port => Shape.From([images, .. port.Dimensions!.Value.Skip(1).Select(static d => d.Extent ?? 1)])
        );
        foreach (DropMask mask in _form.Masks)
            inputs[mask.Input] = ShapeInference.Explore(_opened, inputs).Operands[mask.Masked].Shape;
        return inputs;
    }

    private static Tensor<float> Float(ImmutableDictionary<string, Tensor>.Builder constants, string name) =>
        constants.GetValueOrDefault(name) switch
        {
            Tensor<float> value => value,
            null => throw new BadInputException($"The network has no constant '{name}' to be trained."),
            { } other => throw new UnsupportedException($"'{name}' holds {other.ElementType} numbers; float32 networks are trained."),
        };

    /// <summary>A mask, every image's from a source of its own: it is the same whatever part of the batch is drawn here.</summary>
    private static Tensor<float> Drawn(Shape shape, float ratio, Random random, int first)
    {
        Tensor<float> mask = new(shape);
        int root = random.Next(),
            images = shape[0],
            row = shape.ElementCount / Math.Max(1, images);
        for (int image = 0; image < images; image++)
        {
            Random own = new((int)((uint)root + (uint)(first + image) * 0x9E3779B1));
            foreach (ref float value in mask.Values.Slice(image * row, row))
                value = own.NextSingle() < ratio ? 0 : 1 / (1 - ratio);
        }
        return mask;
    }

    private sealed record Compiled(
        Program Program,
        Differentiated Derivatives,
        IReadOnlyDictionary<string, Shape> Shapes,
        Lazy<ProgramFrame> Frame,
        ILookup<int, TrainedWeight> Completed
    );
}
