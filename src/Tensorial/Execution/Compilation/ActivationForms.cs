using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;
using Activation = Tensorial.Kernels.Blocked.Activation;

namespace Tensorial.Execution;

/// <summary>Functions of one value, and their gradients.</summary>
internal static class ActivationForms
{
    /// <summary>The function of one value that a node is, if blocked kernels know it.</summary>
    public static Activation? Of(Node node, Scope scope) =>
        node is { Operation: Max or Min, Inputs: [_, var bound] }
            ? scope.Fixed(bound) is { Shape.ElementCount: 1 } value && value.Shape.Rank <= scope.ShapeOf(node.Inputs[0]).Rank
                ? Bounded(node.Operation, value.Values[0])
                : null
            : Of(node.Operation, i => node.Inputs.ElementAtOrDefault(i), scope);

    /// <summary>The larger, or smaller, of a value and a number.</summary>
    private static Activation Bounded(Operation operation, float value) =>
        operation is Max ? Activation.Clip(value, float.PositiveInfinity) : Activation.Clip(float.NegativeInfinity, value);

    /// <summary>The function whose gradient a node is.</summary>
    public static Activation? Of(GradientOf gradient, Node node, Scope scope) =>
        gradient.Wanted is [0] ? Of(gradient.Of, i => i < gradient.Shapes.Length ? node.Inputs[i] : null, scope) : null;

    private static Activation? Of(Operation operation, Func<int, string?> input, Scope scope) =>
        operation switch
        {
            Relu => Activation.Relu,
            LeakyRelu leaky => Activation.LeakyRelu(leaky.Alpha),
            Sigmoid => Activation.Sigmoid,
            HardSigmoid hard => Activation.HardSigmoid(hard.Alpha, hard.Beta),
            HardSwish => Activation.HardSwish,
            Swish { Alpha: 1 } => Activation.Silu,
            Tanh => Activation.Tanh,
            Gelu gelu => gelu.Tanh ? Activation.GeluTanh : Activation.Gelu,
            FakeQuantize grid => Activation.Grid(grid.Scale, grid.Low, grid.High),
            Clip clip
                when Bound(input(1), clip.Min, float.NegativeInfinity, scope) is { } low
                    && Bound(input(2), clip.Max, float.PositiveInfinity, scope) is { } high => Activation.Clip(low, high),
            _ => null,
        };

    public static Form? Forward(FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        if (Of(node, scope) is not { } activation || !scope.IsMap(node.Inputs[0]) || !scope.IsBlocked(node.Inputs[0]))
            return null;
        return Form.Map(
            group.Label,
            node.Inputs[0],
            group.Output,
            (x, xLayout, y, yLayout, workers) => BlockedElementwise.Activate(activation, x, xLayout, y, yLayout, workers)
        );
    }

    /// <summary>x where positive, slope[channel] · x elsewhere.</summary>
    public static Form? PRelu(FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string x = node.Inputs[0];
        if (!scope.IsMap(x) || !scope.IsBlocked(x) || scope.PerChannel(node.Inputs[1], x) is not { } slopes)
            return null;
        return Form.Map(
            group.Label,
            x,
            group.Output,
            (from, fromLayout, to, toLayout, workers) => BlockedElementwise.PRelu(from, fromLayout, slopes, to, toLayout, workers)
        );
    }

    /// <summary>dx = dy f', in place where nobody reads dy afterwards.</summary>
    public static Form? Gradient(GradientOf gradient, FusedGroup group, Scope scope, LastReads last)
    {
        Node node = group.Head;
        if (Of(gradient, node, scope) is not { } activation)
            return null;
        string dy = node.Inputs[gradient.Upstream()],
            dx = group.Output,
            result = node.Inputs[gradient.Shapes.Length];
        bool fromResult = result.Length > 0;
        string at = fromResult ? result : node.Inputs[0];
        if (!scope.IsMap(dx) || !scope.IsMap(at) || !(scope.IsBlocked(dy) || scope.IsBlocked(at)) || !scope.IsComputed(at))
            return null;
        return new(
            [dy, at],
            [new(dx, Over: last.Over(dy, group))],
            emission =>
            {
                (Value slope, Value upstream) = (emission.Blocked(at), emission.Blocked(dy));
                Value to = emission.Result(dx);
                emission.Images(
                    group.Label,
                    [upstream, slope],
                    [to],
                    (frame, piece) =>
                        BlockedElementwise.ActivateGradient(
                            activation,
                            fromResult,
                            piece.Of(frame, slope),
                            piece.Layout(slope),
                            piece.Of(frame, upstream),
                            piece.Layout(upstream),
                            to == upstream ? piece.Of(frame, to) : piece.Clean(frame, to),
                            piece.Layout(to),
                            piece.Workers
                        )
                );
            }
        );
    }

    /// <summary>A bound of Clip: its constant input, its attribute, or none; null where it is only known while the network runs.</summary>
    private static float? Bound(string? name, float? attribute, float none, Scope scope) =>
        name is not { Length: > 0 } ? attribute ?? none
        : scope.Constant(name) is Tensor<float> { Shape.ElementCount: 1 } constant ? constant.Values[0]
        : null;
}
