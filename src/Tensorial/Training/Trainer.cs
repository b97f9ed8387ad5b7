using System.Collections.Immutable;
using System.Diagnostics;
using System.Numerics.Tensors;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Training.Distributed;
using Tensorial.Training.Losses;
using Tensorial.Training.Optimizers;

namespace Tensorial.Training;

/// <summary>Trains a network on labelled images, or on another network's answers to images.</summary>
public sealed class Trainer : IDisposable
{
    private readonly Graph _graph;
    private readonly TrainingOptions _options;
    private readonly ImageSet _images;
    private readonly TrainedNetwork _network;
    private readonly Optimizer _optimizer;
    private readonly ImmutableArray<Tensor<float>> _averages;
    private readonly List<EpochRecord> _epochs = [];
    private readonly ICommunicator? _ranks;
    private readonly Replica? _replica;
    private readonly BatchShare _share;
    private CancellationToken _cancel;
    private (int Epoch, double Score, Graph? Network) _best;

    /// <summary>Prepares a training.</summary>
    /// <exception cref="BadInputException">Network, images and options do not fit, or an operation has no gradient; nothing has been
    /// computed yet.</exception>
    public Trainer(Graph graph, ImageSet images, TrainingOptions options)
    {
        options.Check();
        graph = WeightsAsInitializers.ForTraining(graph);
        InputValidation.Check(graph, images, withLabels: options.Loss.NeedsLabels);
        Graph trained = Logits.Of(InFloat32.Apply(graph)).WithImageShape(images.ImageShape);
        _ranks = options.Communicator;
        _network = new(
            trained,
            null,
            (float)options.NormMomentum,
            options.Threads,
            null,
            Replica.NormSum(_ranks, options.SyncBatchNorm, () => _cancel)
        );
        _replica = _ranks is null ? null : new(_ranks, _network);
        (_graph, _images, _options) = (graph, images.OfClasses(_network.OutputShape.ElementCount), options);
        Fixed = FixedConstants(graph, trained);
        _optimizer = options.Optimizer();
        if (images.Count < 2)
            throw new BadInputException($"{images.Name} has too few images to train on.");
        _share = BatchShare.Of(_ranks, Math.Min(options.Batch, images.Count));
        if (_share.Whole < _ranks?.Size)
            throw new BadInputException($"A batch of {_share.Whole} images is too small for {_ranks.Size} ranks.");
        Memory = TrainingMemory.Plan(
            _network,
            _share.Count,
            2 + _optimizer.StateTensors + (options.EmaDecay > 0 ? 1 : 0),
            options.MemoryLimit
        );
        _averages = options.EmaDecay > 0 ? [.. _network.Weights.Select(static w => w.Value.Clone())] : [];
    }

    /// <summary>
    /// Evaluates a network after each epoch: its top-1 accuracy on test images. Called on all ranks, where several train together; rank 0's
    /// answer counts.
    /// </summary>
    public Func<Graph, double>? Evaluate { get; init; }

    /// <summary>Evaluates a network after each epoch where there are no test labels: how far its outputs are from the teacher's.</summary>
    public Func<Graph, double>? EvaluateError { get; init; }

    /// <summary>Another network's logits for images, for <see cref="Distillation"/> and <see cref="RelativeSquares"/>.</summary>
    public Func<Tensor<float>, Tensor<float>>? Teacher { get; init; }

    /// <summary>Where checkpoints are kept, and found; of several ranks, by rank 0.</summary>
    public CheckpointFolder? Checkpoints { get; init; }

    /// <summary>What a checkpoint must have been made for to be continued with.</summary>
    public string Signature { get; init; } = "";

    /// <summary>Called after every epoch.</summary>
    public Action<EpochRecord>? EpochDone { get; init; }

    /// <summary>What a step takes.</summary>
    public TrainingMemory Memory { get; }

    /// <summary>What looks learnt and will not be trained, with the reason.</summary>
    public ImmutableArray<FixedConstant> Fixed { get; }

