using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;
using Activation = Tensorial.Kernels.Blocked.Activation;
using Backward = Tensorial.Kernels.Blocked.InputGradient;

namespace Tensorial.Execution;

/// <summary>Convolutions of feature maps, and their gradients.</summary>
internal static class ConvolutionForms
{
    /// <summary>y = f(kernel * x + bias + residual).</summary>
    public static Form? Forward(FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string x = node.Inputs[0],
            kernel = node.Inputs[1];
        if (
            !scope.IsMap(x)
            || !scope.IsComputed(x)
            || !scope.IsMap(group.Output)
            || !CanPack(kernel, scope)
            || !scope.IsFloat(node.Inputs.ElementAtOrDefault(2))
        )
            return null;
        if (PlaneWindows.Convolution((Convolution)node.Operation, scope.ShapeOf(x), scope.ShapeOf(kernel)) is not { } shape)
            return null;
        if (group.Residual is null && PlanarConvolution.Supports(shape) && !scope.IsBlocked(x))
            return new([], [new(group.Output)], emission => EmitPlanar(emission, group, shape));
        ImmutableArray<BlockedRead> reads = [new(x, shape.Padding)];
        if (group.Residual is { } residual)
            reads = reads.Add(residual);
        return new(reads, [new(group.Output)], emission => EmitForward(emission, group, shape, scope));
    }

    /// <summary>A first layer reads plain planes.</summary>
    private static void EmitPlanar(Emission emission, FusedGroup group, ConvolutionShape shape)
    {
        Node node = group.Head;
        Value x = emission.Plain(node.Inputs[0]);
        List<Value> reads = [x];
        Floats bias = emission.Numbers(node.Inputs.ElementAtOrDefault(2), reads);
        Value y = emission.Result(group.Output);
        BlockedLayout extents = new(0, x.Shape[1], x.Shape.Rank == 3 ? 1 : x.Shape[2], x.Shape[^1], default);
        PackedKernel kernel = emission.Kernel(node.Inputs[1], KernelPacking.OfPlanar(shape));
        Activation activation = group.Activation;
        emission.Images(
            group.Label,
            reads,
            [y],
            (frame, piece) =>
                PlanarConvolution.Run(
                    shape,
                    piece.Rows(frame, x),
                    extents with
                    {
                        Images = piece.Layout(y).Images,
                    },
                    kernel,
                    bias(frame),
                    activation,
                    piece.Clean(frame, y),
                    piece.Layout(y),
                    piece.Workers
                )
        );
    }

    private static void EmitForward(Emission emission, FusedGroup group, ConvolutionShape shape, Scope scope)
    {
        Node node = group.Head;
        Value x = emission.Blocked(node.Inputs[0]);
        Value? residual = group.Residual is { } added ? emission.Blocked(added) : null;
        List<Value> reads = residual is null ? [x] : [x, residual];
        Floats bias = emission.Numbers(node.Inputs.ElementAtOrDefault(2), reads);
        Value y = emission.Result(group.Output);
        BlockedLayout layout = y.Layout!.Value;
        ConvolutionMethod method = ConvolutionChoice.Best(shape, layout.Height, layout.Width, scope.ImagesOf(layout), scope.Threads);
        PackedKernel kernel = emission.Kernel(node.Inputs[1], new(shape, method));
        Activation activation = group.Activation;
        emission.Images(
            group.Label,
            reads,
            [y],
            (frame, piece) =>
                BlockedConvolution.Run(
                    shape,
                    piece.Of(frame, x),
                    piece.Layout(x),
                    kernel,
                    bias(frame),
                    residual is null ? [] : piece.Of(frame, residual),
                    residual is null ? default : piece.Layout(residual),
                    activation,
                    piece.Clean(frame, y),
                    piece.Layout(y),
                    piece.Workers
                )
        );
    }

    /// <summary>The gradient of a convolution's input, added to another contribution where there is one.</summary>
    public static Form? InputGradient(GradientOf gradient, FusedGroup group, Scope scope, LastReads last)
    {
        Node node = group.Head;
        string kernel = node.Inputs[1],
            dy = node.Inputs[gradient.Upstream()],
            dx = group.Output;
        if (!scope.IsMap(dy) || !scope.IsMap(dx) || !CanPack(kernel, scope) || ShapeOf(gradient) is not { } shape)
            return null;
        if (Backward.From(shape, scope.LayoutOf(dx) with { Images = 1 }, scope.LayoutOf(dy) with { Images = 1 }) is not { } back)
            return null;
        ImmutableArray<BlockedRead> reads = [new(dy, back.Padding)];
        if (group.Residual is not { } former)
            return new(reads, [new(dx)], emission => EmitInputGradient(emission, group, scope, back, kernel, dy, false));
        return new(
            reads.Add(former),
            [new(dx, Over: last.Over(former, group))],
            emission =>
            {
                Value total = emission.Result(dx);
                if (last.Over(former, group) is null)
                    Copy(emission, $"copy {former}", emission.Blocked(former), total);
                EmitInputGradient(emission, group, scope, back, kernel, dy, true);
            }
        );
    }

    private static void EmitInputGradient(
        Emission emission,
        FusedGroup group,
        Scope scope,
        Backward back,
        string kernel,
        string upstream,
        bool adds
    ) => EmitBackward(emission, group.Label, scope, back, kernel, emission.Blocked(upstream), emission.Result(group.Output), adds);

