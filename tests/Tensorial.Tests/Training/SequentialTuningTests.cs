using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Tests.Training.Distributed;
using Tensorial.Training;

namespace Tensorial.Tests.Training;

/// <summary>
/// Blocks learn what the dense network does at their place, to the same bits however the work is shared out, kept or interrupted.
/// </summary>
public sealed class SequentialTuningTests : IDisposable
{
    private static readonly SequentialOptions Usual = new()
    {
        Epochs = 6,
        LearningRate = 0.02,
        Threads = 2,
    };

    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"tensorial-blocks-{Guid.NewGuid():N}");

    /// <summary>A normalisation learns with a batch's statistics, and is judged with its running ones: that leaves some error.</summary>
    [Theory]
    [InlineData(BlockInputs.Tuned, BlockSize.Layer, "conv2"), InlineData(BlockInputs.Dense, BlockSize.Layer, "conv2")]
    [InlineData(BlockInputs.Tuned, BlockSize.Module, "add"), InlineData(BlockInputs.Dense, BlockSize.Module, "add")]
    public void Spoilt_layers_learn_what_the_dense_ones_did(BlockInputs inputs, BlockSize size, string second)
    {
        Graph dense = TinyTask.Network();
        (Graph tuned, var blocks) = Tuning(Usual with { Epochs = 30, Inputs = inputs, Size = size }).Run();
        Assert.Equal(["conv1", second], blocks.Select(static b => b.Name));
        Assert.All(
            blocks,
            static block =>
                Assert.True(
                    block.ErrorAfter < (block.Name == "add" ? 0.2 : 0.05) * block.ErrorBefore,
                    $"{block.Name}: {block.ErrorBefore} to {block.ErrorAfter}."
                )
        );
        Assert.Equal(Floats(dense, "fc.weight"), Floats(tuned, "fc.weight"));
    }

    [Fact]
    public void Blocks_that_do_not_depend_on_each_other_learn_at_once_to_the_same_bits()
    {
        SequentialTuning together = Tuning(Usual with { Inputs = BlockInputs.Dense }),
            alone = Tuning(Usual with { Inputs = BlockInputs.Dense, Threads = 1 });
        Assert.Equal((2, 1), (together.AtOnce, alone.AtOnce));
        AssertSame(alone.Run(), together.Run());
    }

    [Theory, InlineData(BlockInputs.Tuned), InlineData(BlockInputs.Dense)]
    public void Activations_computed_anew_teach_the_same_as_kept_ones(BlockInputs inputs)
    {
        SequentialTuning kept = Tuning(Usual with { Inputs = inputs });
        BlockMemory largest = kept.Memory.MaxBy(static block => block.Bytes)!;
        SequentialTuning anew = Tuning(Usual with { Inputs = inputs, MemoryLimit = (largest.Bytes - 1) * kept.AtOnce });
        Assert.All(kept.Memory, static block => Assert.True(block.IsKept));
        Assert.Contains(anew.Memory, static block => !block.IsKept);
        Assert.All(anew.Memory, block => Assert.True(block.Bytes < largest.Bytes));
        AssertSame(kept.Run(), anew.Run());
    }

    [Fact]
    public void Steps_that_do_not_fit_run_in_parts_and_what_nothing_fits_in_is_refused()
    {
        // Single layers have no normalisation, which would need its batch whole.
        SequentialOptions layers = Usual with
        {
            Size = BlockSize.Layer,
        };
        SequentialTuning free = Tuning(layers);
        long most = free.Memory.Max(static block => block.Bytes);
        SequentialTuning bounded = Enumerable
            .Range(1, 100)
            .Select(part => most - (most * part / 100))
            .Select(bytes => TryTuning(layers with { MemoryLimit = bytes }))
            .TakeWhile(static tuning => tuning is not null)
            .Last()!;
        Assert.Contains(bounded.Memory, static block => block.Step.Parts > 1);
        foreach ((BlockRecord whole, BlockRecord parts) in free.Run().Blocks.Zip(bounded.Run().Blocks))
            Assert.Equal(whole.ErrorAfter, parts.ErrorAfter, 1e-4 * whole.ErrorBefore);
        Assert.Contains("are allowed", Assert.Throws<BadInputException>(() => Tuning(Usual with { MemoryLimit = 1000 })).Message);
    }

    [Theory, InlineData(BlockInputs.Tuned), InlineData(BlockInputs.Dense)]
    public void Interrupted_and_resumed_it_comes_to_the_same(BlockInputs inputs)
    {
        SequentialOptions options = Usual with { Inputs = inputs, Threads = 1 };
        (Graph Network, ImmutableArray<BlockRecord> Blocks) whole = Tuning(options).Run();
        using CancellationTokenSource kill = new();
        SequentialTuning first = Tuning(options, "this");
        Assert.ThrowsAny<OperationCanceledException>(() => first.Run(new Stopping(kill, after: options.Epochs + 1), kill.Token));
        Assert.Single(Directory.GetFiles(_folder, "block-*.safetensors"));

        (Graph Network, ImmutableArray<BlockRecord> Blocks) resumed = Tuning(options, "this").Run();
        AssertSame(whole, resumed);
        AssertSame(resumed, Tuning(options, "this").Run());
        Assert.Contains("another tuning (this)", Assert.Throws<BadInputException>(() => Tuning(options, "that").Run()).Message);
    }

    /// <summary>A block ends where everything after it reads one value: behind a residual addition, not on one of its paths.</summary>
    [Fact]
    public void Modules_end_where_the_network_is_one_value_wide()
    {
        NetworkBuilder net = new("paths", [1, 8, 8], seed: 0);
        Features x = net.Relu("relu0", net.Convolution("conv0", net.Input, 8, 3, padding: 1));
        Features one = net.Convolution("conv2", net.Relu("relu1", net.Convolution("conv1", x, 8, 3, padding: 1)), 8, 3, padding: 1);
        Features y = net.Add("join", one, net.Convolution("aside", x, 8, 1));
        Graph dense = net.ToGraph(net.Dense("fc", net.Flatten("flat", net.Relu("relu2", y)), 4)),
            small = dense;
        foreach (string name in (string[])["conv0.weight", "conv2.weight", "fc.weight"])
            small = small.With(name, Spoilt(dense, name));
        ImmutableArray<TunedBlock> blocks = TunedBlock.Of(small, dense, BlockSize.Module);
        Assert.Equal(
            [("input", "conv0"), ("relu0", "join"), ("flat", "output")],
            blocks.Select(static block => (block.Input, block.Output))
        );
        Assert.Equal(["aside.weight", "conv1.weight", "conv2.weight"], blocks[1].Weights.Select(static weight => weight.Name).Order());
        Assert.Equal(
            [("input", "conv0"), ("relu1", "conv2"), ("flat", "output")],
            TunedBlock.Of(small, dense, BlockSize.Layer).Select(static block => (block.Input, block.Output))
        );
    }

    /// <summary>Blocks that do not depend on each other are handed out, to the bits of one process.</summary>
    [Theory, InlineData(2), InlineData(3)]
    public void Ranks_are_handed_blocks_that_do_not_depend_on_each_other(int size)
    {
        SequentialOptions options = Usual with { Inputs = BlockInputs.Dense, Size = BlockSize.Layer };
        var alone = Tuning(options).Run();
        var each = ThreadRanks.Run(size, ranks => Tuning(options with { Communicator = ranks }, ranks.Rank == 0 ? "handed" : null).Run());
        foreach (var other in each)
            AssertSame(alone, other);
        Assert.Equal(2, Directory.GetFiles(_folder, "block-*").Length);
        // What rank 0 kept is taken up by one process.
        AssertSame(alone, Tuning(options, "handed").Run());
    }

    /// <summary>Blocks that follow from each other are tuned by all ranks, who share the batches.</summary>
    [Theory, InlineData(2, BlockSize.Layer), InlineData(3, BlockSize.Layer), InlineData(3, BlockSize.Module)]
    public void Ranks_share_the_batches_of_blocks_that_follow_from_each_other(int size, BlockSize block)
    {
        SequentialOptions options = Usual with { Inputs = BlockInputs.Tuned, Size = block, SyncBatchNorm = true, Batch = 32 };
        var alone = Tuning(options).Run();
        var each = ThreadRanks.Run(size, ranks => Tuning(options with { Communicator = ranks, Threads = 1 }).Run());
        foreach (var other in each[1..])
            AssertSame(each[0], other);
        foreach ((BlockRecord one, BlockRecord several) in alone.Blocks.Zip(each[0].Blocks))
        {
            Assert.Equal(one.ErrorBefore, several.ErrorBefore, 1e-5 * one.ErrorBefore);
            Assert.Equal(one.ErrorAfter, several.ErrorAfter, 1e-3 * one.ErrorBefore);
        }
        foreach (string name in (string[])["conv1.weight", "conv2.weight"])
            Assert.All(
                Floats(alone.Network, name).Zip(Floats(each[0].Network, name)),
                static pair => Assert.Equal(pair.First, pair.Second, 1e-3f)
            );
    }

    [Fact]
    public void A_network_without_changes_has_nothing_to_tune() =>
        Assert.Throws<BadInputException>(() => new SequentialTuning(TinyTask.Network(), TinyTask.Network(), TinyTask.Images(), new()));

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    private SequentialTuning Tuning(SequentialOptions options, string? signature = null)
    {
        Graph dense = TinyTask.Network();
        Graph spoilt = dense.With("conv1.weight", Spoilt(dense, "conv1.weight")).With("conv2.weight", Spoilt(dense, "conv2.weight"));
        return new(spoilt, dense, TinyTask.Images(), options) { Checkpoints = signature is null ? null : new(_folder, signature) };
    }

    private SequentialTuning? TryTuning(SequentialOptions options)
    {
        try
        {
            return Tuning(options);
        }
        catch (BadInputException)
        {
            return null;
        }
    }

    private static void AssertSame(
        (Graph Network, ImmutableArray<BlockRecord> Blocks) one,
        (Graph Network, ImmutableArray<BlockRecord> Blocks) other
    )
    {
        Assert.Equal(one.Blocks.Select(static b => b with { Seconds = 0 }), other.Blocks.Select(static b => b with { Seconds = 0 }));
        foreach (string name in (string[])["conv1.weight", "conv2.weight"])
            Assert.Equal(Floats(one.Network, name), Floats(other.Network, name));
    }

    private static float[] Floats(Graph graph, string name) => graph.Initializers[name].Of<float>().Values.ToArray();

    private static Tensor<float> Spoilt(Graph graph, string name)
    {
        Tensor<float> weights = graph.Initializers[name].Of<float>().Clone();
        Random random = new(3);
        foreach (ref float weight in weights.Values)
            weight *= 0.5f + random.NextSingle();
        return weights;
    }

    private sealed class Stopping(CancellationTokenSource kill, int after) : IProgress<Progress>
    {
        public void Report(Progress value)
        {
            if (value.Done >= after)
                kill.Cancel();
        }
    }
}