    /// <summary>Trains until the last epoch, or until there is no progress. What a checkpoint has already is not done again.</summary>
    /// <exception cref="NumericalException">The training diverged; names epoch, step and layer. The checkpoint of the last good epoch
    /// stays.</exception>
    public TrainingResult Run(IProgress<Progress>? progress = null, CancellationToken cancel = default)
    {
        _cancel = cancel;
        int first = Resume() + 1;
        for (int epoch = first; epoch <= _options.Epochs && !IsStuck; epoch++)
        {
            Stopwatch clock = Stopwatch.StartNew();
            (double loss, double? top1, double rate) = Epoch(epoch, progress, cancel);
            double speed = (double)BatchStream.Count(_images, _options.Batch) * _share.Whole / clock.Elapsed.TotalSeconds;
            _replica?.Align(_averages, _share.Part, cancel);
            Graph network = Current();
            double? test = Agreed(Evaluate?.Invoke(network)),
                error = Agreed(EvaluateError?.Invoke(network));
            _epochs.Add(new(epoch, loss, top1, test, clock.Elapsed.TotalSeconds, rate, speed, error));
            if (ScoreOf(_epochs[^1]) is { } reached && reached > _best.Score + 1e-12 | _best.Epoch == 0)
                _best = (epoch, reached, _options.Patience is null ? null : network);
            Save(epoch);
            EpochDone?.Invoke(_epochs[^1]);
        }
        return new(
            IsStuck && _best.Network is { } best ? best : Current(),
            [.. _epochs],
            IsStuck ? StopReason.NoProgress : StopReason.Finished
        );
    }

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();

    private bool IsStuck => _options.Patience is { } patience && _best.Epoch > 0 && _epochs.Count - _best.Epoch >= patience;

    /// <summary>What the best epoch has most of; null where nothing was tested.</summary>
    private static double? ScoreOf(EpochRecord epoch) => epoch.TestTop1 ?? -epoch.TestError;

    /// <summary>Rank 0's number.</summary>
    private double? Agreed(double? own) => own is { } value && _ranks is not null ? _ranks.Broadcast(value, cancel: _cancel) : own;

    private (double Loss, double? Top1, double LearningRate) Epoch(int epoch, IProgress<Progress>? progress, CancellationToken cancel)
    {
        int batches = BatchStream.Count(_images, _options.Batch),
            seen = 0,
            right = 0;
        double total = 0,
            rate = 0;
        foreach (TrainingBatch batch in BatchStream.Epoch(_images, _share, _options.Augmentation, _options.Seed, epoch, cancel))
        {
            cancel.ThrowIfCancellationRequested();
            rate =
                _options.LearningRate
                * _options.Schedule.Factor(((epoch - 1) * (double)batches + batch.Index) / ((double)_options.Epochs * batches));
            (double loss, int told) = Step(batch, epoch, rate);
            (total, right, seen) = (total + loss, right + told, seen + _share.Whole);
            progress?.Report(
                new($"epoch {epoch} of {_options.Epochs}", seen, (long)batches * _share.Whole, "images")
                {
                    Part = (epoch - 1 + ((batch.Index + 1) / (double)batches)) / _options.Epochs,
                }
            );
        }
        return (total / batches, _images.HasLabels ? (double)right / seen : null, rate);
    }

