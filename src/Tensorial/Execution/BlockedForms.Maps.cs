using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;
using Activation = Tensorial.Kernels.Blocked.Activation;
using Arithmetics = Tensorial.Kernels.Blocked.Arithmetic;

namespace Tensorial.Execution;

/// <summary>What lies between convolutions: means, scales, sums, parts and joins of feature maps.</summary>
internal sealed partial class BlockedForms
{
    private static BlockedForm Means(Node node) =>
        Map(
            node,
            (input, output) =>
                frame => BlockedPooling.GlobalAverage(frame.Floats(input), input.Layout!.Value, frame.Floats(output), frame.Workers)
        ) with
        {
            ResultIsBlocked = false,
        };

    private bool ReducesPlanes(ReduceMean mean, Node node)
    {
        Shape shape = shapes[node.Inputs[0]].Shape;
        Tensor? axes = node.Inputs.ElementAtOrDefault(1) is { Length: > 0 } name ? graph.Initializers.GetValueOrDefault(name) : null;
        return shape.Rank == 4 && mean.Resolve(shape, axes).Order().SequenceEqual([2, 3]);
    }

    /// <summary>A batch normalisation that no convolution could take in: y = γ/√(σ²+ε) x + (β − μ γ/√(σ²+ε)).</summary>
    private BlockedForm? ScaleShift(Node node, BatchNormalization norm)
    {
        Tensor<float>?[] parameters = [.. node.Inputs.Skip(1).Select(Constant)];
        if (parameters is not [{ } gamma, { } beta, { } mean, { } variance])
            return null;
        float[] scale = new float[gamma.Shape.Count],
            shift = new float[scale.Length];
        for (int c = 0; c < scale.Length; c++)
        {
            double factor = gamma.Values[c] / Math.Sqrt(variance.Values[c] + (double)norm.Epsilon);
            (scale[c], shift[c]) = ((float)factor, (float)(beta.Values[c] - mean.Values[c] * factor));
        }
        return ScaleShift(node, node.Inputs[0], scale, shift);
    }

    private static BlockedForm ScaleShift(Node node, string input, float[] scale, float[] shift) =>
        new(
            node.Label,
            [input],
            node.Outputs[0],
            [.. node.Inputs],
            (values, output) =>
                frame =>
                    BlockedElementwise.ScaleShift(
                        frame.Floats(values[0]),
                        values[0].Layout!.Value,
                        scale,
                        shift,
                        Activation.None,
                        frame.ClearedHalo(output),
                        output.Layout!.Value,
                        frame.Workers
                    )
        );

    private BlockedForm? Arithmetic(Node node)
    {
        (string a, string b) = (node.Inputs[0], node.Inputs[1]);
        Shape result = shapes[node.Outputs[0]].Shape,
            aShape = shapes[a].Shape,
            bShape = shapes[b].Shape;
        bool aConstant = graph.Initializers.ContainsKey(a),
            bConstant = graph.Initializers.ContainsKey(b);
        Arithmetics operation = node.Operation switch
        {
            Add => Arithmetics.Add,
            Sub => Arithmetics.Subtract,
            Mul => Arithmetics.Multiply,
            _ => Arithmetics.Divide,
        };

        if (!aConstant && !bConstant && aShape == bShape)
            return new(
                node.Label,
                [a, b],
                node.Outputs[0],
                [],
                (values, output) =>
                    frame =>
                        BlockedElementwise.Binary(
                            operation,
                            frame.Floats(values[0]),
                            values[0].Layout!.Value,
                            frame.Floats(values[1]),
                            values[1].Layout!.Value,
                            Activation.None,
                            frame.ClearedHalo(output),
                            output.Layout!.Value,
                            frame.Workers
                        )
            );

        // Squeeze-and-excitation: one factor for each image and channel.
        if (operation == Arithmetics.Multiply && !aConstant && !bConstant)
        {
            (string map, string factor) = aShape == result ? (a, b) : (b, a);
            Shape planes = [result[0], result[1], 1, 1];
            if (shapes[map].Shape == result && shapes[factor].Shape == planes && isBlocked(map))
                return new(
                    node.Label,
                    [map, BlockedRead.Plain(factor)],
                    node.Outputs[0],
                    [],
                    (values, output) =>
                        frame =>
                            BlockedElementwise.ScaleImages(
                                frame.Floats(values[0]),
                                values[0].Layout!.Value,
                                frame.Floats(values[1]),
                                Activation.None,
                                frame.ClearedHalo(output),
                                output.Layout!.Value,
                                frame.Workers
                            )
                );
            return null;
        }

        // A constant for each channel.
        (string x, string constant) = aConstant ? (b, a) : (a, b);
        if (shapes[x].Shape != result || !isBlocked(x) || PerChannel(constant, node) is not { } values)
            return null;
        return (operation, aConstant) switch
        {
            (Arithmetics.Add, _) => ScaleShift(node, x, [], values),
            (Arithmetics.Subtract, false) => ScaleShift(node, x, [], Array.ConvertAll(values, static v => -v)),
            (Arithmetics.Multiply, _) => ScaleShift(node, x, values, []),
            _ => null,
        };
    }

