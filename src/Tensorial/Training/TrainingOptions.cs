using Tensorial.Training.Distributed;
using Tensorial.Training.Losses;
using Tensorial.Training.Optimizers;
using Tensorial.Training.Schedules;

namespace Tensorial.Training;

/// <summary>How a network is trained. The defaults are the usual recipe for residual networks on CIFAR.</summary>
public sealed record TrainingOptions
{
    /// <summary>Passes over the training images.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Batch size.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>What the schedule's factor is multiplied with.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>Learning rate over time.</summary>
    public Schedule Schedule { get; init; } = new Cosine();

    /// <summary>Makes the optimizer of a run.</summary>
    public Func<Optimizer> Optimizer { get; init; } = static () => new Sgd(0.9, nesterov: true) { Decay = new(5e-4) };

    /// <summary>What is minimised.</summary>
    public Loss Loss { get; init; } = new CrossEntropy();

    /// <summary>Random changes of training images.</summary>
    public Augmentation Augmentation { get; init; } = Augmentation.None;

    /// <summary>Longest gradient, over all weights together; longer ones are shortened to it. Null for no limit.</summary>
    public double? MaxGradientNorm { get; init; }

    /// <summary>
    /// Share of itself that a running mean of the weights keeps at each step; it is then evaluated, and the result. 0 for none.
    /// </summary>
    public double EmaDecay { get; init; }

    /// <summary>What running batch-norm statistics keep of themselves at each step.</summary>
    public double NormMomentum { get; init; } = 0.9;

    /// <summary>Epochs without a better test accuracy after which training stops; null for never.</summary>
    public int? Patience { get; init; }

    /// <summary>A loss beyond this, nats, counts as divergence.</summary>
    public double MaxLoss { get; init; } = 1000;

    /// <summary>
    /// Bytes that a step may take for activations, weights and their gradients; larger batches are run in parts where that changes nothing.
    /// Null for no limit.
    /// </summary>
    public long? MemoryLimit { get; init; }

    /// <summary>Decides order, variation and dropout.</summary>
    public int Seed { get; init; }

    /// <summary>Threads to compute with; 0 for all cores.</summary>
    public int Threads { get; init; }

    /// <summary>
    /// The ranks that share every batch: each trains on its part, gradients are added up. All of them are given the same network, images and
    /// options, except for threads. Null where this process has all.
    /// </summary>
    public ICommunicator? Communicator { get; init; }

    /// <summary>
    /// Whether batch normalisations take mean and variance of the whole batch where ranks share it: the result is then that of one process, to
    /// rounding. Otherwise of each rank's images, and running statistics are averaged over the ranks after every epoch.
    /// </summary>
    public bool SyncBatchNorm { get; init; }

    /// <summary>Refuses what makes no sense.</summary>
    /// <exception cref="BadInputException">A number is out of its range; names it.</exception>
    public void Check()
    {
        Within(Epochs, 1, int.MaxValue, "the number of epochs");
        Within(Batch, 2, int.MaxValue, "the images of a batch");
        Within(LearningRate, 0, 1e6, "the learning rate");
        Within(EmaDecay, 0, 0.9999999, "the share an average of weights keeps");
        Within(NormMomentum, 0, 0.9999999, "the share running statistics keep");
        Within(Patience ?? 1, 1, int.MaxValue, "the patience");
        Within(MemoryLimit ?? 1, 1, long.MaxValue, "the memory of a step");
        Within(MaxGradientNorm ?? 1, double.Epsilon, double.MaxValue, "the largest gradient");
    }

    private static void Within(double value, double low, double high, string name)
    {
        if (value >= low && value <= high)
            return;
        string range =
            low == double.Epsilon ? "be above 0"
            : high >= int.MaxValue ? $"be at least {low:G10}"
            : $"lie between {low:G10} and {high:G10}";
        throw new BadInputException($"{char.ToUpperInvariant(name[0])}{name[1..]} must {range}, not {value:G6}.");
    }
}
