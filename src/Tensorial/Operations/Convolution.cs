using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// Cross-correlation of X[n,i,x…] with weights W[o,i/groups,k…], plus an optional bias B[o]:
/// Y[n,o,y…] = B[o] + Σ W[o,i,k…] X[n,i, stride·y + dilation·k - pad …], over any number of spatial axes.
/// </summary>
public sealed record Convolution : Windowed
{
    /// <inheritdoc/>
    public override string Name => "Conv";

    /// <summary>Channels are split into this many groups that do not see each other.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>The window over each spatial axis for concrete extents: paddings and output extents resolved.</summary>
    internal ImmutableArray<WindowAxis> Windows(Shape input, Shape weights) => Resolve(input.Extents[2..], weights.Extents[2..]);

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Floating(0, "X"),
            w = inputs.Floating(1, "W");
        if (x.Shape.Rank < 3)
            throw new ShapeException($"the input needs batch, channels and at least one spatial axis, not the shape {x.Shape}.");
        w.OfRank(x.Shape.Rank, "the weights");
        int outputs = w.Shape[0];
        if (Groups < 1 || outputs % Groups != 0)
            throw new ShapeException($"{outputs} output channels do not split into {Groups} groups.");
        if (x.Shape[1] != (long)w.Shape[1] * Groups)
            throw new ShapeException(
                $"the input has {x.Shape[1]} channels; weights {w.Shape} in {Groups} groups take {(long)w.Shape[1] * Groups}."
            );
        if (inputs.Optional(2) is { } b && b.Shape != [outputs])
            throw new ShapeException($"the bias has the shape {b.Shape} instead of {outputs}.");
        return [new(x.Type, [x.Shape[0], outputs, .. Windows(x.Shape, w.Shape).Select(static window => window.Output)])];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            w = inputs[1]!.Of<T>(),
            y = outputs[0].Of<T>();
        Tensor<T>? bias = inputs.Optional(2)?.Of<T>();
        ChannelPlanes.Fill(y, bias);
        new WindowedProduct(x.Shape, w.Shape, Groups, Windows(x.Shape, w.Shape)).Collect(x, w, y, workers);
    }

    internal override Reads? GradientReads(int input) =>
        input switch
        {
            0 => Reads.Input(1),
            1 => Reads.Input(0),
            _ => Reads.Nothing,
        };

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Tensor<T> dy = pull.Dy;
        WindowedProduct product = new(pull.Shape(0), pull.Shape(1), Groups, Windows(pull.Shape(0), pull.Shape(1)));
        if (pull.Gradient(0) is { } dx)
            product.Spread(dy, pull.Input(1), dx, workers);
        if (pull.Gradient(1) is { } dw)
            product.Correlate(pull.Input(0), dy, dw, workers);
        if (pull.Gradient(2) is { } bias)
            ChannelPlanes.AddSums(dy, bias);
    }

    private protected override Equations.Plan? PlanOf(ReadOnlySpan<Shape> inputs) =>
        WindowedProduct.PlanOf(inputs[0], inputs[1], Groups, Windows(inputs[0], inputs[1]));

    /// <summary>One for every tap of every input channel of the group, at every output value; taps that meet padding count too.</summary>
    internal override long Macs(ReadOnlySpan<ValueInfo?> inputs, ReadOnlySpan<ValueInfo> outputs) =>
        (long)outputs[0].Shape.ElementCount * inputs[1]!.Shape.ElementCountOf(1, inputs[1]!.Shape.Rank);
}
