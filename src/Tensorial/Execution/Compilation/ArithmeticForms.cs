using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;
using Activation = Tensorial.Kernels.Blocked.Activation;

namespace Tensorial.Execution;

/// <summary>Sums, differences, products and quotients of maps, or of a map and a factor by channel, and gradients of products.</summary>
internal static class ArithmeticForms
{
    public static Form? Forward(FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        (string a, string b) = (node.Inputs[0], node.Inputs[1]);
        if (!scope.IsMap(node.Outputs[0]) || !(scope.IsBlocked(a) || scope.IsBlocked(b)))
            return null;
        Shape result = scope.ShapeOf(node.Outputs[0]);
        bool aIsMap = scope.IsComputed(a) && scope.ShapeOf(a) == result,
            bIsMap = scope.IsComputed(b) && scope.ShapeOf(b) == result;
        BinaryFunction operation = node.Operation switch
        {
            Add => BinaryFunction.Add,
            Sub => BinaryFunction.Subtract,
            Mul => BinaryFunction.Multiply,
            _ => BinaryFunction.Divide,
        };
        if (aIsMap && bIsMap)
            return Binary(group, operation, a, b);
        (string map, string other) = aIsMap ? (a, b) : (b, a);
        if (!scope.IsBlocked(map) || scope.ShapeOf(map) != result)
            return null;
        if (scope.IsComputed(other))
            return operation == BinaryFunction.Multiply && IsFactorByImage(other, map, scope) ? ScaleImages(group, map, other) : null;
        return scope.PerChannel(other, map) is { } values ? ByChannel(group, operation, map, values, constantFirst: map == b) : null;
    }

    private static Form Binary(FusedGroup group, BinaryFunction operation, string a, string b)
    {
        Activation activation = group.Activation;
        return new(
            [a, b],
            [new(group.Output)],
            emission =>
            {
                (Value left, Value right) = (emission.Blocked(a), emission.Blocked(b));
                Value y = emission.Result(group.Output);
                emission.Images(
                    group.Label,
                    [left, right],
                    [y],
                    (frame, piece) =>
                        BlockedElementwise.Binary(
                            operation,
                            piece.Of(frame, left),
                            piece.Layout(left),
                            piece.Of(frame, right),
                            piece.Layout(right),
                            activation,
                            piece.Clean(frame, y),
                            piece.Layout(y),
                            piece.Workers
                        )
                );
            }
        );
    }

    /// <summary>Squeeze-and-excitation: one factor for each image and channel.</summary>
    private static Form ScaleImages(FusedGroup group, string map, string factor)
    {
        Activation activation = group.Activation;
        return new(
            [map],
            [new(group.Output)],
            emission =>
            {
                (Value x, Value factors) = (emission.Blocked(map), emission.Plain(factor));
                Value y = emission.Result(group.Output);
                emission.Images(
                    group.Label,
                    [x, factors],
                    [y],
                    (frame, piece) =>
                        BlockedElementwise.ScaleImages(
                            piece.Of(frame, x),
                            piece.Layout(x),
                            piece.Rows(frame, factors),
                            activation,
                            piece.Clean(frame, y),
                            piece.Layout(y),
                            piece.Workers
                        )
                );
            }
        );
    }

    private static Form? ByChannel(FusedGroup group, BinaryFunction operation, string map, float[] values, bool constantFirst) =>
        (operation, constantFirst) switch
        {
            (BinaryFunction.Add, _) => NormalizationForms.ScaleShift(group, map, [], values),
            (BinaryFunction.Subtract, false) => NormalizationForms.ScaleShift(group, map, [], Array.ConvertAll(values, static v => -v)),
            (BinaryFunction.Subtract, true) => NormalizationForms.ScaleShift(group, map, [.. values.Select(static _ => -1f)], values),
            (BinaryFunction.Multiply, _) => NormalizationForms.ScaleShift(group, map, values, []),
            (BinaryFunction.Divide, false) when Array.TrueForAll(values, static v => float.IsNormal(1 / v)) =>
                NormalizationForms.ScaleShift(group, map, Array.ConvertAll(values, static v => 1 / v), []),
            _ => null,
        };

    /// <summary>The gradients of a product of two maps: dy times the other.</summary>
    public static Form? ProductGradient(GradientOf gradient, FusedGroup group, Scope scope)
    {
        Node node = group.Head;
        string dy = node.Inputs[gradient.Upstream()];
        if (!scope.IsMap(dy) || gradient.Shapes.Any(shape => shape != scope.ShapeOf(dy)))
            return null;
        string[] others = [.. gradient.Wanted.Select(operand => node.Inputs[1 - operand])];
        if (others.Any(other => !scope.IsComputed(other) || !scope.IsBlocked(other)))
            return null;
        return new(
            [dy, .. others.Select(static other => (BlockedRead)other)],
            [.. node.Outputs.Select(static name => new FormResult(name))],
            emission =>
            {
                Value upstream = emission.Blocked(dy);
                for (int k = 0; k < others.Length; k++)
                {
                    (Value factor, Value to) = (emission.Blocked(others[k]), emission.Result(node.Outputs[k]));
                    emission.Images(
                        group.Label,
                        [upstream, factor],
                        [to],
                        (frame, piece) =>
                            BlockedElementwise.Binary(
                                BinaryFunction.Multiply,
                                piece.Of(frame, upstream),
                                piece.Layout(upstream),
                                piece.Of(frame, factor),
                                piece.Layout(factor),
                                Activation.None,
                                piece.Clean(frame, to),
                                piece.Layout(to),
                                piece.Workers
                            )
                    );
                }
            }
        );
    }

    private static bool IsFactorByImage(string factor, string map, Scope scope)
    {
        (Shape own, Shape whole) = (scope.ShapeOf(factor), scope.ShapeOf(map));
        return own.Rank == whole.Rank && own[0] == whole[0] && own[1] == whole[1] && own.ElementCount == whole[0] * whole[1];
    }
}
