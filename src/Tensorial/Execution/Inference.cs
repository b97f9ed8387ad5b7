using System.Collections.Concurrent;
using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Kernels;

namespace Tensorial.Execution;

/// <summary>
/// Runs a network that has one input and treats the images of a batch independently, as trained classifiers do. A batch is cut
/// into small pieces that go through the whole network one after another on each thread, so that activations stay in the
/// cache; a batch of fewer images than threads is instead shared out within each operation.
/// Not safe for calls from several threads at once; <see cref="With"/> gives a second instance.
/// </summary>
public sealed class Inference : IDisposable
{
    /// <summary>
    /// Floats of activations one piece may need. Twice the usual second-level cache of a core: measured on ResNet-32 and
    /// ResNet-50, larger pieces re-read activations from memory, smaller ones the weights of late layers.
    /// </summary>
    private const int PieceFloats = 1 << 19;

    private const int LargestPiece = 8;

    private readonly Graph _graph;
    private readonly Memo _memo;
    private readonly Workers _workers;
    private readonly bool _ownsWorkers;
    private readonly ConcurrentDictionary<int, CompiledNetwork> _programs = new();
    private readonly ConcurrentDictionary<(int Images, bool Shared), ConcurrentBag<Frame>> _frames = new();
    private readonly Port _input;
    private int _piece;

    /// <summary>Prepares a network.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="threads">Threads to compute with; 0 for all cores.</param>
    /// <exception cref="BadInputException">It has no single input of float32, or an operator that cannot be evaluated.</exception>
    public Inference(Graph graph, int threads = 0)
        : this(graph, new ThreadWorkers(threads > 0 ? threads : Environment.ProcessorCount), new Memo()) => _ownsWorkers = true;

    private Inference(Graph graph, Workers workers, Memo memo)
    {
        // Networks of other floating-point types are computed in float32.
        bool isOther = graph.FreeInputs.Any(static port => port.Type is ElementType.Float16 or ElementType.BFloat16 or ElementType.Float64);
        graph = isOther ? InFloat32.Apply(graph) : graph;
        (_graph, _workers, _memo) = (graph, workers, memo);
        _input = SingleInput(graph);
        OutputShape = ProgramFor(1).Outputs[0].Shape;
        _memo.Settle();
    }

    /// <summary>Extents of the first output for one image.</summary>
    public Shape OutputShape { get; }

    /// <summary>Steps of the compiled network.</summary>
    public int Steps => ProgramFor(1).Steps.Length;

    /// <summary>Bytes of activations that one thread holds while it evaluates one piece of a batch.</summary>
    public long ActivationBytes => (long)ProgramFor(PieceOf(LargestPiece * _workers.Count)).ArenaLength * sizeof(float);

    /// <summary>
    /// The same network structure with other constants. Packed weights of constants that did not change are shared, as are the threads.
    /// </summary>
    public Inference With(Graph changed) => new(changed, _workers, new Memo(_memo));

    /// <summary>First outputs for a batch of images.</summary>
    /// <param name="images">[n, ...] as the network's input.</param>
    /// <returns>[n, ...] as its first output.</returns>
    public Tensor<float> Run(Tensor<float> images) => RunFrom(RunTo(0, images));

    /// <summary>The first step whose weights come from an initializer.</summary>
    /// <exception cref="BadInputException">No step uses it.</exception>
    public int StepOf(string initializer)
    {
        ImmutableArray<Step> steps = ProgramFor(1).Steps;
        for (int index = 0; index < steps.Length; index++)
            if (steps[index].Constants.Contains(initializer))
                return index;
        throw new BadInputException($"No layer of the network uses the weights '{initializer}'.");
    }

    /// <summary>Evaluates a batch up to, not including, a step, and keeps what the later steps need.</summary>
    public Activations RunTo(int step, Tensor<float> images)
    {
        Check(images.Shape);
        int count = images.Shape[0];
        int piece = PieceOf(count);
        Activations start = new(images, piece, 0, new float[(count + piece - 1) / piece][][]);
        return step == 0 ? start : Continue(start, step);
    }

    /// <summary>Goes on from kept activations to a later step.</summary>
    public Activations Continue(Activations at, int toStep)
    {
        Activations reached = at with { Step = toStep, Kept = new float[at.Kept.Length][][] };
        Each(
            at,
            (program, frame, index) =>
            {
                program.Run(frame, at.Step, toStep);
                reached.Kept[index] = [.. program.AliveAt(toStep).Select(value => frame.Floats(value).ToArray())];
            }
        );
        return reached;
    }

    /// <summary>First outputs, from kept activations on. The activations stay usable.</summary>
    public Tensor<float> RunFrom(Activations at)
    {
        int count = at.Images;
        Tensor<float> result = new(BatchOf(OutputShape, count));
        int stride = OutputShape.Count;
        Each(
            at,
            (program, frame, index) =>
            {
                program.Run(frame, at.Step, program.Steps.Length);
                Value output = program.Outputs[0];
                int images = Math.Min(at.Piece, count - index * at.Piece);
                if (output.Shape.Count != images * stride)
                    throw new BadInputException(
                        $"Output '{output.Name}' is {output.Shape} for {images} images, but {OutputShape} for one: they are not answered one by one."
                    );
                frame[output].Of<float>().Values.CopyTo(result.Values.Slice(index * at.Piece * stride, output.Shape.Count));
            }
        );
        return result;
    }