    private static void EmitBackward(
        Emission emission,
        string label,
        Scope scope,
        Backward back,
        string kernel,
        Value dy,
        Value dx,
        bool adds
    )
    {
        int images = scope.ImagesOf(dx.Layout!.Value);
        PackedKernel[] kernels =
        [
            .. back.Phases.Select(phase => emission.Kernel(kernel, KernelPacking.From(phase, images, scope.Threads))),
        ];
        Value? plane = back.Plane(dx.Layout!.Value) is { } layout ? Emission.Room($"{label} phase", layout) : null;
        emission.Images(
            $"{label} of input",
            adds ? [dy, dx] : [dy],
            plane is null ? [dx] : [dx, plane],
            (frame, piece) =>
                back.Run(
                    piece.Of(frame, dy),
                    piece.Layout(dy),
                    kernels,
                    plane is null ? [] : piece.Of(frame, plane),
                    adds ? piece.Of(frame, dx) : piece.Clean(frame, dx),
                    piece.Layout(dx),
                    adds,
                    piece.Workers
                )
        );
    }

    /// <summary>A transposed convolution is the gradient of a convolution's input.</summary>
    public static Form? Transposed(FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string x = node.Inputs[0],
            kernel = node.Inputs[1];
        if (
            !scope.IsMap(x)
            || !scope.IsComputed(x)
            || !scope.IsMap(group.Output)
            || !CanPack(kernel, scope)
            || !scope.IsFloat(node.Inputs.ElementAtOrDefault(2))
        )
            return null;
        ConvolutionTranspose operation = (ConvolutionTranspose)node.Operation;
        if (PlaneWindows.Transposed(operation, scope.ShapeOf(x), scope.ShapeOf(kernel)) is not { } shape)
            return null;
        if (Backward.From(shape, scope.LayoutOf(group.Output) with { Images = 1 }, scope.LayoutOf(x) with { Images = 1 }) is not { } back)
            return null;
        return new(
            [new(x, back.Padding)],
            [new(group.Output)],
            emission =>
            {
                Value y = emission.Result(group.Output);
                EmitBackward(emission, group.Label, scope, back, kernel, emission.Blocked(x), y, adds: false);
                if (node.Inputs.ElementAtOrDefault(2) is not { Length: > 0 } name)
                    return;
                List<Value> reads = [y];
                Floats bias = emission.Numbers(name, reads);
                emission.Images(
                    $"{group.Label} bias",
                    reads,
                    [y],
                    (frame, piece) =>
                        BlockedElementwise.ScaleShift(
                            piece.Of(frame, y),
                            piece.Layout(y),
                            [],
                            bias(frame),
                            Activation.None,
                            piece.Of(frame, y),
                            piece.Layout(y),
                            piece.Workers
                        )
                );
            }
        );
    }

    /// <summary>The gradient of a convolution's kernel: sums of every shard, joined in their order.</summary>
    public static Form? KernelGradient(GradientOf gradient, FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string x = node.Inputs[0],
            dy = node.Inputs[gradient.Upstream()],
            dw = group.Output;
        if (!scope.IsMap(x) || !scope.IsComputed(x) || !scope.IsMap(dy) || ShapeOf(gradient) is not { } shape)
            return null;
        return new(
            [new(x, shape.Padding), dy],
            [new(dw, IsBlocked: false)],
            emission =>
            {
                Value input = emission.Blocked(x),
                    upstream = emission.Blocked(dy),
                    result = emission.Result(dw);
                ConvolutionMethod method = WinogradGradient.Best(shape, upstream.Layout!.Value);
                Value sums = emission.Sums($"{group.Label} sums", Kernels.Blocked.KernelGradient.SumsLength(shape, method));
                emission.Images(
                    $"{group.Label} of kernel",
                    [input, upstream],
                    [sums],
                    (frame, piece) =>
                        Kernels.Blocked.KernelGradient.Add(
                            shape,
                            method,
                            piece.Of(frame, input),
                            piece.Layout(input),
                            piece.Of(frame, upstream),
                            piece.Layout(upstream),
                            piece.Sums(frame, sums)
                        ),
                    frame =>
                    {
                        Span<float> to = frame.Floats(result);
                        to.Clear();
                        Kernels.Blocked.KernelGradient.Unpack(shape, method, frame.Floats(sums), sums.Shape[0], to, frame.Workers);
                    },
                    [result]
                );
            }
        );
    }

    /// <summary>Emits a copy of a blocked map.</summary>
    public static void Copy(Emission emission, string label, Value from, Value to) =>
        emission.Images(
            label,
            [from],
            [to],
            (frame, piece) =>
                BlockedElementwise.Activate(
                    Activation.None,
                    piece.Of(frame, from),
                    piece.Layout(from),
                    piece.Clean(frame, to),
                    piece.Layout(to),
                    piece.Workers
                )
        );

    private static ConvolutionShape? ShapeOf(GradientOf gradient) =>
        PlaneWindows.Convolution((Convolution)gradient.Of, gradient.Shapes[0], gradient.Shapes[1]);

    /// <summary>Whether a kernel can be packed before the batch is gone through.</summary>
    private static bool CanPack(string kernel, Scope scope) =>
        scope.Constant(kernel) is Tensor<float> || (scope.Batch.IsSharded && scope.IsParameter(kernel));
}
