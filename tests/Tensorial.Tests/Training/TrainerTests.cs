using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Tests.Data;
using Tensorial.Training;
using Tensorial.Training.Losses;
using Tensorial.Training.Optimizers;

namespace Tensorial.Tests.Training;

public class TrainerTests
{
    private static readonly TrainingOptions Usual = new()
    {
        Epochs = 4,
        Batch = 32,
        LearningRate = 0.05,
        Augmentation = new()
        {
            Padding = 1,
            Mixup = 0.1,
            Erasing = 0.1,
        },
        EmaDecay = 0.9,
        Threads = 2,
    };

    [Fact]
    public void A_small_network_learns_a_simple_task()
    {
        using Trainer trainer = new(
            TinyTask.Network(),
            TinyTask.Images(),
            Usual with
            {
                Epochs = 8,
                Augmentation = Augmentation.None,
                EmaDecay = 0,
            }
        )
        {
            Evaluate = Top1,
        };
        TrainingResult result = trainer.Run();
        Assert.Equal(8, result.Epochs.Length);
        Assert.True(
            result.Epochs[^1].Loss < 0.3 * result.Epochs[0].Loss,
            $"The loss went from {result.Epochs[0].Loss} to {result.Epochs[^1].Loss}."
        );
        Assert.InRange(result.Epochs[^1].TestTop1!.Value, 0.95, 1);
        // What is written is what was measured.
        Graph read = OnnxFile.Read(OnnxFile.ToBytes(result.Network), "trained");
        Assert.Equal(result.Epochs[^1].TestTop1, Top1(read));
    }

