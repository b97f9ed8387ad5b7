using System.Collections.Immutable;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Execution;

/// <summary>A value that a form reads blocked, with at least this halo.</summary>
internal readonly record struct BlockedRead(string Value, Halo Halo)
{
    public static implicit operator BlockedRead(string value) => new(value, default);
}

/// <summary>A value that a form makes.</summary>
/// <param name="Name">The value.</param>
/// <param name="IsBlocked">Whether it is blocked, or plain.</param>
/// <param name="Over">A value the form reads last of all, blocked as well, whose memory the result may take.</param>
internal readonly record struct FormResult(string Name, bool IsBlocked = true, string? Over = null);

/// <summary>How a node, or a group of fused nodes, runs on blocked activations.</summary>
/// <param name="Reads">Values it reads blocked.</param>
/// <param name="Results">Values it makes.</param>
/// <param name="Emit">Emits its steps, once the places of all values are known.</param>
internal sealed record Form(ImmutableArray<BlockedRead> Reads, ImmutableArray<FormResult> Results, Action<Emission> Emit)
{
    /// <summary>A function of one map, image by image.</summary>
    public static Form Map(string label, string input, string output, MapStep run) =>
        new(
            [input],
            [new(output)],
            emission =>
            {
                (Value x, Value y) = (emission.Blocked(input), emission.Result(output));
                emission.Images(
                    label,
                    [x],
                    [y],
                    (frame, piece) => run(piece.Of(frame, x), piece.Layout(x), piece.Clean(frame, y), piece.Layout(y), piece.Workers)
                );
            }
        );
}

/// <summary>A kernel call from one blocked map to another.</summary>
internal delegate void MapStep(ReadOnlySpan<float> x, BlockedLayout xLayout, Span<float> y, BlockedLayout yLayout, Kernels.Workers workers);
