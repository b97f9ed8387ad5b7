using System.ComponentModel.DataAnnotations;
using Tensorial.Training.Distributed;

namespace Tensorial.Training;

/// <summary>Where a block's inputs come from.</summary>
public enum BlockInputs
{
    /// <summary>
    /// The network as far as it has been tuned, so that each block also makes up for those before it. One block after the other.
    /// </summary>
    Tuned,

    /// <summary>The dense network: blocks do not depend on each other, and as many learn at once as there are threads.</summary>
    Dense,
}

/// <summary>How blocks are tuned one by one.</summary>
public sealed record SequentialOptions
{
    /// <summary>Training images whose activations blocks learn from.</summary>
    public int Images { get; init; } = 2000;

    /// <summary>Times a block sees them.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Images in a batch.</summary>
    public int Batch { get; init; } = 64;

    /// <summary>Of Adam, falling along a cosine.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>What a block is fed while it is tuned.</summary>
    public BlockInputs Inputs { get; init; }

    /// <summary>How much of the network is a block.</summary>
    public BlockSize Size { get; init; }

    /// <summary>
    /// Bytes that all blocks at work may take together. Activations that do not fit are computed anew for every batch; steps that do not,
    /// run in parts. Null bounds only the activations that are kept, by half of the memory this process may have.
    /// </summary>
    public long? MemoryLimit { get; init; }

    /// <summary>Seed of the order of images.</summary>
    public int Seed { get; init; }

    /// <summary>Threads to compute with; 0 for all cores.</summary>
    public int Threads { get; init; }

    /// <summary>
    /// The ranks that tune together, all given the same networks, images and options, except for threads. Blocks that do not depend on each
    /// other (<see cref="BlockInputs.Dense"/>) are handed out; of blocks that do, every batch is shared. Null where this process does all.
    /// </summary>
    public ICommunicator? Communicator { get; init; }

    /// <summary>As <see cref="TrainingOptions.SyncBatchNorm"/>, where batches are shared.</summary>
    public bool SyncBatchNorm { get; init; }
}

/// <summary>What tuning a block came to.</summary>
/// <param name="Name">The value it makes.</param>
/// <param name="ErrorBefore">‖y - t‖² / ‖t‖² of its activations y against the dense network's t, evaluated as the finished network
/// is.</param>
/// <param name="ErrorAfter">The same afterwards; never more.</param>
/// <param name="Seconds">Wall time.</param>
public sealed record BlockRecord(
    string Name,
    [property: Range(0, double.MaxValue)] double ErrorBefore,
    [property: Range(0, double.MaxValue)] double ErrorAfter,
    [property: Range(0, double.MaxValue)] double Seconds
);

/// <summary>What tuning a block takes, planned before the first one.</summary>
/// <param name="ActivationBytes">What the block reads and what it is to make: of all images where they are kept, else of a batch, and what
/// computing it takes.</param>
/// <param name="IsKept">Whether those activations are computed once.</param>
/// <param name="Step">What a step takes.</param>
internal sealed record BlockMemory(long ActivationBytes, bool IsKept, TrainingMemory Step)
{
    public long Bytes => ActivationBytes + Step.Bytes;
}
