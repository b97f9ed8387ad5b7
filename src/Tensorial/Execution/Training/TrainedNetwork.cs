using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>A weight under training: its value, and the gradient of the last batch.</summary>
public sealed record TrainedWeight(TrainableConstant Constant, Tensor<float> Value, Tensor<float> Gradient)
{
    public string Name => Constant.Name;
}

/// <summary>
/// A network whose weights change: <see cref="Forward"/> evaluates a batch in training form, <see cref="Backward"/> adds up the gradients
/// of its weights, whoever trains it changes their values in place, <see cref="ToGraph"/> gives the network as it has become. One input and
/// the first output, float32. Not safe for calls from several threads.
/// </summary>
public sealed class TrainedNetwork : IDisposable
{
    private readonly Graph _original;
    private readonly TrainingForm _form;
    private readonly ParameterPart _parameters;
    private readonly string _input;
    private readonly PackedWeights _packed = new();
    private readonly ThreadWorkers _workers;
    private readonly Dictionary<int, TrainingLowering.Compiled> _programs = [];
    private readonly Dictionary<string, Tensor<float>> _statistics = [];
    private TrainingLowering.Compiled? _current;

    /// <summary>Prepares a network. Its weights are copied; the graph itself stays as it is.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="weights">What is trained; all of <see cref="TrainableConstants"/> when null.</param>
    /// <param name="momentum">What running statistics keep of themselves at each step.</param>
    /// <param name="threads">Threads to compute with; 0 for all cores.</param>
    /// <exception cref="BadInputException">The network has no single float32 input, nothing to train, or an operation without a gradient on
    /// the way.</exception>
    public TrainedNetwork(Graph graph, IEnumerable<TrainableConstant>? weights = null, float momentum = 0.9f, int threads = 0)
    {
        _original = graph;
        Port[] inputs = [.. graph.Inputs.Where(port => !graph.Initializers.ContainsKey(port.Name))];
        if (inputs is not [{ Type: ElementType.Float32, Dimensions: { Length: > 0 } dimensions } input])
            throw new BadInputException(
                $"A network with one float32 input of declared shape was expected; this one has {string.Join(", ", inputs.Select(static p => $"{p.Name} ({p.Type})"))}."
            );
        (_input, ImageShape) = (input.Name, [.. dimensions.Skip(1).Select(static d => d.Extent ?? 1)]);

        TrainableConstant[] chosen = [.. weights ?? TrainableConstants.Of(graph)];
        if (chosen.Length == 0)
            throw new BadInputException("The network has no weights to train.");
        TrainingForm form = TrainingForm.Of(graph, momentum);
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
        Graph whole = form.Graph with { Initializers = constants.ToImmutable() };
        _form = form with { Graph = whole };
        GradientPaths paths = GradientPaths.Of(
            whole,
            [.. Weights.Select(static w => w.Name)],
            ShapeInference.Run(whole, InputsFor([2, .. ImageShape])),
            [whole.Outputs[0].Name]
        );
        _parameters = new(whole, Weights.ToDictionary(static w => w.Name, static w => w.Gradient), _statistics.Keys, paths);
        _form = form with { Graph = _parameters.ImagePart };
        _workers = new(threads > 0 ? threads : Environment.ProcessorCount);
        OutputShape = [.. ProgramFor(2).Output.Shape.Skip(1)];
        _programs.Clear();
    }

    /// <summary>Extents of one image at the input.</summary>
    public Shape ImageShape { get; }

    /// <summary>Extents of the output for one image.</summary>
    public Shape OutputShape { get; }

    /// <summary>The weights, in the order the network reads them.</summary>
    public ImmutableArray<TrainedWeight> Weights { get; }

    /// <summary>Running means and variances by the name of their constant; each <see cref="Forward"/> renews them.</summary>
    public IReadOnlyDictionary<string, Tensor<float>> Statistics => _statistics;

    /// <summary>Values that are dropped at random; empty for networks without dropout.</summary>
    public ImmutableArray<DropMask> Masks => _form.Masks;

    /// <summary>Bytes that activations and their gradients take for a batch.</summary>
    public long ActivationBytes(int images) => ProgramFor(images).Program.ArenaLength * (long)sizeof(float);

