using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;
using Activation = Tensorial.Kernels.Blocked.Activation;

namespace Tensorial.Execution;

/// <summary>
/// The operations that have kernels for blocked activations. A convolution always runs there; what lies between convolutions
/// does where an operand already is blocked, so that activations keep one layout from the first convolution to the last pooling.
/// </summary>
/// <param name="graph">The network, folded.</param>
/// <param name="shapes">Extents of its values.</param>
/// <param name="memo">Where packed kernels are kept.</param>
/// <param name="isBlocked">Whether a value's maker leaves it blocked.</param>
internal sealed partial class BlockedForms(
    Graph graph,
    IReadOnlyDictionary<string, Operand> shapes,
    Memo memo,
    Func<string, bool> isBlocked
)
{
    /// <summary>A fused convolution, or null where the blocked kernels do not know its kind.</summary>
    public BlockedForm? Of(FusedConvolution group)
    {
        Node node = group.Convolution;
        if (ShapeOf(group) is not { } shape)
            return null;
        Tensor<float> weights = Constant(node.Inputs[1])!;
        Tensor<float>? bias = Constant(node.Inputs.ElementAtOrDefault(2));
        Shape plane = shapes[group.Output].Shape;
        ConvolutionMethod method = ConvolutionChoice.Best(shape, plane[2], plane[3]);
        PackedKernel packed = memo.Of((shape, method), [weights], () => BlockedConvolution.Pack(weights.Values, shape, method));
        Activation activation = group.Activation;
        ImmutableArray<BlockedRead> reads = [new(node.Inputs[0], shape.Padding)];
        if (group.Residual is { } added)
            reads = reads.Add(added);
        return new(
            node.Label,
            reads,
            group.Output,
            [.. node.Inputs.Skip(1)],
            (values, result) =>
            {
                (Value input, Value? residual) = (values[0], values.ElementAtOrDefault(1));
                return frame =>
                    BlockedConvolution.Run(
                        shape,
                        frame.Floats(input),
                        input.Layout!.Value,
                        packed,
                        bias is null ? [] : bias.Values,
                        residual is null ? [] : frame.Floats(residual),
                        residual?.Layout ?? default,
                        activation,
                        frame.ClearedHalo(result),
                        result.Layout!.Value,
                        frame.Workers
                    );
            }
        );
    }

    /// <summary>Any other node, or null where it runs as its operation defines it.</summary>
    public BlockedForm? Of(Node node)
    {
        if (
            node.Inputs.IsEmpty
            || node.Outputs.Skip(1).Any(static o => o.Length > 0)
            || !shapes.TryGetValue(node.Outputs[0], out Operand? result)
        )
            return null;
        if (result.Type != ElementType.Float32 || !node.Inputs.Any(isBlocked))
            return null;
        bool isMap = result.Shape.Rank == 4;
        return node.Operation switch
        {
            MaxPool pool when isMap && WindowOf(pool, node) is { } window => Map(
                node,
                (input, output) =>
                    frame =>
                        BlockedPooling.Maximum(
                            window,
                            frame.Floats(input),
                            input.Layout!.Value,
                            frame.ClearedHalo(output),
                            output.Layout!.Value,
                            frame.Workers
                        )
            ),
            AveragePool pool when isMap && WindowOf(pool, node) is { } window => Map(
                node,
                (input, output) =>
                    frame =>
                        BlockedPooling.Average(
                            window,
                            pool.CountIncludePad ? AverageOver.Padding : AverageOver.Input,
                            frame.Floats(input),
                            input.Layout!.Value,
                            frame.ClearedHalo(output),
                            output.Layout!.Value,
                            frame.Workers
                        )
            ),
            GlobalAveragePool => Means(node),
            ReduceMean mean when isBlocked(node.Inputs[0]) && ReducesPlanes(mean, node) => Means(node),
            BatchNormalization norm => ScaleShift(node, norm),
            PRelu when isBlocked(node.Inputs[0]) && PerChannel(node.Inputs[1], node) is { } slopes => Map(
                node,
                (input, output) =>
                    frame =>
                        BlockedElementwise.PRelu(
                            frame.Floats(input),
                            input.Layout!.Value,
                            slopes,
                            frame.ClearedHalo(output),
                            output.Layout!.Value,
                            frame.Workers
                        )
            ),
            Add or Sub or Mul or Div when isMap => Arithmetic(node),
            Concat { Axis: 1 or -3 } when isMap => Concatenate(node),
            Slice slice when isMap => Slice(node, slice),
            Pad { Mode: PadMode.Constant } pad when isMap => Pad(node, pad),
            _ => ActivationOf(node, graph) is { } activation && isMap
                ? Map(
                    node,
                    (input, output) =>
                        frame =>
                            BlockedElementwise.Activate(
                                activation,
                                frame.Floats(input),
                                input.Layout!.Value,
                                frame.ClearedHalo(output),
                                output.Layout!.Value,
                                frame.Workers
                            )
                )
                : null,
        };
    }

    /// <summary>The function of one value that a node is, if blocked kernels know it.</summary>
    public static Activation? ActivationOf(Node node, Graph graph) =>
        node.Operation switch
        {
            Relu => Activation.Relu,
            LeakyRelu leaky => Activation.LeakyRelu(leaky.Alpha),
            Sigmoid => Activation.Sigmoid,
            HardSigmoid hard => Activation.HardSigmoid(hard.Alpha, hard.Beta),
            HardSwish => Activation.HardSwish,
            Tanh => Activation.Tanh,
            Clip clip
                when Bound(node, graph, 1, clip.Min, float.NegativeInfinity) is { } low
                    && Bound(node, graph, 2, clip.Max, float.PositiveInfinity) is { } high => Activation.Clip(low, high),
            _ => null,
        };

    /// <summary>A bound of Clip: its constant input, its attribute, or none; null where it is only known while the network runs.</summary>
    private static float? Bound(Node node, Graph graph, int input, float? attribute, float none)
    {
        if (node.Inputs.ElementAtOrDefault(input) is not { Length: > 0 } name)
            return attribute ?? none;
        return graph.Initializers.GetValueOrDefault(name) is Tensor<float> { Shape.Count: 1 } constant ? constant.Values[0] : null;
    }

    /// <summary>The convolution a group performs, if the blocked kernels know it.</summary>
    private ConvolutionShape? ShapeOf(FusedConvolution group)
    {
        Node node = group.Convolution;
        Shape input = shapes[node.Inputs[0]].Shape;
        if (input.Rank != 4 || graph.Initializers.ContainsKey(node.Inputs[0]) || Constant(node.Inputs[1]) is not { } weights)
            return null;
        if (node.Inputs.ElementAtOrDefault(2) is { Length: > 0 } bias && Constant(bias) is null)
            return null;
        ImmutableArray<WindowAxis> windows = group.Operation.Windows(input, weights.Shape);
        if (Window(windows) is not { } w)
            return null;
        ConvolutionShape shape = new(
            input[1],
            weights.Shape[0],
            w.Height,
            w.Width,
            w.StrideY,
            w.StrideX,
            w.DilationY,
            w.DilationX,
            w.Padding,
            group.Operation.Groups
        );
        return BlockedConvolution.Supports(shape) ? shape : null;
    }

    private PlaneWindow? WindowOf(Pooling pool, Node node) => Window(pool.Windows(shapes[node.Inputs[0]].Shape));

    /// <summary>The window of a plane; null where padding is negative.</summary>
    private static PlaneWindow? Window(ImmutableArray<WindowAxis> axes)
    {
        (WindowAxis y, WindowAxis x) = (axes[0], axes[1]);
        return Math.Min(Math.Min(y.Begin, y.End), Math.Min(x.Begin, x.End)) < 0
            ? null
            : new(y.Taps, x.Taps, y.Stride, x.Stride, y.Dilation, x.Dilation, new(y.Begin, x.Begin, y.End, x.End));
    }

    private Tensor<float>? Constant(string? name) =>
        name is { Length: > 0 } ? graph.Initializers.GetValueOrDefault(name) as Tensor<float> : null;

    private static BlockedForm Map(Node node, Func<Value, Value, Action<Frame>> run) =>
        new(node.Label, [node.Inputs[0]], node.Outputs[0], [.. node.Inputs.Skip(1)], (values, result) => run(values[0], result));
}
