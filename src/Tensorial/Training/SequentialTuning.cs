using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Training.Distributed;

namespace Tensorial.Training;

/// <summary>
/// Sequential tuning (Su et al. 2018): block by block, a compressed network learns to reproduce the activations that the dense one has at
/// the same place. Few images suffice, since every one of them shows a block thousands of examples.
/// </summary>
public sealed class SequentialTuning
{
    private readonly Graph _small,
        _dense,
        _stored;
    private readonly ImageSet _images;
    private readonly ImmutableArray<TunedBlock> _blocks;
    private readonly SequentialOptions _each;
    private readonly ICommunicator? _ranks,
        _shared,
        _norms;
    private readonly ImmutableArray<long> _macs;

    /// <summary>Prepares a tuning of all blocks that differ between two networks.</summary>
    /// <param name="small">The compressed network.</param>
    /// <param name="dense">The one it came from.</param>
    /// <param name="images">What blocks learn from; labels do not count.</param>
    /// <param name="options">How.</param>
    /// <exception cref="BadInputException">No block differs, the networks share no values between their layers, or a block cannot be
    /// trained in the memory that is allowed.</exception>
    public SequentialTuning(Graph small, Graph dense, ImageSet images, SequentialOptions options)
    {
        _stored = WeightsAsInitializers.ForTraining(small);
        (small, dense) = (Open(_stored), Open(WeightsAsInitializers.ForTraining(dense)));
        InputValidation.Check(small, images, withLabels: false);
        InputValidation.Check(dense, images, "teacher", withLabels: false);
        _blocks = TunedBlock.Of(small, dense, options.Size);
        if (_blocks.IsEmpty)
            throw new BadInputException(
                "No layer of the network differs from the teacher's while both make values of the same names: there is nothing to tune block by block. (Values whose first axis is not that of the images, such as time, divide no blocks.) All weights together are tuned end to end."
            );
        (_small, _dense, _images) = (small, dense, images.Take(Math.Min(options.Images, images.Count)));
        int threads = options.Threads > 0 ? options.Threads : Environment.ProcessorCount;
        _ranks = options.Communicator;
        // Blocks that follow from each other are tuned by all ranks together, the others by one each.
        _shared = options.Inputs == BlockInputs.Tuned ? _ranks : null;
        _norms = options.SyncBatchNorm ? _shared?.Duplicate() : null;
        int own = (_blocks.Length + (_ranks?.Size ?? 1) - 1) / (_ranks?.Size ?? 1);
        AtOnce = options.Inputs == BlockInputs.Dense ? Math.Min(threads, own) : 1;
        _each = options with { Threads = threads / AtOnce, MemoryLimit = options.MemoryLimit / AtOnce };
        (BlockMemory Memory, long Macs)[] each =
        [
            .. _blocks.Select(block =>
            {
                using BlockLearning learning = LearningOf(block, small);
                return (learning.Memory, learning.Macs);
            }),
        ];
        (Memory, _macs) = ([.. each.Select(static block => block.Memory)], [.. each.Select(static block => block.Macs)]);
    }

    /// <summary>In float32 and for any number of images, with weights of the same names.</summary>
    private static Graph Open(Graph stored) => OpenBatch.WherePossible(InFloat32.Apply(stored));

    /// <summary>What each block takes.</summary>
    internal ImmutableArray<BlockMemory> Memory { get; }

    /// <summary>What looks learnt in the blocks and is not tuned, with the reason.</summary>
    internal ImmutableArray<FixedConstant> Fixed
    {
        get
        {
            HashSet<string> nodes = [.. _blocks.SelectMany(static block => block.Nodes).Select(static node => node.Label)];
            return [.. TrainableConstants.FixedIn(_small).Where(constant => nodes.Contains(constant.Node))];
        }
    }

    /// <summary>Blocks that learn at the same time in this process.</summary>
    public int AtOnce { get; }

    /// <summary>Where finished blocks are kept, and found; of several ranks, by rank 0.</summary>
    public BlockFolder? Checkpoints { get; init; }