    /// <summary>Bytes of what weights make whatever the batch, such as kernels of factors, and of its gradients.</summary>
    public long ParameterBytes => _parameters.Bytes;

    /// <summary>
    /// Seconds of every kind of step, added up from now on where a dictionary is given; several threads count several times.
    /// </summary>
    public Dictionary<string, double>? Profile { get; init; }

    /// <summary>The network's outputs for a batch, in training form. They stay valid until the next call.</summary>
    /// <param name="images">[n, …] as the network's input.</param>
    /// <param name="random">Decides what is dropped, where the network drops values.</param>
    public Tensor<float> Forward(Tensor<float> images, Random? random = null)
    {
        _current = ProgramFor(images.Shape[0]);
        _current.Program.Profile = Profile;
        Frame frame = _current.Program.Frame;
        frame.Bind(_current.Inputs[_input], images);
        foreach (DropMask mask in _form.Masks)
            frame.Bind(_current.Inputs[mask.Input], Drawn(_current.Inputs[mask.Input].Shape, mask.Ratio, random ?? new(0)));
        _parameters.Forward(_workers);
        _packed.Renew(_workers);
        _current.Program.Forward();
        foreach ((string constant, Value renewed) in _current.Renewed)
            frame[renewed].Of<float>().Values.CopyTo(_statistics[constant].Values);
        return frame[_current.Output].Of<float>();
    }

    /// <summary>Carries ∂L/∂output of the last <see cref="Forward"/> back; the weights' gradients are then those of L.</summary>
    /// <param name="outputGradient">[n, …] as the output.</param>
    /// <param name="add">Adds them to the gradients that are there, as those of another part of the same batch, in place of renewing
    /// them.</param>
    public void Backward(Tensor<float> outputGradient, bool add = false)
    {
        TrainingLowering.Compiled program = _current ?? throw new InvalidOperationException("Backward comes after Forward.");
        if (!add)
            foreach (TrainedWeight weight in Weights)
                weight.Gradient.Values.Clear();
        _parameters.Clear();
        outputGradient.Values.CopyTo(program.Program.Frame[program.OutputGradient!].Of<float>().Values);
        program.Program.Backward();
        _parameters.Backward(_workers);
    }

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

    public void Dispose() => _workers.Dispose();

    private TrainingLowering.Compiled ProgramFor(int images)
    {
        if (_programs.TryGetValue(images, out TrainingLowering.Compiled? known))
            return known;
        Dictionary<string, Shape> inputs = InputsFor([images, .. ImageShape]);
        IReadOnlyDictionary<string, Operand> shapes = ShapeInference.Run(_form.Graph, inputs);
        string output = _form.Graph.Outputs[0].Name;
        if (shapes[output] is not { Type: ElementType.Float32, Shape.Rank: > 0 } operand || operand.Shape[0] != images)
            throw new BadInputException(
                $"Output '{output}' is {shapes[output].Type} {shapes[output].Shape} for {images} images; one row of float32 an image was expected."
            );
        GradientPaths paths = GradientPaths.Of(_form.Graph, [.. _parameters.Gradients.Keys], shapes, [output]);
        return _programs[images] = TrainingLowering.Compile(_form, inputs, paths, _parameters.Gradients, _packed, _workers);
    }

    /// <summary>Extents of all inputs for a batch of images.</summary>
    private Dictionary<string, Shape> InputsFor(Shape batch)
    {
        Dictionary<string, Shape> inputs = new() { [_input] = batch };
        foreach (DropMask mask in _form.Masks)
            inputs[mask.Input] = ShapeInference.Explore(_original, inputs).Operands[mask.Masked].Shape;
        return inputs;
    }

    private static Tensor<float> Float(ImmutableDictionary<string, Tensor>.Builder constants, string name) =>
        constants.GetValueOrDefault(name) switch
        {
            Tensor<float> value => value,
            null => throw new BadInputException($"The network has no constant '{name}' to be trained."),
            { } other => throw new UnsupportedException($"'{name}' holds {other.ElementType} numbers; float32 networks are trained."),
        };

    private static Tensor<float> Drawn(Shape shape, float ratio, Random random)
    {
        Tensor<float> mask = new(shape);
        foreach (ref float value in mask.Values)
            value = random.NextSingle() < ratio ? 0 : 1 / (1 - ratio);
        return mask;
    }
}
