using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Training.Distributed;
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
    private readonly ICommunicator? _ranks;
    private readonly Replica? _replica;
    private readonly BatchShare _share;
    private CancellationToken _cancel;

    /// <summary>Prepares a block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="graph">The network it is part of.</param>
    /// <param name="before">The network that makes its inputs.</param>
    /// <param name="dense">The network that makes its targets.</param>
    /// <param name="images">What it learns from.</param>
    /// <param name="options">How.</param>
    /// <param name="mostKept">Bytes of activations that may be kept where <paramref name="options"/> set no bound.</param>
    /// <param name="ranks">Ranks that share the batches of this block; null where there is one.</param>
    /// <param name="norms">The same ranks, for the statistics of batch normalisations; null where these are of one rank's images.</param>
    /// <exception cref="BadInputException">The block cannot be trained, or not within the memory that is allowed.</exception>
    public BlockLearning(
        TunedBlock block,
        Graph graph,
        Graph before,
        Graph dense,
        ImageSet images,
        SequentialOptions options,
        long mostKept,
        ICommunicator? ranks = null,
        ICommunicator? norms = null
    )
    {
        (_block, _options, _count, _batch) = (block, options, images.Count, Math.Min(options.Batch, images.Count));
        _inputs = new(before, block.Input, images, options.Threads);
        _targets = new(dense, block.Output, images, options.Threads);
        (_ranks, _share) = (ranks, BatchShare.Of(ranks, _batch));
        if (_batch < ranks?.Size)
            throw new BadInputException($"A batch of {_batch} images is too small for {ranks.Size} ranks.");
        _network = new(
            block.AsNetwork(graph, _inputs.Shape),
            block.Weights,
            0.9f,
            options.Threads,
            null,
            norms is null ? null : sums => norms.Sum(sums, _cancel)
        );
        _replica = ranks is null ? null : new(ranks, _network);
        Memory = Plan(mostKept);
    }

    public BlockMemory Memory { get; }

    /// <summary>Multiply-accumulates of a step.</summary>
    public long Macs => _network.Plans(_share.Count / Memory.Step.Parts).Sum(static plan => plan.Plan.Macs);

    /// <summary>Lets the block learn.</summary>
    /// <param name="epochDone">Told the epochs done, from 1; again from 1 where a block is tried anew.</param>
    /// <param name="cancel">Stops it.</param>
    /// <returns>Weights and running statistics, none where the block came no closer, and its errors.</returns>
    public (IReadOnlyDictionary<string, Tensor<float>> Weights, double Before, double After) Run(
        Action<int> epochDone,
        CancellationToken cancel
    )
    {
        _cancel = cancel;
        // Kept where all ranks have the memory.
        if (Sum(Memory.IsKept ? 0 : 1) == 0)
        {
            _inputs.Keep(_options.Batch, _ranks, cancel);
            _targets.Keep(_options.Batch, _ranks, cancel);
        }
        double before = Error(cancel);
        Dictionary<string, Tensor<float>> start = State();
        // Steps that are long for a block leave it further away than it was, where there are too few of them to come back.
        foreach (double part in (double[])[1, 0.1, 0.01])
        {
            Approach(part * _options.LearningRate, epochDone, cancel);
            _replica?.Align([], _share.Part, cancel);
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

    /// <summary>A number added up over the ranks.</summary>
    private double Sum(double value)
    {
        double[] sum = [value];
        _ranks?.Sum(sum, _cancel);
        return sum[0];
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
            return new(batch + (isKept ? kept : 0), isKept, TrainingMemory.Plan(_network, _share.Count, Copies, limit: null));
        }
        if (batch >= most)
            throw new BadInputException(
                $"Block '{_block.Output}' takes {TrainingMemory.Text(batch)} for the activations of {_batch} images alone; {TrainingMemory.Text(most)} are allowed."
            );
        TrainingMemory step = TrainingMemory.Plan(_network, _share.Count, Copies, most - batch);
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
            ReadOnlySpan<int> chosen = order.AsSpan(place * _batch + _share.First, _share.Count);
            Step(_inputs.Pick(chosen), _targets.Pick(chosen), step);
            optimizer.Step(_network.Weights, rate * schedule.Factor((double)step / steps));
            if (place == batches - 1)
                epochDone((step + 1) / batches);
        }
    }

    /// <summary>Gradients of a batch, in as many parts as memory asks for.</summary>
    private void Step(Tensor<float> x, Tensor<float> target, int step)
    {
        double size = Sum(MeanSquares.Size(target)),
            loss = 0;
        int part = _share.Count / Memory.Step.Parts;
        for (int first = 0; first < _share.Count; first += part)
        {
            _network.FirstImage = _share.First + first;
            Tensor<float> y = _network.Forward(x.Rows(first, part)),
                gradient = new(y.Shape);
            loss += MeanSquares.Evaluate(y, target.Rows(first, part), size, gradient);
            bool isExchanged = _replica is not null && first + part >= _share.Count;
            if (isExchanged)
            {
                _replica!.Backward(gradient, add: first > 0, _cancel);
                loss = Sum(loss);
            }
            // One of several ranks goes on to where all know.
            if (!double.IsFinite(loss) && (_replica is null || isExchanged))
                throw Diverged(x, target, step, loss);
            if (!isExchanged)
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
            BatchShare share = BatchShare.Of(_ranks, Math.Min(_batch, _count - first));
            if (share.Count == 0)
                continue;
            int[] rows = [.. Enumerable.Range(first + share.First, share.Count)];
            Tensor<float> target = _targets.Pick(rows);
            distance += MeanSquares.Distance(block.Run(_inputs.Pick(rows)), target);
            size += MeanSquares.Size(target);
        }
        return Sum(distance) / Sum(size);
    }
}
