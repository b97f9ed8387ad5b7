using System.Collections.Immutable;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Execution;

/// <summary>A value that a kernel reads: blocked with at least this halo, or plain where the halo is null.</summary>
internal readonly record struct BlockedRead(string Value, Halo? Halo)
{
    public static BlockedRead Plain(string value) => new(value, null);

    public static implicit operator BlockedRead(string value) => new(value, default(Halo));
}

/// <summary>How a node, or a convolution and what melted into it, runs on blocked activations.</summary>
/// <param name="Label">What people call it.</param>
/// <param name="Reads">Computed values it reads, in the order <paramref name="Run"/> expects.</param>
/// <param name="Result">The value it makes.</param>
/// <param name="Constants">Names of the constants its weights come from.</param>
/// <param name="Run">The kernel call, once the places of its operands are known.</param>
internal sealed record BlockedForm(
    string Label,
    ImmutableArray<BlockedRead> Reads,
    string Result,
    ImmutableArray<string> Constants,
    Func<Value[], Value, Action<Frame>> Run
)
{
    /// <summary>Whether the result is blocked, as nearly all are, or plain.</summary>
    public bool ResultIsBlocked { get; init; } = true;
}
