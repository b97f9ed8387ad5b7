using System.Collections.Immutable;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;
using Tensorial.Tests.Data;
using Tensorial.Training;
using Tensorial.Training.Distributed;
using Tensorial.Training.Losses;
using Tensorial.Training.Optimizers;

namespace Tensorial.Tests.Training.Distributed;

/// <summary>Ranks that share every batch come to what one process comes to on the whole batch.</summary>
public class DataParallelTests
{
    private static readonly TrainingOptions Usual = new()
    {
        Epochs = 2,
        Batch = 32,
        LearningRate = 0.05,
        Augmentation = new() { Padding = 1, Erasing = 0.2 },
        Threads = 1,
    };

    /// <summary>Of weights after two epochs, relative to the largest of each tensor: sums of float32 in another order.</summary>
    private const double Tolerance = 2e-4;

    [Theory, InlineData(2), InlineData(3), InlineData(5)]
    public void Without_batch_normalisation_ranks_learn_what_one_process_learns(int size) => AreAlike(size, Plain(), Usual);

    [Theory, InlineData(2), InlineData(3)]
    public void With_synchronised_batch_normalisation_too(int size) =>
        AreAlike(size, TinyTask.Network(), Usual with { SyncBatchNorm = true });

    /// <summary>A normalisation of vectors runs as its operation defines it, not on blocked maps.</summary>
    [Theory, InlineData(2), InlineData(3)]
    public void And_with_one_behind_a_dense_layer(int size)
    {
        NetworkBuilder net = new("dense", [1, 8, 8], seed: 0);
        Features x = net.Relu("relu1", net.Convolution("conv1", net.Input, 4, 3, padding: 1));
        x = net.Relu("relu2", net.BatchNormalization("bn", net.Dense("fc1", net.Flatten("flat", x), 12)));
        AreAlike(size, net.ToGraph(net.Dense("fc2", x, 4)), Usual with { SyncBatchNorm = true });
    }

    [Fact]
    public void Images_are_mixed_smoothed_clipped_and_averaged_alike() =>
        AreAlike(
            3,
            Plain(),
            Usual with
            {
                Augmentation = Usual.Augmentation with { Mixup = 0.3, Flips = true },
                Loss = new CrossEntropy(0.1),
                MaxGradientNorm = 0.5,
                EmaDecay = 0.9,
                Optimizer = static () => new Adam(decoupled: true) { Decay = new(1e-3) },
                LearningRate = 0.002,
            }
        );

    [Fact]
    public void The_same_values_are_dropped_however_a_batch_is_shared() => AreAlike(3, WithDropout(), Usual);

    [Fact]
    public void Losses_relative_to_the_whole_batch_are_relative_to_the_whole_batch()
    {
        ImageSet images = TinyTask.Images().WithoutLabels();
        Tensor<float> Teacher(Tensor<float> batch)
        {
            // Answers of very different size, so that the mean of parts' losses is another number.
            Tensor<float> answers = new([batch.Shape[0], 4]);
            int row = batch.Shape.ElementCount / batch.Shape[0];
            for (int i = 0; i < answers.Shape.ElementCount; i++)
                answers.Values[i] = MathF.Exp(3 * batch.Values[i / 4 * row + i % 4]);
            return answers;
        }

        AreAlike(
            3,
            Plain(),
            Usual with
            {
                Loss = new RelativeSquares(),
                Augmentation = Augmentation.None,
                LearningRate = 1,
            },
            images,
            Teacher
        );
    }

    [Fact]
    public void Parts_of_a_share_add_up_as_well()
    {
        Graph network = Plain();
        long whole;
        using (Trainer trainer = new(network, TinyTask.Images(), Usual))
            whole = trainer.Memory.WeightBytes + trainer.Memory.ActivationBytes / 7;
        AreAlike(2, network, Usual with { MemoryLimit = whole });
    }

    [Fact]
    public void With_statistics_of_their_own_ranks_stay_equal_to_each_other_and_learn()
    {
        TrainingResult[] results = Run(3, TinyTask.Network(), Usual with { Epochs = 8, Augmentation = Augmentation.None });
        foreach (TrainingResult other in results[1..])
            AssertSame(results[0].Network, other.Network);
        Assert.True(results[0].Epochs[^1].Loss < 0.4 * results[0].Epochs[0].Loss);
        Assert.True(Difference(TinyTask.Network(), results[0].Network, "bn1.running_mean") > 0.01);
    }

    [Fact]
    public void As_many_ranks_give_the_same_bits_at_every_run()
    {
        TrainingOptions options = Usual with { SyncBatchNorm = true };
        AssertSame(Run(3, TinyTask.Network(), options)[1].Network, Run(3, TinyTask.Network(), options)[2].Network);
    }

