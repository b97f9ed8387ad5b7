using System.Collections.Immutable;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;
using Activation = Tensorial.Kernels.Blocked.Activation;

namespace Tensorial.Execution;

/// <summary>
/// ∂L/∂y on its way through the gradient of an activation, if there is one, into sums over the batch: one pass that sets to 0 what the
/// activation held at its bounds, and adds up.
/// </summary>
internal sealed class MaskedGradient
{
    private readonly string _upstream;
    private readonly string? _result,
        _activated,
        _over;
    private readonly Activation _activation;

    private MaskedGradient(string upstream, string? result, string? activated, string? over, Activation activation) =>
        (_upstream, _result, _activated, _over, _activation) = (upstream, result, activated, over, activation);

    /// <summary>Values that are read blocked.</summary>
    public ImmutableArray<BlockedRead> Reads => _activated is null ? [_upstream] : [_upstream, _activated];

    /// <summary>The masked gradient, where there is a mask: others may read it too.</summary>
    public ImmutableArray<FormResult> Results => _result is null ? [] : [new(_result, Over: _over)];

    public static MaskedGradient From(FusedGroup group, string dy, Scope scope, LastReads last)
    {
        if (group.Mask is not { } mask)
            return new(dy, null, null, null, Activation.None);
        GradientOf gradient = (GradientOf)mask.Operation;
        string upstream = mask.Inputs[gradient.Upstream()];
        return new(
            upstream,
            dy,
            mask.Inputs[gradient.Shapes.Length],
            last.Over(upstream, group),
            ActivationForms.Of(gradient, mask, scope)!.Value
        );
    }

    /// <summary>Emits the pass.</summary>
    /// <param name="emission">Where to.</param>
    /// <param name="label">Its label.</param>
    /// <param name="channels">The sums.</param>
    /// <param name="sums">Where they are gathered.</param>
    /// <param name="x">The map whose products with dy are summed, less <paramref name="center"/>; null for sums of dy alone.</param>
    /// <param name="center">What is subtracted from it, by channel.</param>
    /// <param name="reads">Further values that <paramref name="join"/> and <paramref name="center"/> read.</param>
    /// <param name="join">Uses the sums.</param>
    /// <param name="joined">Values that it makes.</param>
    /// <returns>The gradient, masked.</returns>
    public Value Emit(
        Emission emission,
        string label,
        ChannelSums channels,
        Value sums,
        Value? x,
        Floats center,
        IReadOnlyList<Value> reads,
        Action<ProgramFrame> join,
        IReadOnlyList<Value> joined
    )
    {
        Value upstream = emission.Blocked(_upstream);
        Value? activated = _activated is null ? null : emission.Blocked(_activated);
        Value dy = _result is null ? upstream : emission.Result(_result);
        if (dy != upstream)
            ConvolutionForms.Copy(emission, $"copy {upstream.Name}", upstream, dy);
        Activation activation = _activation;
        List<Value> all = [dy, .. reads];
        if (activated is not null)
            all.Add(activated);
        if (x is not null)
            all.Add(x);
        emission.Images(
            label,
            all,
            _result is null ? [sums] : [sums, dy],
            (frame, piece) =>
            {
                Span<double> own = channels.Sums(frame, piece, sums);
                BlockedNormalization.AddGradientSums(
                    piece.Of(frame, dy),
                    piece.Layout(dy),
                    activation,
                    activated is null ? [] : piece.Of(frame, activated),
                    activated is null ? default : piece.Layout(activated),
                    x is null ? [] : piece.Of(frame, x),
                    x is null ? default : piece.Layout(x),
                    x is null ? [] : channels.Center(frame, piece, sums, center(frame)),
                    own
                );
            },
            join,
            joined
        );
        return dy;
    }
}
