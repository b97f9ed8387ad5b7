using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Training;

namespace Tensorial.Tests.Training;

/// <summary>A bound on memory is kept, changes nothing but rounding, and is refused where it would.</summary>
public class TrainingMemoryTests
{
    private static readonly TrainingOptions Usual = new()
    {
        Epochs = 2,
        Batch = 32,
        LearningRate = 0.05,
        Threads = 2,
    };

    [Fact]
    public void Parts_of_a_batch_give_the_gradients_of_the_whole()
    {
        using TrainedNetwork whole = new(WithoutNorms(), threads: 2),
            parts = new(WithoutNorms(), threads: 2);
        Tensor<float> images = TinyTask.Images().Batch(0, 12),
            gradient = new([12, 4]);
        Random random = new(3);
        foreach (ref float value in gradient.Values)
            value = random.NextSingle() - 0.5f;
        Tensor<float> answers = whole.Forward(images).Clone();
        whole.Backward(gradient);
        for (int first = 0; first < 12; first += 4)
        {
            Assert.Equal(
                answers.Rows(first, 4).Values.ToArray(),
                parts.Forward(images.Rows(first, 4)).Values.ToArray(),
                static (a, b) => Math.Abs(a - b) < 1e-5
            );
            parts.Backward(gradient.Rows(first, 4), add: first > 0);
        }
        foreach ((TrainedWeight one, TrainedWeight other) in whole.Weights.Zip(parts.Weights))
            Assert.Equal(one.Gradient.Values.ToArray(), other.Gradient.Values.ToArray(), static (a, b) => Math.Abs(a - b) < 1e-5);
    }

    [Fact]
    public void A_bounded_training_learns_what_an_unbounded_one_does()
    {
        using Trainer free = new(WithoutNorms(), TinyTask.Images(), Usual);
        long bound = free.Memory.WeightBytes + (free.Memory.ActivationBytes / 3);
        using Trainer bounded = new(WithoutNorms(), TinyTask.Images(), Usual with { MemoryLimit = bound });
        Assert.Equal(1, free.Memory.Parts);
        Assert.InRange(bounded.Memory.Parts, 4, 32);
        Assert.True(bounded.Memory.Bytes <= bound && bounded.Memory.WeightBytes == free.Memory.WeightBytes);
        Assert.Equal(
            free.Run().Epochs.Select(static e => e.Loss),
            bounded.Run().Epochs.Select(static e => e.Loss),
            static (a, b) => Math.Abs(a - b) < 1e-4
        );
    }

    [Fact]
    public void Batch_normalisations_are_not_trained_in_parts_and_the_batch_that_fits_is_named()
    {
        using Trainer free = new(TinyTask.Network(), TinyTask.Images(), Usual);
        long bound = free.Memory.WeightBytes + (free.Memory.ActivationBytes / 2);
        string message = Assert
            .Throws<BadInputException>(() => new Trainer(TinyTask.Network(), TinyTask.Images(), Usual with { MemoryLimit = bound }))
            .Message;
        int fits = int.Parse(System.Text.RegularExpressions.Regex.Match(message, "Batches of up to ([0-9]+) images fit").Groups[1].Value);
        using Trainer smaller = new(TinyTask.Network(), TinyTask.Images(), Usual with { Batch = fits, MemoryLimit = bound });
        Assert.Equal(1, smaller.Memory.Parts);
        Assert.Throws<BadInputException>(() =>
            new Trainer(TinyTask.Network(), TinyTask.Images(), Usual with { Batch = fits + 1, MemoryLimit = bound })
        );
    }

    [Fact]
    public void A_bound_that_nothing_fits_in_is_refused()
    {
        Assert.Contains(
            "Image by image it takes",
            Assert
                .Throws<BadInputException>(() => new Trainer(WithoutNorms(), TinyTask.Images(), Usual with { MemoryLimit = 1000 }))
                .Message
        );
        Assert.Contains(
            "No batch fits",
            Assert
                .Throws<BadInputException>(() => new Trainer(TinyTask.Network(), TinyTask.Images(), Usual with { MemoryLimit = 1000 }))
                .Message
        );
    }

    private static Graph WithoutNorms()
    {
        NetworkBuilder net = new("plain", [1, 8, 8], 0);
        Features x = net.Relu("relu1", net.Convolution("conv1", net.Input, 8, 3, padding: 1, bias: true));
        x = net.MaxPool("pool", net.Relu("relu2", net.Convolution("conv2", x, 8, 3, padding: 1, bias: true)), 2, 2);
        return net.ToGraph(net.Dense("fc", net.Flatten("flat", x), 4));
    }
}
