using System.Collections.Immutable;
using Tensorial.Autodiff.Operations;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Networks.Execution;

/// <summary>The part of the lowering that knows blocked activations.</summary>
internal sealed partial class Lowering
{
    /// <summary>Values whose maker writes them blocked, and the halo that their readers need.</summary>
    private readonly Dictionary<string, Halo> _madeBlocked = [];

    /// <summary>Halos that readers of blocked forms need, by value.</summary>
    private readonly Dictionary<string, Halo> _halos = [];

    private readonly Dictionary<string, Value> _blocked = [];

    /// <summary>Decides which nodes run on blocked activations and how wide a halo each value needs.</summary>
    private void PlanLayouts(FusionPlan fusions)
    {
        foreach (Node node in _graph.Nodes)
        {
            if (fusions.GroupOf(node) is { } group && ShapeOf(group) is { } shape)
            {
                if (node != group.Convolution) continue;
                Need(node.Inputs[0], shape.Padding);
                if (group.Residual is { } residual) Need(residual, default);
                _madeBlocked[group.Output] = default;
            }
        }
    }

    private void Need(string value, Halo halo) => _halos[value] = _halos.TryGetValue(value, out Halo known) ? known.Union(halo) : halo;

    private bool RunsBlocked(FusedConvolution group) => _madeBlocked.ContainsKey(group.Output);

    private bool RunsBlocked(Node node) => false;

    private void LowerBlocked(Node node) => throw new InvalidOperationException(node.Label);

    /// <summary>The convolution a group performs, if the blocked kernels know it.</summary>
    private ConvolutionShape? ShapeOf(FusedConvolution group)
    {
        Node node = group.Convolution;
        Shape input = _shapes[node.Inputs[0]].Shape;
        if (input.Rank != 4 || !IsComputed(node.Inputs[0])) return null;
        if (_graph.Initializers.GetValueOrDefault(node.Inputs[1]) is not Tensor<float> kernel) return null;
        if (BiasName(node) is { } bias && _graph.Initializers.GetValueOrDefault(bias) is not Tensor<float>) return null;
        ImmutableArray<WindowAxis> windows = group.Operation.Windows(input, kernel.Shape);
        (WindowAxis y, WindowAxis x) = (windows[0], windows[1]);
        if (y.Begin < 0 || y.End < 0 || x.Begin < 0 || x.End < 0) return null;
        ConvolutionShape shape = new(
            input[1], kernel.Shape[0], y.Taps, x.Taps, y.Stride, x.Stride, y.Dilation, x.Dilation, new(y.Begin, x.Begin, y.End, x.End), group.Operation.Groups);
        return BlockedConvolution.Supports(shape) ? shape : null;
    }

    private static string? BiasName(Node convolution) => convolution.Inputs.ElementAtOrDefault(2) is { Length: > 0 } name ? name : null;

    private void Convolve(FusedConvolution group)
    {
        Node node = group.Convolution;
        ConvolutionShape shape = ShapeOf(group)!.Value;
        Tensor<float> kernel = _graph.Initializers[node.Inputs[1]].Of<float>();
        Tensor<float>? bias = BiasName(node) is { } biasName ? _graph.Initializers[biasName].Of<float>() : null;
        PackedKernel packed = _memo.Of(shape, [kernel], () => BlockedConvolution.Pack(kernel.Values, shape));
        Value input = Blocked(node.Inputs[0]);
        Value? residual = group.Residual is { } added ? Blocked(added) : null;
        Value output = BlockedResult(group.Output);
        Activation activation = group.Activation;
        Emit(node.Label, residual is null ? [input] : [input, residual], [output], node.Inputs.Skip(1), frame => BlockedConvolution.Run(
            shape, frame.Floats(input), input.Layout!.Value, packed, bias is null ? [] : bias.Values,
            residual is null ? [] : frame.Floats(residual), residual?.Layout ?? default, activation,
            ClearedHalo(frame, output), output.Layout!.Value, frame.Workers));
    }

    /// <summary>Memory of a blocked value about to be written. Its halo is zeroed now, since the place may have served another value.</summary>
    private static Span<float> ClearedHalo(Frame frame, Value value)
    {
        Span<float> floats = frame.Floats(value);
        BlockedHalo.Clear(floats, value.Layout!.Value);
        return floats;
    }

    private Value BlockedResult(string name)
    {
        Shape shape = _shapes[name].Shape;
        BlockedLayout layout = new(shape[0], shape[1], shape[2], shape[3], _halos.GetValueOrDefault(name));
        return _blocked[name] = new(name, ElementType.Float32, shape, layout);
    }

    /// <summary>The blocked form of a computed value, converted from its plain form where that is what was made.</summary>
    private Value Blocked(string name)
    {
        if (_blocked.TryGetValue(name, out Value? known)) return known;
        Value source = _plain[name], value = BlockedResult(name);
        Emit($"block {name}", [source], [value], [], frame => BlockedConversion.ToBlocked(frame.Floats(source), ClearedHalo(frame, value), value.Layout!.Value));
        return value;
    }

    private Value Unblock(string name)
    {
        Value source = _blocked[name];
        Value value = _plain[name] = new(name, ElementType.Float32, source.Shape, layout: null);
        Emit($"unblock {name}", [source], [value], [], frame => BlockedConversion.ToPlain(frame.Floats(source), source.Layout!.Value, frame.Floats(value)));
        return value;
    }
}
