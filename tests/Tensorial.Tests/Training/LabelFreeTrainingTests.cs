using Tensorial.Compression;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Training;
using Tensorial.Training.Losses;

namespace Tensorial.Tests.Training;

/// <summary>Distillation where there are no labels, of class scores and of outputs that are none.</summary>
public class LabelFreeTrainingTests
{
    /// <summary>A network whose output is a map, as a segmenter's.</summary>
    private static Graph Segmenter(int seed)
    {
        NetworkBuilder net = new("map", [1, 8, 8], seed);
        Features x = net.Relu("relu1", net.BatchNormalization("bn1", net.Convolution("conv1", net.Input, 8, 3, padding: 1)));
        return net.ToGraph(net.Convolution("conv2", x, 3, 3, padding: 1));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_network_comes_closer_to_its_teacher(bool areScores)
    {
        Graph dense = areScores ? TinyTask.Network(seed: 1) : Segmenter(seed: 1),
            start = areScores ? TinyTask.Network(seed: 2) : Segmenter(seed: 2);
        ImageSet images = TinyTask.Images().WithoutLabels();
        TrainingOptions options = new()
        {
            Epochs = 12,
            Batch = 32,
            LearningRate = 0.05,
            Loss = areScores ? new Distillation(Weight: 1) : new RelativeSquares(),
        };
        using Inference teacher = new(Logits.Of(dense));
        using Trainer trainer = new(start, images, options) { Teacher = teacher.Run, EvaluateError = Error };
        TrainingResult result = trainer.Run();
        Assert.All(result.Epochs, static epoch => Assert.Null(epoch.TrainTop1));
        Assert.True(Error(result.Network) < 0.8 * Error(start), $"{Error(start)} to {Error(result.Network)}");
        Assert.Equal(Error(result.Network), result.Epochs[^1].TestError);

        double Error(Graph graph)
        {
            using Inference network = new(graph),
                reference = new(dense);
            return Verification.From(reference.Run, network.Run, images, probabilities: false).RelativeError;
        }
    }

    [Fact]
    public void A_loss_that_reads_labels_refuses_images_without() =>
        Assert.Contains(
            "needs labels",
            Assert
                .Throws<BadInputException>(() =>
                    new Trainer(TinyTask.Network(), TinyTask.Images().WithoutLabels(), new() { Loss = new Distillation() })
                )
                .Message
        );

    [Fact]
    public void Relative_squares_have_the_slope_of_their_value()
    {
        Random random = new(1);
        Tensor<float> y = Draw(),
            t = Draw(),
            gradient = new(y.Shape);
        RelativeSquares loss = new();
        double value = loss.Evaluate(y, new(null, t), gradient);
        double distance = 0,
            size = 0;
        for (int k = 0; k < 12; k++)
            (distance, size) = (distance + Math.Pow(y.Values[k] - t.Values[k], 2), size + Math.Pow(t.Values[k], 2));
        Assert.Equal(distance / size, value, 1e-6);
        for (int k = 0; k < 12; k++)
        {
            float[] slopes = gradient.Values.ToArray();
            y.Values[k] += 0.01f;
            double after = loss.Evaluate(y, new(null, t), new(y.Shape));
            y.Values[k] -= 0.02f;
            double before = loss.Evaluate(y, new(null, t), new(y.Shape));
            y.Values[k] += 0.01f;
            Assert.Equal((after - before) / 0.02, slopes[k], 1e-3);
        }

        Tensor<float> Draw() => new([3, 4], Enumerable.Range(0, 12).Select(_ => (float)random.NextNormal()).ToArray());
    }

    [Fact]
    public void Outputs_that_are_no_scores_have_an_error_and_no_agreement()
    {
        Graph one = Segmenter(1),
            other = Segmenter(2);
        using Inference a = new(one),
            b = new(other);
        ImageSet images = TinyTask.Images(count: 40);
        Verification found = Verification.From(a.Run, b.Run, images, probabilities: false, batch: 16);
        Assert.Null(found.Agreement);
        Assert.Null(found.KlDivergence);
        Assert.Null(found.First);
        Tensor<float> x = a.Run(images.Batch(0, 40)),
            y = b.Run(images.Batch(0, 40));
        double distance = 0,
            size = 0;
        for (int k = 0; k < x.Values.Length; k++)
            (distance, size) = (distance + Math.Pow(y.Values[k] - (double)x.Values[k], 2), size + Math.Pow(x.Values[k], 2));
        Assert.Equal(Math.Sqrt(distance / size), found.RelativeError, 1e-9);
    }
}
