using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// The adjoint of a convolution in its input: every X[n,i,x…] is spread by the weights W[i,o/groups,k…] over
/// Y[n,o, stride·x + dilation·k - pad …], plus an optional bias B[o].
/// </summary>
public sealed record ConvolutionTranspose : Windowed
{
    /// <inheritdoc/>
    public override string Name => "ConvTranspose";

    /// <summary>Number of groups of channels.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Extents added to the end of the result, which a stride above 1 leaves open; empty for none.</summary>
    public ImmutableArray<int> OutputPadding { get; init; } = [];

    /// <summary>Extents of the result, from which padding is then derived; empty where padding is given.</summary>
    public ImmutableArray<int> OutputShape { get; init; } = [];

    /// <summary>The window of the convolution this is the adjoint of: its input is our result and its output our input.</summary>
    internal ImmutableArray<WindowAxis> Windows(Shape input, Shape weights)
    {
        int axes = input.Rank - 2;
        Check(axes, weights.Extents[2..]);
        CheckCount(OutputPadding, axes, "output_padding");
        // Some writers repeat batch and channels in output_shape.
        ImmutableArray<int> wanted = OutputShape.Length == axes + 2 ? OutputShape[2..] : OutputShape;
        CheckCount(wanted, axes, "output_shape");
        return
        [
            .. Enumerable
                .Range(0, axes)
                .Select(axis => Window(axis, input[axis + 2], weights[axis + 2], wanted.IsEmpty ? null : wanted[axis])),
        ];
    }

    private WindowAxis Window(int axis, int input, int taps, int? wanted)
    {
        int stride = Strides.IsEmpty ? 1 : Strides[axis],
            dilation = Dilations.IsEmpty ? 1 : Dilations[axis];
        int extra = OutputPadding.IsEmpty ? 0 : OutputPadding[axis];
        if (extra < 0 || extra >= Math.Max(stride, dilation))
            throw new ShapeException($"output_padding {extra} must be below the stride {stride} or the dilation {dilation}.");
        long full = (long)stride * (input - 1) + (long)dilation * (taps - 1) + 1 + extra;
        if (AutoPad is AutoPad.SameUpper or AutoPad.SameLower)
            wanted ??= (int)Math.Min((long)input * stride, int.MaxValue);
        long begin = 0,
            end = 0;
        if (wanted is { } output)
        {
            // A result larger than what is spread is filled with zeros at its end: negative padding.
            long total = full - output;
            begin =
                total <= 0 ? 0
                : AutoPad == AutoPad.SameUpper ? total / 2
                : total - total / 2;
            end = total - begin;
        }
        else if (AutoPad == AutoPad.Explicit && !Pads.IsEmpty)
            (begin, end) = (Pads[axis], Pads[axis + Pads.Length / 2]);
        long extent = full - begin - end;
        if (extent < 1 || Math.Max(full, Math.Max(Math.Abs(begin), Math.Abs(end))) > MostPositions)
            throw new ShapeException($"padding {begin} and {end} leaves {extent} of {full} values.");
        return new((int)extent, input, taps, stride, dilation, (int)begin, (int)end);
    }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Floating(0, "X"),
            w = inputs.Floating(1, "W");
        if (x.Shape.Rank < 3)
            throw new ShapeException($"the input needs batch, channels and at least one spatial axis, not the shape {x.Shape}.");
        w.OfRank(x.Shape.Rank, "the weights");
        if (Groups < 1 || x.Shape[1] % Groups != 0)
            throw new ShapeException($"{x.Shape[1]} input channels do not split into {Groups} groups.");
        if (x.Shape[1] != w.Shape[0])
            throw new ShapeException($"the input has {x.Shape[1]} channels; weights {w.Shape} take {w.Shape[0]}.");
        int outputs = checked(w.Shape[1] * Groups);
        if (inputs.Optional(2) is { } b && b.Shape != [outputs])
            throw new ShapeException($"the bias has the shape {b.Shape} instead of {outputs}.");
        return [new(x.Type, [x.Shape[0], outputs, .. Windows(x.Shape, w.Shape).Select(static window => window.Input)])];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            w = inputs[1]!.Of<T>(),
            y = outputs[0].Of<T>();
        Tensor<T>? bias = inputs.Optional(2)?.Of<T>();
        ChannelPlanes.Fill(y, bias);
        new WindowedProduct(y.Shape, w.Shape, Groups, Windows(x.Shape, w.Shape)).Spread(x, w, y, workers);
    }

    internal override Reads? GradientReads(int input) =>
        input switch
        {
            0 => Reads.Input(1),
            1 => Reads.Input(0),
            _ => Reads.Nothing,
        };

    /// <summary>Seen as the convolution it is the adjoint of, dy takes the place of the input and x that of the result.</summary>
    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Tensor<T> dy = pull.Dy;
        WindowedProduct product = new(dy.Shape, pull.Shape(1), Groups, Windows(pull.Shape(0), pull.Shape(1)));
        if (pull.Gradient(0) is { } dx)
            product.Collect(dy, pull.Input(1), dx, workers);
        if (pull.Gradient(1) is { } dw)
            product.Correlate(dy, pull.Input(0), dw, workers);
        if (pull.Gradient(2) is { } bias)
            ChannelPlanes.AddSums(dy, bias);
    }

    /// <summary>That of the convolution, result and signal trading places.</summary>
    private protected override Equations.Plan? PlanOf(ReadOnlySpan<Shape> inputs)
    {
        ImmutableArray<WindowAxis> windows = Windows(inputs[0], inputs[1]);
        Shape result = [inputs[0][0], inputs[1][1] * Groups, .. windows.Select(static window => window.Input)];
        return WindowedProduct.PlanOf(result, inputs[1], Groups, windows)?.Adjoint(0);
    }

    /// <summary>One for every tap of every output channel of the group, at every input value.</summary>
    internal override long Macs(ReadOnlySpan<ValueInfo?> inputs, ReadOnlySpan<ValueInfo> outputs) =>
        (long)inputs[0]!.Shape.ElementCount * inputs[1]!.Shape.ElementCountOf(1, inputs[1]!.Shape.Rank);
}