    [Theory, InlineData(2, 3), InlineData(2, 1), InlineData(1, 2)]
    public void Another_number_of_ranks_goes_on_where_some_stopped(int before, int after)
    {
        TrainingOptions options = Usual with { SyncBatchNorm = true, Epochs = 4, EmaDecay = 0.9 };
        TrainingResult whole = Run(1, TinyTask.Network(), options)[0];
        using TemporaryFolder folder = new();
        RunTwoEpochs(before, options, folder.Path);
        TrainingResult[] resumed = Run(after, TinyTask.Network(), options, folder: folder.Path);
        Assert.All(resumed, result => Assert.Equal(4, result.Epochs.Length));
        AssertAlike(whole, resumed[0]);
    }

    [Fact]
    public void Stopped_and_resumed_gives_the_same_bits_with_as_many_ranks()
    {
        TrainingOptions options = Usual with { Epochs = 4 };
        TrainingResult whole = Run(2, TinyTask.Network(), options)[0];
        using TemporaryFolder folder = new();
        RunTwoEpochs(2, options, folder.Path);
        AssertSame(whole.Network, Run(2, TinyTask.Network(), options, folder: folder.Path)[0].Network);
    }

    [Fact]
    public void A_rank_that_fails_ends_the_others()
    {
        ThreadRanks ranks = new(3);
        AggregateException error = Assert.Throws<AggregateException>(() =>
            ThreadRanks.Run(
                3,
                own =>
                {
                    using Trainer trainer = new(Plain(), TinyTask.Images(), Usual with { Communicator = own })
                    {
                        EpochDone = _ =>
                        {
                            if (own.Rank == 1)
                                throw new IOException("a disk");
                        },
                    };
                    return trainer.Run();
                },
                ranks
            )
        );
        Assert.Equal("a disk", error.InnerException!.Message);
        Assert.Equal(1, ranks.ExitCode);
    }

    [Fact]
    public void Divergence_is_found_by_all_ranks_at_the_same_step()
    {
        string[] messages = ThreadRanks.Run(
            2,
            own =>
            {
                using Trainer trainer = new(Plain(), TinyTask.Images(), Usual with { LearningRate = 1e5, Communicator = own });
                return Assert.Throws<NumericalException>(() => trainer.Run()).Message;
            }
        );
        Assert.Equal(messages[0][..messages[0].IndexOf(';')], messages[1][..messages[1].IndexOf(';')]);
    }

    [Fact]
    public void More_ranks_than_images_of_a_batch_are_refused() =>
        Assert.Contains(
            "A batch of 2 images is too small for 3 ranks",
            Assert.Throws<AggregateException>(() => Run(3, Plain(), Usual with { Batch = 2 })).InnerException!.Message
        );

    /// <summary>Whatever the buckets, and in whatever order a rank's gradients are complete.</summary>
    [Theory, InlineData(1), InlineData(1000), InlineData(1 << 20)]
    public void Gradients_add_up_in_buckets_of_any_size(int bytes)
    {
        using TrainedNetwork network = new(TinyTask.Network(), threads: 1);
        float[][][] sums = ThreadRanks.Run(
            3,
            own =>
            {
                ImmutableArray<TrainedWeight> weights =
                [
                    .. network.Weights.Select(weight =>
                    {
                        Tensor<float> gradient = new(weight.Gradient.Shape);
                        for (int i = 0; i < gradient.Shape.ElementCount; i++)
                            gradient.Values[i] = own.Rank + 10 * i;
                        return weight with { Gradient = gradient };
                    }),
                ];
                GradientExchange exchange = new(own, weights, bytes);
                for (int step = 0; step < 2; step++)
                {
                    TrainedWeight[] order = [.. weights];
                    new Random(own.Rank).Shuffle(order);
                    foreach (TrainedWeight weight in order)
                        exchange.Add(weight);
                    exchange.Finish(default);
                }
                return weights.Select(static weight => weight.Gradient.Values.ToArray()).ToArray();
            }
        );
        Assert.All(sums, rank => Assert.All(rank, static values => Assert.All(values.Select((value, i) => (value, i)), Holds)));

        // Twice: the sums of the first step are added up in the second.
        static void Holds((float Value, int Index) each) => Assert.Equal(3 * (3 + 30 * each.Index), each.Value);
    }

    /// <summary>Buckets fill while the backward pass goes on; only the last ones are begun at its end.</summary>
    [Fact]
    public void Gradients_are_on_their_way_before_the_backward_pass_ends()
    {
        using TrainedNetwork network = new(TinyTask.Network(), threads: 1);
        Tensor<float> output = network.Forward(TinyTask.Images().Batch(0, 8));
        List<string> done = [];
        int before = 0;
        network.GradientDone = weight =>
        {
            done.Add(weight.Name);
            if (weight.Name == "conv1.weight")
                before = done.Count;
        };
        network.Backward(output.Clone());
        Assert.Equal(network.Weights.Select(static w => w.Name).Order(), done.Order());
        Assert.StartsWith("fc.", done[0]);
        Assert.Equal(done.Count, before);
    }

