using System.Globalization;
using Tensorial.Execution;
using Tensorial.Training;

namespace Tensorial.Cli.Commands;

/// <summary>The JSON of a tuning.</summary>
internal sealed record TuningFile(
    int SchemaVersion,
    string Model,
    string Output,
    string? Teacher,
    string Data,
    string DataFingerprint,
    double? Top1Before,
    double? Top1After,
    double? ErrorBefore,
    double? ErrorAfter,
    IReadOnlyList<BlockRecord> Blocks,
    BlocksMemory? BlockMemory,
    StepMemory? Memory,
    IReadOnlyList<EpochRecord> Epochs,
    IReadOnlyList<FixedConstant>? NotTrained,
    int? Ranks = null
);

/// <summary>What tuning block by block takes.</summary>
/// <param name="Bytes">Of all blocks at work, where each is the one that takes most.</param>
/// <param name="ActivationBytes">Of that one, for what it reads and what it is to make.</param>
/// <param name="AreKept">Whether every block's activations are computed once.</param>
/// <param name="AtOnce">Blocks at work.</param>
internal sealed record BlocksMemory(long Bytes, long ActivationBytes, bool AreKept, int AtOnce)
{
    public static BlocksMemory From(SequentialTuning tuning)
    {
        BlockMemory largest = tuning.Memory.MaxBy(static block => block.Bytes)!;
        return new(largest.Bytes * tuning.AtOnce, largest.ActivationBytes, tuning.Memory.All(static block => block.IsKept), tuning.AtOnce);
    }

    public override string ToString() =>
        $"up to {TrainingMemory.Text(Bytes)}{(AtOnce > 1 ? string.Create(CultureInfo.InvariantCulture, $", {AtOnce} at once") : "")}: "
        + $"{TrainingMemory.Text(ActivationBytes)} of one for activations, {(AreKept ? "kept" : "computed anew for every batch where they do not fit")}";
}
