using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>A convolution or a batch normalisation, and what follows it at once: the addition of another value, a rectification.</summary>
internal sealed class TrainedGroup(Node head)
{
    public Node Head { get; } = head;

    /// <summary>Every node the group stands for, in order; its result appears where the last one stood.</summary>
    public List<Node> Members { get; } = [head];

    public string? Residual { get; set; }

    public bool IsRectified { get; set; }

    public string Output => Members[^1].Outputs[0];
}

/// <summary>The part of the lowering that decides what runs on blocked activations, and how wide their halos are.</summary>
internal sealed partial class TrainingLowering
{
    private readonly Dictionary<Node, TrainedGroup> _groups = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Node> _pools = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, Halo> _halos = [],
        _gradientHalos = [];

    private void PlanBlocks()
    {
        Uses uses = new(_graph);
        HashSet<string> blocked = [];
        Dictionary<string, TrainedGroup> open = [];
        foreach (Node node in _graph.Nodes)
        {
            string input = node.Inputs.FirstOrDefault() ?? "";
            switch (node.Operation)
            {
                case Convolution when ShapeOf(node) is { } shape:
                    Need(_halos, input, shape.Padding);
                    if (BackOf(node, shape) is { } back)
                        Need(_gradientHalos, node.Outputs[0], back.Padding);
                    Open(node);
                    break;
                case BatchNormalizationInTraining when blocked.Contains(input) && Parameters(node) is not null:
                    Open(node);
                    break;
                case Add when node.Inputs.Length == 2 && Array.FindIndex([0, 1], side => TakesResidual(node, side)) is var side and >= 0:
                    open[node.Inputs[side]].Residual = node.Inputs[1 - side];
                    Join(open[node.Inputs[side]], node);
                    break;
                case Relu when open.TryGetValue(input, out TrainedGroup? group) && !group.IsRectified && uses.OnlyReader(input) == node:
                    group.IsRectified = true;
                    Join(group, node);
                    break;
                case MaxPool or AveragePool or GlobalAveragePool or ReduceMean when blocked.Contains(input) && IsPlanePool(node):
                    _pools.Add(node);
                    if (node.Operation is Pooling)
                        blocked.Add(node.Outputs[0]);
                    break;
            }
        }

        void Open(Node node)
        {
            open[node.Outputs[0]] = _groups[node] = new(node);
            blocked.Add(node.Outputs[0]);
        }

        void Join(TrainedGroup group, Node node)
        {
            // A group has one gradient, which a convolution at its head reads with a halo.
            if (_gradientHalos.TryGetValue(group.Output, out Halo halo))
                Need(_gradientHalos, node.Outputs[0], halo);
            group.Members.Add(node);
            _groups[node] = group;
            open[node.Outputs[0]] = group;
            blocked.Add(node.Outputs[0]);
        }

        bool TakesResidual(Node node, int side) =>
            open.TryGetValue(node.Inputs[side], out TrainedGroup? group)
            && group is { Residual: null, IsRectified: false }
            && uses.OnlyReader(node.Inputs[side]) == node
            && blocked.Contains(node.Inputs[1 - side])
            && node.Inputs[0] != node.Inputs[1]
            && _shapes[node.Inputs[0]].Shape == _shapes[node.Inputs[1]].Shape;

        static void Need(Dictionary<string, Halo> halos, string name, Halo halo) => halos[name] = halo.Union(halos.GetValueOrDefault(name));
    }

    /// <summary>The convolution a node performs, where blocked kernels know it and all its gradients.</summary>
    private ConvolutionShape? ShapeOf(Node node)
    {
        Shape input = _shapes[node.Inputs[0]].Shape;
        bool known =
            input.Rank is 3 or 4
            && input[0] % _images == 0
            && _shapes[node.Inputs[0]].Type == ElementType.Float32
            && ConstantOf(node.Inputs[0]) is null
            && ConstantOf(node.Inputs[1]) is Tensor<float>
            && (node.Inputs.ElementAtOrDefault(2) is not { Length: > 0 } bias || ConstantOf(bias) is Tensor<float>);
        if (!known)
            return null;
        Convolution operation = (Convolution)node.Operation;
        Shape weights = _shapes[node.Inputs[1]].Shape;
        ImmutableArray<WindowAxis> windows = operation.Windows(input, weights);
        if (Window(windows) is not { } w)
            return null;
        ConvolutionShape shape = new(
            input[1],
            weights[0],
            w.Height,
            w.Width,
            w.StrideY,
            w.StrideX,
            w.DilationY,
            w.DilationX,
            w.Padding,
            operation.Groups
        );
        bool carries = _paths.Carry(node.Outputs[0]);
        return BlockedConvolution.Supports(shape) && (!carries || !_paths.Carry(node.Inputs[0]) || BackOf(node, shape) is not null)
            ? shape
            : null;
    }

    /// <summary>What carries the gradient back to the input; null where nobody asks or blocked kernels do not.</summary>
    private InputGradient? BackOf(Node node, ConvolutionShape shape)
    {
        if (!_paths.Carry(node.Inputs[0]))
            return null;
        (int height, int width) = PlaneOf(node.Inputs[0]);
        (int upstreamHeight, int upstreamWidth) = PlaneOf(node.Outputs[0]);
        return InputGradient.Of(
            shape,
            new(1, shape.InputChannels, height, width, default),
            new(1, shape.OutputChannels, upstreamHeight, upstreamWidth, default)
        );
    }

    private bool IsPlanePool(Node node) =>
        node.Operation switch
        {
            MaxPool { WithIndices: false } pool => Window(pool.Windows(_shapes[node.Inputs[0]].Shape)) is not null,
            AveragePool pool => Window(pool.Windows(_shapes[node.Inputs[0]].Shape)) is not null,
            ReduceMean mean => mean.Resolve(_shapes[node.Inputs[0]].Shape, node.Inputs.Length > 1 ? ConstantOf(node.Inputs[1]) : null)
                .Order()
                .SequenceEqual(Enumerable.Range(2, _shapes[node.Inputs[0]].Shape.Rank - 2)),
            GlobalAveragePool => true,
            _ => false,
        };

    /// <summary>
    /// The window of a plane, or of a single row where there is one axis; null where padding is negative or there is no plane.
    /// </summary>
    private static PlaneWindow? Window(ImmutableArray<WindowAxis> axes)
    {
        if (axes is [var only])
            axes = [new(Input: 1, Output: 1, Taps: 1, Stride: 1, Dilation: 1, Begin: 0, End: 0), only];
        return axes is not [var y, var x] || Math.Min(Math.Min(y.Begin, y.End), Math.Min(x.Begin, x.End)) < 0
            ? null
            : new(y.Taps, x.Taps, y.Stride, x.Stride, y.Dilation, x.Dilation, new(y.Begin, x.Begin, y.End, x.End));
    }

    /// <summary>Extents of a feature map's planes; a map of one axis has planes of one row.</summary>
    private (int Height, int Width) PlaneOf(string name) =>
        _shapes[name].Shape is { Rank: 3 } row ? (1, row[2]) : (_shapes[name].Shape[2], _shapes[name].Shape[3]);

    /// <summary>Scale, shift, mean and variance of a normalisation; null where one of them is computed.</summary>
    private Tensor<float>[]? Parameters(Node node)
    {
        Tensor<float>?[] parameters = [.. node.Inputs.Skip(1).Select(name => ConstantOf(name) as Tensor<float>)];
        return parameters is [{ } scale, { } shift, { } mean, { } variance] && _shapes[node.Inputs[0]].Shape.Rank is 3 or 4
            ? [scale, shift, mean, variance]
            : null;
    }
}