    private static void AreAlike(
        int size,
        Graph network,
        TrainingOptions options,
        ImageSet? images = null,
        Func<Tensor<float>, Tensor<float>>? teacher = null
    )
    {
        using Trainer trainer = new(network, images ?? TinyTask.Images(), options) { Teacher = teacher };
        TrainingResult one = trainer.Run();
        TrainingResult[] several = Run(size, network, options, images, teacher);
        foreach (TrainingResult other in several[1..])
            AssertSame(several[0].Network, other.Network);
        AssertAlike(one, several[0]);
        // The training has done something that could have differed.
        Assert.True(Difference(network, one.Network, one.Network.Initializers.Keys.First(static n => n.EndsWith("conv1.weight"))) > 0.01);
    }

    private static TrainingResult[] Run(
        int size,
        Graph network,
        TrainingOptions options,
        ImageSet? images = null,
        Func<Tensor<float>, Tensor<float>>? teacher = null,
        string? folder = null,
        Action<EpochRecord>? done = null,
        CancellationToken cancel = default
    ) =>
        ThreadRanks.Run(
            size,
            own =>
            {
                using Trainer trainer = new(network, images ?? TinyTask.Images(), options with { Communicator = own })
                {
                    Teacher = teacher,
                    Checkpoints = folder is null ? null : new(folder),
                    EpochDone = done,
                };
                return trainer.Run(cancel: cancel);
            }
        );

    /// <summary>A training that is stopped behind its second epoch.</summary>
    private static void RunTwoEpochs(int size, TrainingOptions options, string folder)
    {
        using CancellationTokenSource stop = new();
        Assert.Throws<AggregateException>(() =>
            Run(size, TinyTask.Network(), options, folder: folder, done: StopBehindTwo, cancel: stop.Token)
        );

        void StopBehindTwo(EpochRecord record)
        {
            if (record.Epoch == 2)
                stop.Cancel();
        }
    }

    private static void AssertAlike(TrainingResult one, TrainingResult other)
    {
        foreach ((EpochRecord a, EpochRecord b) in one.Epochs.Zip(other.Epochs))
        {
            Assert.Equal(a.Loss, b.Loss, 1e-4 * a.Loss);
            Assert.Equal(a.TrainTop1 ?? 0, b.TrainTop1 ?? 0, 0.011);
        }
        foreach ((string name, Tensor value) in one.Network.Initializers)
            if (value is Tensor<float>)
                Assert.True(
                    Difference(one.Network, other.Network, name) <= Tolerance,
                    $"{name}: {Difference(one.Network, other.Network, name)}"
                );
    }

    private static void AssertSame(Graph one, Graph other)
    {
        foreach ((string name, Tensor value) in one.Initializers)
            if (value is Tensor<float> floats)
                Assert.Equal(floats.Values.ToArray(), other.Initializers[name].Of<float>().Values.ToArray());
    }

    /// <summary>The largest difference of a tensor's values, relative to its largest value; of one that only noise moves, to a hundredth.</summary>
    private static double Difference(Graph one, Graph other, string name)
    {
        float[] a = one.Initializers[name].Of<float>().Values.ToArray(),
            b = other.Initializers[name].Of<float>().Values.ToArray();
        return a.Zip(b, static (x, y) => Math.Abs((double)x - y)).Max() / Math.Max(1e-2, a.Max(Math.Abs));
    }

    private static Graph Plain()
    {
        NetworkBuilder net = new("plain", [1, 8, 8], seed: 0);
        Features x = net.Relu("relu1", net.Convolution("conv1", net.Input, 8, 3, padding: 1, bias: true));
        x = net.MaxPool("pool", net.Relu("relu2", net.Convolution("conv2", x, 8, 3, padding: 1, bias: true)), 2, 2);
        return net.ToGraph(net.Dense("fc", net.Flatten("flat", x), 4));
    }

    private static Graph WithDropout()
    {
        Graph plain = Plain();
        Node flat = plain.Nodes.First(static node => node.Operation is Flatten);
        return plain with
        {
            Nodes =
            [
                .. plain.Nodes.SelectMany(node =>
                    node == flat
                        ? (Node[])
                            [
                                new("drop", new Dropout { Ratio = 0.4f }, [node.Inputs[0]], ["dropped"]),
                                node with
                                {
                                    Inputs = ["dropped", .. node.Inputs.Skip(1)],
                                },
                            ]
                        : [node]
                ),
            ],
        };
    }
}