    public void Dispose()
    {
        if (_ownsWorkers && _workers is IDisposable threads)
            threads.Dispose();
    }

    /// <summary>For every piece of the batch: a frame with the kept values restored, ready to run from the step they belong to.</summary>
    private void Each(Activations at, Action<CompiledNetwork, Frame, int> body)
    {
        int pieces = at.Kept.Length;
        bool shareOperations = pieces == 1;
        (shareOperations ? Workers.Serial : _workers).For(
            pieces,
            index =>
            {
                int first = index * at.Piece,
                    count = Math.Min(at.Piece, at.Images - first);
                CompiledNetwork program = ProgramFor(count);
                ConcurrentBag<Frame> idle = _frames.GetOrAdd((count, shareOperations), static _ => []);
                if (!idle.TryTake(out Frame? frame))
                    frame = new(program, shareOperations ? _workers : Workers.Serial);

                int stride = at.Source.Shape.Count / at.Images;
                Value input = program.Inputs[0];
                frame.Bind(input, new Tensor<float>(input.Shape, at.Source.Memory.Slice(first * stride, count * stride)));
                if (at.Kept[index] is { } kept)
                    foreach ((Value value, float[] saved) in program.AliveAt(at.Step).Zip(kept))
                        saved.CopyTo(frame.Floats(value));
                body(program, frame, index);
                idle.Add(frame);
            }
        );
    }

    private void Check(Shape images)
    {
        Shape wanted = ProgramFor(1).Inputs[0].Shape;
        if (images.Rank != wanted.Rank || images.Rank == 0 || images.With(0, 1) != wanted)
            throw new ShapeException(
                $"The network takes images of {Extents(wanted)} at its input '{_input.Name}'; these are {Extents(images)}."
            );
        if (images[0] == 0)
            throw new BadInputException("An empty batch has nothing to evaluate.");

        static string Extents(Shape shape) => shape.Rank > 1 ? string.Join('×', shape.Skip(1)) : "no extent";
    }

    /// <summary>Images that go through the network together on one thread.</summary>
    private int PieceOf(int images)
    {
        if (images < _workers.Count)
            return images;
        if (_piece == 0)
            _piece = Math.Clamp(PieceFloats / Math.Max(1, ProgramFor(1).ArenaLength), 1, LargestPiece);
        return Math.Min(_piece, (int)(((long)images + _workers.Count - 1) / _workers.Count));
    }

    private CompiledNetwork ProgramFor(int images) => _programs.GetOrAdd(images, Compile);

    private CompiledNetwork Compile(int images)
    {
        int[] extents =
        [
            .. (_input.Dimensions ?? throw new BadInputException($"Input '{_input.Name}' declares no shape.")).Select(static d =>
                d.Extent ?? 1
            ),
        ];
        if (extents.Length == 0)
            throw new BadInputException($"Input '{_input.Name}' is a scalar, not a batch of images.");
        extents[0] = images;
        CompiledNetwork program = Lowering.Compile(_graph, new Dictionary<string, Shape> { [_input.Name] = Shape.Of(extents) }, _memo);
        if (program.Outputs.Length == 0)
            throw new BadInputException("The network has no output.");
        Value output = program.Outputs[0];
        if (output.Type != ElementType.Float32 || output.Shape.Rank == 0 || output.Shape[0] != images)
            throw new BadInputException(
                $"Output '{output.Name}' is {output.Type} {output.Shape} for {images} images; one row of float32 an image was expected."
            );
        return program;
    }

    private static Port SingleInput(Graph graph)
    {
        Port[] inputs = [.. graph.Inputs.Where(port => !graph.Initializers.ContainsKey(port.Name))];
        return inputs is [{ Type: ElementType.Float32 } only]
            ? only
            : throw new BadInputException(
                $"A network with one float32 input was expected; this one has {inputs.Length}: {string.Join(", ", inputs.Select(static p => $"{p.Name} ({p.Type})"))}."
            );
    }

    private static Shape BatchOf(Shape one, int images) => one.With(0, images);
}

/// <summary>A batch on its way through a network: all values that the steps from <see cref="Step"/> on still need.</summary>
public sealed record Activations
{
    internal Activations(Tensor<float> source, int piece, int step, float[][][] kept) =>
        (Source, Piece, Step, Kept) = (source, piece, step, kept);

    internal Tensor<float> Source { get; init; }

    internal int Piece { get; init; }

    /// <summary>By piece of the batch, then by value.</summary>
    internal float[][][] Kept { get; init; }

    /// <summary>The step that comes next.</summary>
    public int Step { get; init; }

    public int Images => Source.Shape[0];

    /// <summary>Bytes kept beside the images themselves.</summary>
    public long Bytes => Kept.Sum(static piece => piece?.Sum(static value => (long)value.Length * sizeof(float)) ?? 0);
}