    [Theory, InlineData("sgd"), InlineData("adamw")]
    public void Stopped_and_resumed_gives_the_same_bits_as_never_stopped(string optimizer)
    {
        TrainingOptions options = Usual with
        {
            Optimizer = () => optimizer == "sgd" ? new Sgd { Decay = new(1e-3) } : new Adam(decoupled: true) { Decay = new(1e-3) },
        };
        TrainingResult whole = Run(options, null, epochs: 4);
        using TemporaryFolder folder = new();
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() =>
            Run(
                options,
                folder.Path,
                4,
                record =>
                {
                    if (record.Epoch == 2)
                        stop.Cancel();
                },
                stop.Token
            )
        );
        TrainingResult resumed = Run(options, folder.Path, epochs: 4);
        Assert.Equal(
            whole.Epochs.Select(static e => (e.Loss, e.TrainTop1, e.TestTop1)),
            resumed.Epochs.Select(static e => (e.Loss, e.TrainTop1, e.TestTop1))
        );
        foreach ((string name, Tensor value) in whole.Network.Initializers)
            Assert.Equal(value.Of<float>().Values.ToArray(), resumed.Network.Initializers[name].Of<float>().Values.ToArray());
    }

    [Fact]
    public void A_checkpoint_of_another_training_is_refused()
    {
        using TemporaryFolder folder = new();
        Run(Usual, folder.Path, epochs: 1);
        using Trainer other = new(TinyTask.Network(), TinyTask.Images(), Usual) { Checkpoints = new(folder.Path), Signature = "another" };
        Assert.Contains("another", Assert.Throws<BadInputException>(() => other.Run()).Message);
    }

    [Fact]
    public void Divergence_is_named_and_the_last_good_checkpoint_stays()
    {
        using TemporaryFolder folder = new();
        Run(Usual, folder.Path, epochs: 1, signature: "s");
        using Trainer trainer = new(TinyTask.Network(), TinyTask.Images(), Usual with { LearningRate = 1e6, Epochs = 4 })
        {
            Checkpoints = new(folder.Path),
            Signature = "s",
        };
        NumericalException error = Assert.Throws<NumericalException>(() => trainer.Run());
        Assert.Matches("epoch 2 at step [0-9]+: the loss is .*'(conv|fc|bn)", error.Message);
        Assert.EndsWith("The checkpoint of epoch 1 is kept.", error.Message);
        using Trainer again = new(TinyTask.Network(), TinyTask.Images(), Usual) { Checkpoints = new(folder.Path), Signature = "s" };
        Assert.Equal(4, again.Run().Epochs.Length);
    }

    [Fact]
    public void Weights_that_are_no_numbers_are_refused_and_bounds_that_are_infinite_are_not()
    {
        Graph network = TinyTask.Network();
        Tensor<float> broken = network.Initializers["conv2.weight"].Of<float>().Clone();
        broken.Values[3] = float.NaN;
        string message = Assert
            .Throws<BadInputException>(() => new Trainer(network.With("conv2.weight", broken), TinyTask.Images(), Usual))
            .Message;
        Assert.Contains("'conv2.weight' of the network holds values that are no finite numbers (1 NaN, 0 infinite)", message);
        Tensor<float> bound = new([]);
        bound.Values[0] = float.PositiveInfinity;
        new Trainer(network.With("bound", bound), TinyTask.Images(), Usual).Dispose();
    }

    [Fact]
    public void A_teacher_without_answers_is_named()
    {
        using Trainer trainer = new(TinyTask.Network(), TinyTask.Images(), Usual with { Loss = new Distillation() })
        {
            Teacher = static images =>
            {
                Tensor<float> answers = new([images.Shape[0], 4]);
                answers.Values.Fill(float.NaN);
                return answers;
            },
        };
        Assert.Contains("the teacher's answers are not finite", Assert.Throws<NumericalException>(() => trainer.Run()).Message);
    }

    [Fact]
    public void Training_stops_without_progress_and_gives_the_best_network()
    {
        List<Graph> seen = [];
        double[] script = [0.3, 0.6, 0.5, 0.4, 0.9];
        using Trainer trainer = new(TinyTask.Network(), TinyTask.Images(), Usual with { Epochs = 5, Patience = 2 })
        {
            Evaluate = graph =>
            {
                seen.Add(graph);
                return script[seen.Count - 1];
            },
        };
        TrainingResult result = trainer.Run();
        Assert.Equal(StopReason.NoProgress, result.Stopped);
        Assert.Equal(4, result.Epochs.Length);
        Assert.Same(seen[1], result.Network);
    }

    /// <summary>The best epoch is the second; the run is stopped after the third and ends with the fourth.</summary>
    [Fact]
    public void The_best_network_outlives_a_stop_wherever_its_weights_are_held()
    {
        Graph graph = TinyTask.Network();
        Node held = new("held", new Tensorial.Operations.Constant(graph.Initializers["conv1.weight"]), [], ["conv1.weight"]);
        graph = graph with { Nodes = graph.Nodes.Insert(0, held), Initializers = graph.Initializers.Remove("conv1.weight") };
        using TemporaryFolder folder = new();
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() =>
            Run(
                folder.Path,
                record =>
                {
                    if (record.Epoch == 3)
                        stop.Cancel();
                }
            )
        );
        TrainingResult whole = Run(null),
            resumed = Run(folder.Path);
        Assert.Equal((StopReason.NoProgress, 4), (resumed.Stopped, resumed.Epochs.Length));
        Assert.Equal(Weights(whole), Weights(resumed));

        TrainingResult Run(string? path, Action<EpochRecord>? done = null)
        {
            double[] script = [0.3, 0.9, 0.5, 0.4, 0.8];
            int epoch = path is not null && done is null ? 3 : 0;
            using Trainer trainer = new(graph, TinyTask.Images(), Usual with { Epochs = 5, Patience = 2 })
            {
                Evaluate = _ => script[epoch++],
                Checkpoints = path is null ? null : new(path),
                EpochDone = done,
            };
            return trainer.Run(cancel: stop.IsCancellationRequested ? default : stop.Token);
        }

        static float[] Weights(TrainingResult result) => result.Network.ConstantOf("conv1.weight")!.Of<float>().Values.ToArray();
    }

    [Fact]
    public void A_network_that_ends_in_a_softmax_trains_before_it_and_keeps_it()
    {
        Graph graph = TinyTask.Network();
        graph = graph with
        {
            Nodes = graph.Nodes.Add(new("softmax", new Tensorial.Operations.Softmax(), ["output"], ["probabilities"])),
            Outputs = [new("probabilities", ElementType.Float32, [new(null, "batch"), new(4)])],
        };
        using Trainer trainer = new(graph, TinyTask.Images(), Usual with { Epochs = 1 });
        Graph trained = trainer.Run().Network;
        Assert.Equal("Softmax", trained.Nodes[^1].Operation.Name);
        Assert.NotEqual(
            graph.Initializers["conv1.weight"].Of<float>().Values.ToArray(),
            trained.Initializers["conv1.weight"].Of<float>().Values.ToArray()
        );
    }

    [Fact]
    public void Data_that_do_not_fit_are_refused_before_the_first_step()
    {
        ImageSet images = TinyTask.Images();
        Assert.Contains(
            "classes",
            Assert
                .Throws<ShapeException>(() => new Trainer(Tensorial.Graphs.ModelZoo.Create("cnn4", [1, 8, 8], 3, 0), images, Usual))
                .Message
        );
        Assert.Contains(
            "images of",
            Assert
                .Throws<ShapeException>(() => new Trainer(Tensorial.Graphs.ModelZoo.Create("cnn4", [3, 8, 8], 4, 0), images, Usual))
                .Message
        );
        Assert.Throws<BadInputException>(() => new Trainer(TinyTask.Network(), images, Usual with { Epochs = 0 }));
    }

    [Fact]
    public void A_student_learns_from_its_teacher_alone()
    {
        using Trainer first = new(TinyTask.Network(), TinyTask.Images(), Usual with { Epochs = 8 });
        using Inference teacher = new(first.Run().Network);
        using Trainer second = new(
            TinyTask.Network(seed: 5),
            TinyTask.Images(),
            Usual with
            {
                Epochs = 8,
                Loss = new Distillation(2, 1),
                Augmentation = Augmentation.None,
            }
        )
        {
            Teacher = teacher.Run,
            Evaluate = Top1,
        };
        Assert.InRange(second.Run().Epochs[^1].TestTop1!.Value, 0.9, 1);
    }

    private static TrainingResult Run(
        TrainingOptions options,
        string? folder,
        int epochs,
        Action<EpochRecord>? done = null,
        CancellationToken cancel = default,
        string signature = ""
    )
    {
        using Trainer trainer = new(TinyTask.Network(), TinyTask.Images(), options with { Epochs = epochs })
        {
            Checkpoints = folder is null ? null : new(folder),
            EpochDone = done,
            Evaluate = Top1,
            Signature = signature,
        };
        return trainer.Run(cancel: cancel);
    }

    private static double Top1(Graph graph)
    {
        using Inference network = new(graph, 1);
        return Evaluator.Evaluate(network, graph, TinyTask.Images(seed: 2)).Result.Top1;
    }
}
