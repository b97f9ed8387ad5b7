using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// The k largest (or smallest) values along an axis in their order, and where they stood; of equal ones the first come first. k is a second
/// operand where it is no property.
/// </summary>
/// <param name="Axis">The axis.</param>
/// <param name="Largest">Whether the largest are taken.</param>
/// <param name="Count">k; null where the second operand says.</param>
public sealed record TopK(int Axis = -1, bool Largest = true, int? Count = null) : NumberOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Numeric(0, "X");
        int axis = Operands.Axis(Axis, x.Shape.Rank),
            count = Count ?? K(inputs.Constant(1, "K"));
        if (count < 0 || count > x.Shape[axis])
            throw new ShapeException($"{count} of {x.Shape[axis]} values along axis {axis} cannot be taken.");
        Shape shape = x.Shape.With(axis, count);
        return [new(x.Type, shape), new(ElementType.Int64, shape)];
    }

    private static int K(Tensor? given) =>
        given is null ? throw new BadInputException("input 1 (K) is missing.") : given.Single("K").Integers("K")[0];

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            values = outputs[0].Of<T>();
        Tensor<long>? indices = outputs.Length > 1 ? outputs[1].Of<long>() : null;
        int axis = Operands.Axis(Axis, x.Shape.Rank),
            length = x.Shape[axis],
            count = values.Shape[axis],
            inner = x.Shape.ElementCountOf(axis + 1, x.Shape.Rank);
        workers.For(
            x.Shape.ElementCountOf(0, axis) * inner,
            line =>
            {
                int from = line / inner * length * inner + line % inner,
                    to = line / inner * count * inner + line % inner;
                T[] keys = new T[length];
                int[] order = new int[length];
                for (int i = 0; i < length; i++)
                    (keys[i], order[i]) = (x.Values[from + i * inner], i);
                order.AsSpan().Sort((one, other) => Compare(keys[one], keys[other]) is var c && c != 0 ? c : one.CompareTo(other));
                for (int i = 0; i < count; i++)
                {
                    values.Values[to + i * inner] = keys[order[i]];
                    if (indices is not null)
                        indices.Values[to + i * inner] = order[i];
                }
            }
        );
    }

    private int Compare<T>(T one, T other)
        where T : INumber<T> => Largest ? other.CompareTo(one) : one.CompareTo(other);

    internal override Reads? GradientReads(int input) => input == 0 ? Reads.Output(1) : null;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx || pull.Upstream(0) is not { } dy)
            return;
        int[] places = GatherElements.Places(dx.Shape, pull.Results[1]!, Axis);
        for (int i = 0; i < places.Length; i++)
            dx.Values[places[i]] += dy.Values[i];
    }
}
