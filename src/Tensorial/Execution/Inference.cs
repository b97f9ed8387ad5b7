using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using Tensorial.Equations;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Runs a network: on named tensors, whatever its inputs and outputs (<see cref="Run(IReadOnlyDictionary{string, Tensor})"/>), or, where it
/// has one input, on batches of images. A batch whose images are treated independently is cut into small pieces that go through
/// the whole network one after another on each thread, so that activations stay in the cache; a batch of fewer images than threads, or
/// whose images the network mixes, is instead shared out within each operation. A network whose file fixes the batch is given pieces of that many images.
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
    private readonly WeightCache _cache;
    private readonly Workers _workers;
    private readonly bool _ownsWorkers;
    private readonly ImmutableArray<Port> _inputs;
    private readonly ImmutableArray<int> _usual = [];
    private readonly RecentPrograms _programs;
    private readonly StepPlaces _places = new();
    private (Program Program, ProgramFrame Frame)? _kept;

    /// <summary>Whether a batch may go through the network in pieces; depends on the network's structure alone.</summary>
    private readonly Lazy<bool> _isSeparable;

    /// <summary>Prepares a network.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="threads">Threads to compute with; 0 for all cores.</param>
    /// <exception cref="BadInputException">It has an operator that cannot be evaluated.</exception>
    public Inference(Graph graph, int threads = 0)
        : this(
            graph,
            new ThreadWorkers(threads > 0 ? threads : Environment.ProcessorCount),
            new WeightCache(),
            new(() => SeparateSamples.In(graph))
        ) => _ownsWorkers = true;

    private Inference(Graph graph, Workers workers, WeightCache cache, Lazy<bool> isSeparable)
    {
        (_graph, _workers, _cache, _isSeparable) = (graph, workers, cache, isSeparable);
        _inputs = [.. graph.Inputs.Where(port => !graph.Initializers.ContainsKey(port.Name))];
        _programs = new(inputs => Compile(graph, inputs, cache, ThreadsOf(inputs)));
        if (IsForImages)
        {
            _usual = [.. graph.WithGuessedExtents().FreeInputs[0].Dimensions!.Value.Skip(1).Select(static d => d.Extent ?? 1)];
            _ = ProgramOf(ImagesOf(FixedBatch ?? 1));
        }
        _cache.Settle();
    }

    /// <summary>Whether the network takes batches of images: it has one input, of float32 numbers and declared shape.</summary>
    public bool IsForImages => _inputs is [{ Type: ElementType.Float32, Dimensions.Length: > 0 }];

    /// <summary>Images of every batch where the file fixes it; null where any number will do.</summary>
    public int? FixedBatch => Input.Dimensions!.Value[0].Extent;

    /// <summary>Extents of the first output for one image, [1, …]; free extents of the input being those with which its nodes fit.</summary>
    public Shape OutputShape => [1, .. RowOf(ProgramOf(ImagesOf(FixedBatch ?? 1)), 0, FixedBatch ?? 1)];

    /// <summary>Steps of the compiled network.</summary>
    public int Steps => ProgramOf(ImagesOf(FixedBatch ?? 1)).Segments.Length;

    /// <summary>Bytes of activations that one thread holds while it evaluates one piece of a batch.</summary>
    public long ActivationBytes
    {
        get
        {
            Shape one = ImagesOf(1);
            return (long)ProgramOf(one.With(0, PieceOf(one, LargestPiece * _workers.Count))).ArenaLength * sizeof(float);
        }
    }

    private Port Input =>
        IsForImages
            ? _inputs[0]
            : throw new BadInputException(
                $"A network with one float32 input of declared shape was expected; this one has {_inputs.Length}: {string.Join(", ", _inputs.Select(static p => $"{p.Name} ({p.Type})"))}."
            );

    /// <summary>
    /// The same network structure with other constants. Packed weights of constants that did not change are shared, as are the threads.
    /// </summary>
    public Inference With(Graph changed) => new(changed, _workers, new WeightCache(_cache), _isSeparable);

    /// <summary>All outputs, by name, for these inputs, in memory of their own.</summary>
    /// <param name="inputs">A tensor for every input that has no constant of its name, of the input's type and extents.</param>
    /// <exception cref="BadInputException">An input is missing, or of another type or shape than the network takes.</exception>
    public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs)
    {
        foreach (Port port in _inputs)
        {
            if (!inputs.TryGetValue(port.Name, out Tensor? given))
                throw new BadInputException($"No tensor is given for the input '{port.Name}'.");
            if (given.ElementType != port.Type)
                throw new BadInputException($"The input '{port.Name}' takes {port.Type} numbers, not {given.ElementType}.");
        }
        Program program = _programs.For(_inputs.ToDictionary(static port => port.Name, port => inputs[port.Name].Shape));
        // That of the last shapes alone: pictures of many sizes would each leave theirs behind.
        (Program Program, ProgramFrame Frame)? kept = _kept;
        _kept = null;
        ProgramFrame frame = kept?.Program == program ? kept.Value.Frame : new(program, _workers);
        foreach (Port port in _inputs)
            frame.Bind(program.Inputs[port.Name], inputs[port.Name]);
        program.Run(frame, 0, program.Segments.Length);
        // Copies: the memory of the frame serves the next call, where fresh memory would cost a page fault for every page.
        Dictionary<string, Tensor> outputs = _graph.Outputs.ToDictionary(
            static port => port.Name,
            port => frame[program.Outputs[port.Name]].Clone()
        );
        _kept = (program, frame);
        return outputs;
    }

    /// <summary>First outputs for a batch of images.</summary>
    /// <param name="images">[n, ...] as the network's input.</param>
    /// <returns>[n, ...] as its first output.</returns>
    public Tensor<float> Run(Tensor<float> images) => RunFrom(RunTo(0, images));

    /// <summary>All outputs for a batch of images, in the order of the network's outputs.</summary>
    /// <param name="images">[n, ...] as the network's input.</param>
    /// <returns>
    /// [n, ...] each; an output whose first extent is not that of the batch is returned as it is for the first images.
    /// </returns>
    public ImmutableArray<Tensor> RunAll(Tensor<float> images) => RunAllFrom(RunTo(0, images));

    /// <summary>
    /// The first output as nodes inside the network would read it: [n, ...] where its samples lie along its first axis, and otherwise, where
    /// the file fixes the batch, one tensor for each batch of that size.
    /// </summary>
    /// <param name="images">[n, ...] as the network's input; those that fill no whole batch are left out of the latter, if there are others.</param>
    internal IEnumerable<Tensor<float>> RunParts(Tensor<float> images)
    {
        if (FixedBatch is not { } part || OutputOf(ProgramOf(ImagesOf(part)), 0).Shape is { Rank: > 0 } shape && shape[0] == part)
        {
            yield return RunAll(images)[0].Of<float>();
            yield break;
        }
        Activations all = RunTo(0, images);
        Shape wanted = images.Shape.With(0, part);
        for (int first = 0; first == 0 || first + part <= all.Images; first += part)
            yield return Run(
                new Dictionary<string, Tensor>
                {
                    [Input.Name] = new Tensor<float>(wanted, Images(all, first, Math.Min(part, all.Images - first), wanted)),
                }
            )[_graph.Outputs[0].Name]
                .Of<float>();
    }

    /// <summary>The first step whose weights come from an initializer.</summary>
    /// <exception cref="BadInputException">No step uses it.</exception>
    public int StepOf(string initializer)
    {
        ImmutableArray<Segment> segments = ProgramOf(ImagesOf(FixedBatch ?? 1)).Segments;
        for (int index = 0; index < segments.Length; index++)
            if (segments[index].Steps[0].Constants.Contains(initializer))
                return index;
        throw new BadInputException($"No layer of the network uses the weights '{initializer}'.");
    }

    private int PlaceOf(Program program, int step) => _places.Of(ProgramOf(ImagesOf(FixedBatch ?? 1)), program, step);

    /// <summary>Evaluates a batch up to, not including, a step, and keeps what the later steps need.</summary>
    internal Activations RunTo(int step, Tensor<float> images)
    {
        Check(images.Shape);
        int count = images.Shape[0];
        int piece = PieceOf(images.Shape, count);
        Activations start = new(images, piece, 0, new byte[(count + piece - 1) / piece][][]);
        return step == 0 ? start : Continue(start, step);
    }

    /// <summary>Goes on from kept activations to a later step.</summary>
    internal Activations Continue(Activations at, int toStep)
    {
        Activations reached = at with { Step = toStep, Kept = new byte[at.Kept.Length][][] };
        Each(
            at,
            (program, frame, index) =>
            {
                int end = PlaceOf(program, toStep);
                program.Run(frame, PlaceOf(program, at.Step), end);
                reached.Kept[index] = [.. program.AliveAt(end).Select(value => frame.Bytes(value).ToArray())];
            }
        );
        return reached;
    }

    /// <summary>First outputs, from kept activations on. The activations stay usable.</summary>
    /// <exception cref="BadInputException">The first output is no row of float32 numbers for each image.</exception>
    internal Tensor<float> RunFrom(Activations at)
    {
        Program program = ProgramOf(at.Source.Shape.With(0, at.Piece));
        RequireRows(program, at.Piece);
        return Collect(at, outputs: 1)[0].Of<float>();
    }

    /// <summary>All outputs, from kept activations on, in the order of the network's outputs. The activations stay usable.</summary>
    internal ImmutableArray<Tensor> RunAllFrom(Activations at) => Collect(at, _graph.Outputs.Length);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_ownsWorkers && _workers is IDisposable threads)
            threads.Dispose();
    }

    private ImmutableArray<Tensor> Collect(Activations at, int outputs)
    {
        Program first = ProgramOf(at.Source.Shape.With(0, at.Piece));
        Tensor[] results = new Tensor[outputs];
        for (int k = 0; k < outputs; k++)
        {
            Value output = OutputOf(first, k);
            results[k] = Tensor.Zeros(output.Type, IsByImage(output, at.Piece) ? [at.Images, .. RowOf(first, k, at.Piece)] : output.Shape);
        }
        Each(
            at,
            (program, frame, index) =>
            {
                program.Run(frame, PlaceOf(program, at.Step), program.Segments.Length);
                int images = Math.Min(at.Piece, at.Images - index * at.Piece);
                for (int k = 0; k < outputs; k++)
                {
                    Value output = OutputOf(program, k);
                    Tensor made = frame[output];
                    if (!IsByImage(OutputOf(first, k), at.Piece))
                    {
                        if (index == 0)
                            made.Bytes(0, made.Shape.ElementCount).CopyTo(results[k].Bytes(0, made.Shape.ElementCount));
                        continue;
                    }
                    int row = results[k].Shape.ElementCount / at.Images;
                    if (made.Shape.ElementCount < images * row || made.Shape.ElementCount % row != 0)
                        throw new BadInputException(
                            $"Output '{output.Name}' is {output.Shape} for {images} images, but {results[k].Shape} for {at.Images}: they are not answered one by one."
                        );
                    made.Bytes(0, images * row).CopyTo(results[k].Bytes(index * at.Piece * row, images * row));
                }
            }
        );
        return [.. results];
    }

    /// <summary>For every piece of the batch: a frame with the kept values restored, ready to run from the step they belong to.</summary>
    private void Each(Activations at, Action<Program, ProgramFrame, int> body)
    {
        int pieces = at.Kept.Length;
        bool shareOperations = pieces == 1;
        (shareOperations ? Workers.Serial : _workers).For(
            pieces,
            index =>
            {
                int first = index * at.Piece,
                    count = Math.Min(at.Piece, at.Images - first);
                Program program = ProgramOf(at.Source.Shape.With(0, FixedBatch ?? count));
                ConcurrentBag<ProgramFrame> idle = _programs.Idle(program, shareOperations);
                if (!idle.TryTake(out ProgramFrame? frame))
                    frame = new(program, shareOperations ? _workers : Workers.Serial);

                Value input = program.Inputs[Input.Name];
                frame.Bind(input, new Tensor<float>(input.Shape, Images(at, first, count, input.Shape)));
                if (at.Kept[index] is { } kept)
                    foreach ((Value value, byte[] saved) in program.AliveAt(PlaceOf(program, at.Step)).Zip(kept))
                        saved.CopyTo(frame.Bytes(value));
                body(program, frame, index);
                idle.Add(frame);
            }
        );
    }

    /// <summary>The images of a piece; zeros fill up the last piece of a fixed size.</summary>
    private static Memory<float> Images(Activations at, int first, int count, Shape wanted)
    {
        int stride = at.Source.Shape.ElementCount / at.Images;
        Memory<float> images = at.Source.Memory.Slice(first * stride, count * stride);
        if (images.Length == wanted.ElementCount)
            return images;
        float[] filled = new float[wanted.ElementCount];
        images.CopyTo(filled);
        return filled;
    }

    private void Check(Shape images)
    {
        ImmutableArray<Dimension> wanted = Input.Dimensions!.Value;
        bool fits =
            images.Rank == wanted.Length && !wanted.Where((d, axis) => axis > 0 && d.Extent is { } extent && extent != images[axis]).Any();
        if (!fits)
            throw new ShapeException(
                $"The network takes images of {Extents(wanted.Skip(1))} at its input '{Input.Name}'; these are {Extents(images.Skip(1).Cast<object>())}."
            );
        if (images[0] == 0)
            throw new BadInputException("An empty batch has nothing to evaluate.");

        static string Extents<T>(IEnumerable<T> extents) => extents.Any() ? string.Join('×', extents) : "no extent";
    }

    /// <summary>Images that go through the network together on one thread.</summary>
    private int PieceOf(Shape images, int count)
    {
        if (FixedBatch is { } batch)
            return batch;
        // What mixes the images of a batch, such as a mean over all of them, is given the batch as it is.
        if (count == 1 || count < _workers.Count || !_isSeparable.Value)
            return count;
        int piece = Math.Clamp(PieceFloats / Math.Max(1, ProgramOf(images.With(0, 1)).ArenaLength), 1, LargestPiece);
        return Math.Min(piece, (int)(((long)count + _workers.Count - 1) / _workers.Count));
    }

    /// <summary>The shape of some images, free extents being those with which the network's nodes fit.</summary>
    private Shape ImagesOf(int count) => [count, .. Input.Dimensions!.Value.Skip(1).Select((d, axis) => d.Extent ?? _usual[axis])];

    private Program ProgramOf(Shape images) => _programs.For(new Dictionary<string, Shape> { [Input.Name] = images });

    /// <summary>
    /// Threads that share the steps of a program: all of them, unless the batch is large enough for each to take images of its own.
    /// </summary>
    private int ThreadsOf(IReadOnlyDictionary<string, Shape> inputs) =>
        IsForImages && FixedBatch is null && inputs[Input.Name][0] >= _workers.Count ? 1 : _workers.Count;

    /// <summary>Compiles a network for these extents of its inputs.</summary>
    /// <param name="threads">Threads that its steps will be shared among.</param>
    /// <exception cref="BadInputException">An operator cannot be evaluated; names the node.</exception>
    internal static Program Compile(Graph graph, IReadOnlyDictionary<string, Shape> inputs, WeightCache cache, int threads = 1)
    {
        graph = RecognizeActivations.Apply(DropIdlePads.Apply(graph));
        IReadOnlyDictionary<string, ValueInfo> shapes = ShapeInference.Run(graph, inputs);
        Graph expanded = ExpandEquations.ForExecution(graph, shapes, PlanGoal.Forward);
        expanded = ExpandQuantizedOperators.Apply(expanded, shapes);
        if (expanded != graph)
            shapes = ShapeInference.Run(graph = expanded, inputs);
        ConstantOrigins origins = new(graph);
        graph = FoldConstants.Apply(graph, shapes, cache, origins);
        Graph numbers = RecognizeFakeQuantization.Apply(graph, shapes);
        if (numbers != graph)
            shapes = ShapeInference.Run(graph = numbers, inputs);
        graph = FoldBatchNorm.Apply(graph, origins, cache);
        graph = CompiledBody.Apply(RecognizeChannelOrders.Apply(graph, shapes));
        Scope scope = new(graph, shapes, FrozenSet<string>.Empty, BatchPlan.StepByStep, cache) { Threads = threads };
        return Compiler.Compile(scope, graph.Nodes.Length, origins);
    }

    private Value OutputOf(Program program, int index) => program.Outputs[_graph.Outputs[index].Name];

    /// <summary>Whether an output has a row for each image: always where the file is made for single images.</summary>
    private bool IsByImage(Value output, int images) => FixedBatch == 1 || (output.Shape.Rank > 0 && output.Shape[0] == images);

    /// <summary>Extents of an output for one image, without the batch.</summary>
    private Shape RowOf(Program program, int index, int images)
    {
        Shape shape = OutputOf(program, index).Shape;
        return shape.Rank > 0 && shape[0] == images ? [.. shape.Skip(1)] : shape;
    }

    private void RequireRows(Program program, int images)
    {
        if (_graph.Outputs.IsEmpty)
            throw new BadInputException("The network has no output.");
        Value output = OutputOf(program, 0);
        if (output.Type != ElementType.Float32 || !IsByImage(output, images))
            throw new BadInputException(
                $"Output '{output.Name}' is {output.Type} {output.Shape} for {images} images; one row of float32 an image was expected."
            );
    }
}