    /// <summary>Tunes all blocks. What a checkpoint has already is not done again.</summary>
    /// <returns>The network, and what each block came to, in the network's order.</returns>
    /// <exception cref="NumericalException">A block diverged; names it.</exception>
    public (Graph Network, ImmutableArray<BlockRecord> Blocks) Run(IProgress<Progress>? progress = null, CancellationToken cancel = default)
    {
        FinishedBlock?[] done = Resume(cancel);
        int[] epochs = [.. done.Select(block => block is null ? 0 : _each.Epochs)];
        Lock saving = new();
        int[] open = [.. Enumerable.Range(0, _blocks.Length).Where(index => done[index] is null)];
        BlockShare? handed = _ranks is null || _shared is not null ? null : new(_ranks, open, index => _macs[index], cancel);
        EachOf(
            handed?.Mine ?? open,
            (index, stop) =>
            {
                Stopwatch clock = Stopwatch.StartNew();
                using BlockLearning learning = LearningOf(
                    _blocks[index],
                    _each.Inputs == BlockInputs.Tuned ? With(_small, done.Take(index)) : _small
                );
                (IReadOnlyDictionary<string, Tensor<float>> weights, double before, double after) = learning.Run(
                    epoch => Report(index, epoch),
                    stop
                );
                FinishedBlock finished = new(new(_blocks[index].Output, before, after, clock.Elapsed.TotalSeconds), weights);
                if (handed is null)
                    Finish(index, finished);
                else
                    handed.Finish(index, finished);
            },
            handed is null ? null : stop => handed.Exchange(Finish, stop),
            cancel
        );
        return (With(_stored, done), [.. done.Select(static block => block!.Record)]);

        void Finish(int index, FinishedBlock finished)
        {
            lock (saving)
            {
                done[index] = finished;
                if (_ranks is null or { Rank: 0 })
                    Checkpoints?.Save(index, finished);
            }
            Report(index, _each.Epochs);
        }

        void Report(int index, int epoch)
        {
            // A block that is tried again begins anew; what is left does not grow for that.
            epochs[index] = Math.Max(epochs[index], epoch);
            progress?.Report(new("block by block", epochs.Sum(), (long)_blocks.Length * _each.Epochs, "epochs"));
        }

        static Graph With(Graph network, IEnumerable<FinishedBlock?> blocks) =>
            blocks
                .SelectMany(static block => block!.Weights)
                .Aggregate(network, static (graph, weight) => graph.WithValues(weight.Key, weight.Value));
    }

    /// <summary>Blocks that a checkpoint has; on all ranks those that rank 0 has found.</summary>
    private FinishedBlock?[] Resume(CancellationToken cancel)
    {
        var done = new FinishedBlock?[_blocks.Length];
        foreach ((int index, FinishedBlock kept) in Checkpoints is not null && _ranks is null or { Rank: 0 } ? Checkpoints!.Load() : [])
        {
            if (!IsOf(index, kept.Weights))
                throw new BadInputException($"What was kept of block {index + 1} is not of this network.");
            done[index] = kept;
        }
        if (_ranks is not null)
            for (int index = 0; index < done.Length; index++)
            {
                byte[] packed = _ranks.Broadcast(done[index] is { } kept ? BlockFolder.Pack(index, kept) : [], cancel: cancel);
                done[index] = packed.Length > 0 ? BlockFolder.Unpack(packed) : null;
            }
        return done;
    }

    /// <summary>Whether weights are those of a block: all of them, or none where it stayed as it was.</summary>
    private bool IsOf(int index, IReadOnlyDictionary<string, Tensor<float>> weights) =>
        index >= 0
        && index < _blocks.Length
        && (weights.Count == 0 || _blocks[index].Weights.All(weight => weights.ContainsKey(weight.Name)))
        && weights.All(weight => _small.ConstantOf(weight.Key)?.Shape == weight.Value.Shape);

    private BlockLearning LearningOf(TunedBlock block, Graph network) =>
        new(
            block,
            network,
            _each.Inputs == BlockInputs.Tuned ? network : _dense,
            _dense,
            _images,
            _each,
            mostKept: GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2 / AtOnce,
            _shared,
            _norms
        );

    /// <summary>
    /// Does something for each of some blocks, so many at once, and something else beside; the first failure stops the others and is thrown.
    /// </summary>
    private void EachOf(
        IEnumerable<int> blocks,
        Action<int, CancellationToken> act,
        Action<CancellationToken>? beside,
        CancellationToken cancel
    )
    {
        ConcurrentQueue<int> open = new(blocks);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        List<Action> works = [.. Enumerable.Repeat(Work, AtOnce)];
        if (beside is not null)
            works.Add(() => beside(stop.Token));
        Task.WhenAll(
                works.Select(work =>
                    Task.Factory.StartNew(() => Guarded(work), stop.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default)
                )
            )
            .GetAwaiter()
            .GetResult();

        void Work()
        {
            while (open.TryDequeue(out int index))
                act(index, stop.Token);
        }

        void Guarded(Action work)
        {
            try
            {
                work();
            }
            catch
            {
                stop.Cancel();
                throw;
            }
        }
    }
}