    private (double Loss, int Right) Step(TrainingBatch batch, int epoch, double rate)
    {
        Tensor<float>? teacher = Teacher?.Invoke(batch.Images);
        int count = _share.Count,
            size = count / Memory.Parts,
            right = 0;
        double loss = 0,
            whole = WeightOfBatch(new(batch.Targets, teacher));
        for (int first = 0; first < count; first += size)
        {
            bool isExchanged = _replica is not null && first + size >= count;
            _network.FirstImage = _share.First + first;
            Tensor<float> logits = _network.Forward(
                batch.Images.Rows(first, size),
                BatchStream.RandomOf(_options.Seed, epoch, ~batch.Index - 1)
            );
            logits = logits.As([size, logits.Shape.ElementCount / size]);
            Tensor<float> gradient = new(logits.Shape);
            Targets targets = new(batch.Targets?.Rows(first, size), teacher?.Rows(first, size));
            // The mean over the batch is the weighted mean of the parts' means.
            double part = (_options.Loss.PartWeight(targets) ?? size) / whole;
            loss += part * _options.Loss.Evaluate(logits, targets, gradient);
            if (batch.Targets is not null)
                right += Right(logits, batch.Labels.AsSpan(first, size));
            if (part != 1)
                TensorPrimitives.Multiply(gradient.Values, (float)part, gradient.Values);
            if (isExchanged)
                (loss, right) = BackwardWithOthers(gradient, first > 0, loss, right);
            // One of several ranks goes on to where all know.
            if (!(loss <= _options.MaxLoss) && (_replica is null || isExchanged))
                throw Diverged(batch, epoch, loss, teacher);
            if (!isExchanged)
                _network.Backward(gradient, add: first > 0);
        }
        double length = Math.Sqrt(_network.Weights.Sum(static w => SquareSum.Of(w.Gradient.Values)));
        if (!double.IsFinite(length))
            throw Diverged(batch, epoch, loss, teacher);
        if (_options.MaxGradientNorm is { } most && length > most)
            foreach (TrainedWeight weight in _network.Weights)
                TensorPrimitives.Multiply(weight.Gradient.Values, (float)(most / length), weight.Gradient.Values);
        _optimizer.Step(_network.Weights, rate);
        Average();
        return (loss, right);
    }

    /// <summary>What the batch, of all ranks, counts for.</summary>
    private double WeightOfBatch(Targets targets)
    {
        if (_options.Loss.PartWeight(targets) is not { } own)
            return _share.Whole;
        double[] sum = [own];
        _ranks?.Sum(sum, _cancel);
        return sum[0];
    }

    /// <summary>The last backward pass of a step, after which gradients, loss and right answers are those of all ranks.</summary>
    private (double Loss, int Right) BackwardWithOthers(Tensor<float> gradient, bool add, double loss, int right)
    {
        double[] told = [loss, right];
        ICollective sum = _ranks!.BeginSum(told);
        _replica!.Backward(gradient, add, _cancel);
        sum.Wait(_cancel);
        return (told[0], (int)told[1]);
    }

    /// <summary>Running means of the weights; young ones keep less, so that the first weights do not linger.</summary>
    private void Average()
    {
        float kept = (float)Math.Min(_options.EmaDecay, (1.0 + _optimizer.Steps) / (10.0 + _optimizer.Steps));
        for (int i = 0; i < _averages.Length; i++)
            TensorPrimitives.Lerp(_network.Weights[i].Value.Values, _averages[i].Values, kept, _averages[i].Values);
    }

    private NumericalException Diverged(TrainingBatch batch, int epoch, double loss, Tensor<float>? teacher)
    {
        string place =
            teacher is not null && !Divergence.IsFinite(teacher)
                ? "the teacher's answers are not finite"
                : Divergence.PlaceIn(
                    _network,
                    TrainingForm.From(_network.ToGraph()).Graph.WithImageShape(_images.ImageShape),
                    batch.Images
                );
        string kept = Checkpoints is null || _epochs.Count == 0 ? "" : $" The checkpoint of epoch {_epochs[^1].Epoch} is kept.";
        return new(
            $"Training diverged in epoch {epoch} at step {_optimizer.Steps + 1}: the loss is {loss:G4}; {place}. A smaller learning rate, a warm-up or clipped gradients may help.{kept}"
        );
    }

    private static int Right(Tensor<float> logits, ReadOnlySpan<int> labels)
    {
        int right = 0,
            classes = logits.Shape[1];
        for (int row = 0; row < labels.Length; row++)
            if (TensorPrimitives.IndexOfMax<float>(logits.Values.Slice(row * classes, classes)) == labels[row])
                right++;
        return right;
    }

