using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Training.Losses;
using Tensorial.Training.Optimizers;
using Tensorial.Training.Schedules;

namespace Tensorial.Training;

/// <summary>One block that learns to make what the dense network makes at its place.</summary>
internal sealed class BlockLearning : IDisposable
{
    /// <summary>Numbers kept of each weight: itself, its gradient, Adam's two moments, and where it began.</summary>
    private const int Copies = 5;

    private readonly TunedBlock _block;
    private readonly SequentialOptions _options;
    private readonly BlockActivations _inputs,
        _targets;
    private readonly TrainedNetwork _network;
    private readonly int _count,
        _batch;

    /// <summary>Prepares a block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="graph">The network it is part of.</param>
    /// <param name="before">The network that makes its inputs.</param>
    /// <param name="dense">The network that makes its targets.</param>
    /// <param name="images">What it learns from.</param>
    /// <param name="options">How.</param>
    /// <param name="mostKept">Bytes of activations that may be kept where <paramref name="options"/> set no bound.</param>
    /// <exception cref="BadInputException">The block cannot be trained, or not within the memory that is allowed.</exception>
    public BlockLearning(
        TunedBlock block,
        Graph graph,
        Graph before,
        Graph dense,
        ImageSet images,
        SequentialOptions options,
        long mostKept
    )
    {
        (_block, _options, _count, _batch) = (block, options, images.Count, Math.Min(options.Batch, images.Count));
        _inputs = new(before, block.Input, images, options.Threads);
        _targets = new(dense, block.Output, images, options.Threads);
        _network = new(block.AsNetwork(graph, _inputs.Shape), block.Weights, threads: options.Threads);
        Memory = Plan(mostKept);
    }

    public BlockMemory Memory { get; }

    /// <summary>Lets the block learn.</summary>
    /// <param name="epochDone">Told the epochs done, from 1; again from 1 where a block is tried anew.</param>
    /// <param name="cancel">Stops it.</param>
    /// <returns>Weights and running statistics, none where the block came no closer, and its errors.</returns>
    public (IReadOnlyDictionary<string, Tensor<float>> Weights, double Before, double After) Run(
        Action<int> epochDone,
        CancellationToken cancel
    )
    {
        if (Memory.IsKept)
        {
            _inputs.Keep(_options.Batch, cancel);
            _targets.Keep(_options.Batch, cancel);
        }
        double before = Error(cancel);
        Dictionary<string, Tensor<float>> start = State();
        // Steps that are long for a block leave it further away than it was, where there are too few of them to come back.
        foreach (double part in (double[])[1, 0.1, 0.01])
        {
            Approach(part * _options.LearningRate, epochDone, cancel);
            double after = Error(cancel);
            if (after < before)
                return (State(), before, after);
            foreach ((string name, Tensor<float> value) in Changing())
                start[name].Values.CopyTo(value.Values);
        }
        return (new Dictionary<string, Tensor<float>>(), before, before);
    }

    public void Dispose()
    {
        _network.Dispose();
        _inputs.Dispose();
        _targets.Dispose();
    }

    /// <summary>Copies of all that learning changes.</summary>
    private Dictionary<string, Tensor<float>> State() => Changing().ToDictionary(static c => c.Name, static c => c.Value.Clone());

    /// <summary>Weights, and the running statistics of normalisations.</summary>
    private IEnumerable<(string Name, Tensor<float> Value)> Changing() =>
        _network.Weights.Select(static w => (w.Name, w.Value)).Concat(_network.Statistics.Select(static s => (s.Key, s.Value)));

    private BlockMemory Plan(long mostKept)
    {
        using Inference block = new(_network.ToGraph(), _options.Threads);
        long batch = _inputs.BatchBytes(_batch) + _targets.BatchBytes(_batch) + block.ActivationBytes * _options.Threads;
        long kept = _inputs.KeptBytes + _targets.KeptBytes;
        if (_options.MemoryLimit is not { } most)
        {
            bool isKept = kept <= mostKept;
            return new(batch + (isKept ? kept : 0), isKept, TrainingMemory.Plan(_network, _batch, Copies, limit: null));
        }
        if (batch >= most)
            throw new BadInputException(
                $"Block '{_block.Output}' takes {TrainingMemory.Text(batch)} for the activations of {_batch} images alone; {TrainingMemory.Text(most)} are allowed."
            );
        TrainingMemory step = TrainingMemory.Plan(_network, _batch, Copies, most - batch);
        return batch + kept + step.Bytes <= most ? new(batch + kept, true, step) : new(batch, false, step);
    }

    /// <summary>Brings the block's answers nearer to what they should be.</summary>
    private void Approach(double rate, Action<int> epochDone, CancellationToken cancel)
    {
        Adam optimizer = new();
        Cosine schedule = new();
        int batches = _count / _batch,
            steps = _options.Epochs * batches;
        int[] order = [.. Enumerable.Range(0, _count)];
        for (int step = 0; step < steps; step++)
        {
            cancel.ThrowIfCancellationRequested();
            int place = step % batches;
            if (place == 0)
                BatchStream.RandomOf(_options.Seed, step, 0).Shuffle(order);
            ReadOnlySpan<int> chosen = order.AsSpan(place * _batch, _batch);
            Step(_inputs.Pick(chosen), _targets.Pick(chosen), step);
            optimizer.Step(_network.Weights, rate * schedule.Factor((double)step / steps));
            if (place == batches - 1)
                epochDone((step + 1) / batches);
        }
    }

    /// <summary>Gradients of a batch, in as many parts as memory asks for.</summary>
    private void Step(Tensor<float> x, Tensor<float> target, int step)
    {
        double size = MeanSquares.Size(target),
            loss = 0;
        int part = _batch / Memory.Step.Parts;
        for (int first = 0; first < _batch; first += part)
        {
            Tensor<float> y = _network.Forward(x.Rows(first, part)),
                gradient = new(y.Shape);
            loss += MeanSquares.Evaluate(y, target.Rows(first, part), size, gradient);
            if (!double.IsFinite(loss))
                throw Diverged(x, target, step, loss);
            _network.Backward(gradient, add: first > 0);
        }
    }

    private NumericalException Diverged(Tensor<float> x, Tensor<float> target, int step, double loss) =>
        new(
            !Divergence.IsFinite(target) ? $"The teacher's activations at '{_block.Output}' are not finite: no block can learn from them."
            : !Divergence.IsFinite(x) ? $"Block '{_block.Output}' reads activations '{_block.Input}' that are not finite."
            : $"Tuning block '{_block.Output}' diverged at step {step + 1}: the loss is {loss:G4}. A smaller learning rate may help."
        );

    /// <summary>
    /// ‖y - t‖² / ‖t‖² over all images, of the block as it will be evaluated: normalisations with their running statistics.
    /// </summary>
    private double Error(CancellationToken cancel)
    {
        using Inference block = new(_network.ToGraph(), _options.Threads);
        double distance = 0,
            size = 0;
        for (int first = 0; first < _count; first += _batch)
        {
            cancel.ThrowIfCancellationRequested();
            int[] rows = [.. Enumerable.Range(first, Math.Min(_batch, _count - first))];
            Tensor<float> target = _targets.Pick(rows);
            distance += MeanSquares.Distance(block.Run(_inputs.Pick(rows)), target);
            size += MeanSquares.Size(target);
        }
        return distance / size;
    }
}