    /// <summary>A constant that is one number, or one for each channel, as one for each channel; null where it is neither.</summary>
    private float[]? PerChannel(string name, Node node)
    {
        if (Constant(name) is not { } constant)
            return null;
        int channels = shapes[node.Outputs[0]].Shape[1];
        if (constant.Shape.Count == 1)
            return [.. Enumerable.Repeat(constant.Values[0], channels)];
        int[] extents = [.. constant.Shape];
        bool fits = extents.Length is 3 or 4 && extents[^3] == channels && constant.Shape.Count == channels;
        return fits ? constant.Values.ToArray() : null;
    }

    private BlockedForm? Concatenate(Node node)
    {
        if (node.Inputs.Any(graph.Initializers.ContainsKey))
            return null;
        return new(
            node.Label,
            [.. node.Inputs.Select(static name => (BlockedRead)name)],
            node.Outputs[0],
            [],
            (values, output) =>
                frame =>
                {
                    Span<float> target = frame.ClearedHalo(output);
                    int channel = 0;
                    foreach (Value value in values)
                    {
                        BlockedLayout layout = value.Layout!.Value;
                        BlockedMovement.CopyChannels(
                            frame.Floats(value),
                            layout,
                            0,
                            layout.Channels,
                            target,
                            output.Layout!.Value,
                            channel,
                            frame.Workers
                        );
                        channel += layout.Channels;
                    }
                }
        );
    }

    /// <summary>A slice along channels alone, or along rows and columns alone, that does not run backwards.</summary>
    private BlockedForm? Slice(Node node, Slice slice)
    {
        if (!isBlocked(node.Inputs[0]))
            return null;
        Shape input = shapes[node.Inputs[0]].Shape;
        Tensor?[] given =
        [
            .. Enumerable.Range(1, 4).Select(i => node.Inputs.ElementAtOrDefault(i) is { Length: > 0 } name ? shapes[name].Value : null),
        ];
        Slice.Cut[] cuts = slice.Resolve(input, given[0], given[1], given[2], given[3]);
        bool[] whole = [.. cuts.Select((cut, axis) => cut is { Start: 0, Step: 1 } && cut.Count == input[axis])];
        if (!whole[0] || cuts.Any(static cut => cut.Step < 1))
            return null;
        (Slice.Cut c, Slice.Cut y, Slice.Cut x) = (cuts[1], cuts[2], cuts[3]);
        if (whole[1])
            return Map(
                node,
                (from, output) =>
                    frame =>
                        BlockedMovement.Slice(
                            frame.Floats(from),
                            from.Layout!.Value,
                            y.Start,
                            x.Start,
                            y.Step,
                            x.Step,
                            frame.ClearedHalo(output),
                            output.Layout!.Value,
                            frame.Workers
                        )
            );
        if (whole[2] && whole[3] && c.Step == 1)
            return Map(
                node,
                (from, output) =>
                    frame =>
                        BlockedMovement.CopyChannels(
                            frame.Floats(from),
                            from.Layout!.Value,
                            c.Start,
                            c.Count,
                            frame.ClearedHalo(output),
                            output.Layout!.Value,
                            0,
                            frame.Workers
                        )
            );
        return null;
    }

    /// <summary>Padding with one value along channels alone, or along rows and columns alone.</summary>
    private BlockedForm? Pad(Node node, Pad pad)
    {
        if (!isBlocked(node.Inputs[0]))
            return null;
        Shape input = shapes[node.Inputs[0]].Shape;
        Tensor?[] given =
        [
            .. Enumerable.Range(1, 3).Select(i => node.Inputs.ElementAtOrDefault(i) is { Length: > 0 } name ? shapes[name].Value : null),
        ];
        (int Begin, int End)[] pads = pad.Resolve(input, given[0], given[2]);
        float value = (given[1] as Tensor<float>)?.Values[0] ?? pad.Value;
        if (node.Inputs.ElementAtOrDefault(2) is { Length: > 0 } && given[1] is null)
            return null;
        if (pads[0] != default || pads.Any(static p => p.Begin < 0 || p.End < 0))
            return null;
        if (pads[1] == default)
            return Map(
                node,
                (from, output) =>
                    frame =>
                        BlockedMovement.Pad(
                            frame.Floats(from),
                            from.Layout!.Value,
                            pads[2].Begin,
                            pads[3].Begin,
                            value,
                            frame.ClearedHalo(output),
                            output.Layout!.Value,
                            frame.Workers
                        )
            );
        if (pads[2] != default || pads[3] != default)
            return null;
        return Map(
            node,
            (from, output) =>
                frame =>
                {
                    Span<float> target = frame.ClearedHalo(output);
                    BlockedLayout layout = output.Layout!.Value;
                    BlockedMovement.FillChannels(value, target, layout, 0, pads[1].Begin, frame.Workers);
                    BlockedMovement.CopyChannels(
                        frame.Floats(from),
                        from.Layout!.Value,
                        0,
                        input[1],
                        target,
                        layout,
                        pads[1].Begin,
                        frame.Workers
                    );
                    BlockedMovement.FillChannels(value, target, layout, pads[1].Begin + input[1], pads[1].End, frame.Workers);
                }
        );
    }
}