    /// <summary>Beside what is no weight, the weights that only other outputs depend on.</summary>
    private static ImmutableArray<FixedConstant> FixedConstants(Graph whole, Graph trained)
    {
        HashSet<string> learnt = [.. TrainableConstants.Of(trained).Select(static constant => constant.Name)];
        ILookup<string, Node> readers = whole
            .Nodes.SelectMany(static node => node.Inputs.Select(name => (name, node)))
            .ToLookup(static read => read.name, static read => read.node);
        return
        [
            .. TrainableConstants.FixedIn(whole).Where(constant => !learnt.Contains(constant.Name)),
            .. TrainableConstants
                .Of(whole)
                .Where(constant => !learnt.Contains(constant.Name))
                .Select(constant => new FixedConstant(
                    constant.Name,
                    whole.ConstantOf(constant.Name)!.Shape.ElementCount,
                    readers[constant.Name].First().Label,
                    $"the loss is of '{whole.Outputs[0].Name}', which does not depend on it"
                )),
        ];
    }

    /// <summary>The whole network with the weights, or their averages, as they are now.</summary>
    private Graph Current()
    {
        Graph graph = _graph;
        for (int i = 0; i < _network.Weights.Length; i++)
            graph = graph.WithValues(_network.Weights[i].Name, (_averages.IsEmpty ? _network.Weights[i].Value : _averages[i]).Clone());
        foreach ((string name, Tensor<float> value) in _network.Statistics)
            graph = graph.WithValues(name, value.Clone());
        return graph;
    }

    private void Save(int epoch)
    {
        if (_ranks is null or { Rank: 0 })
            Checkpoints?.Save(StateAt(epoch));
    }

    private TrainingCheckpoint StateAt(int epoch)
    {
        Dictionary<string, Tensor<float>> tensors = _optimizer.Save().ToDictionary();
        for (int i = 0; i < _network.Weights.Length; i++)
        {
            tensors[$"weight/{_network.Weights[i].Name}"] = _network.Weights[i].Value;
            if (!_averages.IsEmpty)
                tensors[$"average/{_network.Weights[i].Name}"] = _averages[i];
        }
        foreach ((string name, Tensor<float> value) in _network.Statistics)
            tensors[$"statistic/{name}"] = value;
        if (_best.Network is { } best)
            foreach (string name in _network.Weights.Select(static w => w.Name).Concat(_network.Statistics.Keys))
                tensors[$"best/{name}"] = best.ConstantOf(name)!.To(ElementType.Float32).Of<float>();
        return new(Signature, epoch, _optimizer.Steps, _best.Epoch, [.. _epochs], tensors);
    }

    /// <summary>Takes up a checkpoint and returns the epochs it has done.</summary>
    private int Resume()
    {
        bool isReader = _ranks is null or { Rank: 0 };
        TrainingCheckpoint? checkpoint = isReader ? Checkpoints?.Load(Signature) : null;
        if (_replica is not null)
            checkpoint = _replica.Share(isReader ? checkpoint ?? StateAt(0) : null, _cancel);
        if (checkpoint is null)
            return 0;
        for (int i = 0; i < _network.Weights.Length; i++)
        {
            Restore("weight", _network.Weights[i].Name, _network.Weights[i].Value);
            if (!_averages.IsEmpty)
                Restore("average", _network.Weights[i].Name, _averages[i]);
        }
        foreach ((string name, Tensor<float> value) in _network.Statistics)
            Restore("statistic", name, value);
        if (checkpoint.Steps > 0)
            _optimizer.Restore(checkpoint.Steps, _network.Weights, checkpoint.Tensors);
        _epochs.AddRange(checkpoint.Epochs);
        if (checkpoint.BestEpoch > 0)
        {
            Graph? best = _options.Patience is null ? null : _graph;
            foreach ((string key, Tensor<float> value) in checkpoint.Tensors)
                if (key.StartsWith("best/", StringComparison.Ordinal))
                    best = best?.WithValues(key["best/".Length..], value);
            _best = (checkpoint.BestEpoch, ScoreOf(checkpoint.Epochs[checkpoint.BestEpoch - 1]) ?? 0, best);
        }
        return checkpoint.Epoch;

        void Restore(string kind, string name, Tensor<float> into)
        {
            if (!checkpoint.Tensors.TryGetValue($"{kind}/{name}", out Tensor<float>? saved) || saved.Shape != into.Shape)
                throw new BadInputException($"The checkpoint does not have the {kind} '{name}' of shape {into.Shape}.");
            saved.Values.CopyTo(into.Values);
        }
    }
}
