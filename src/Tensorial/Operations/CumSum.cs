using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>Sums of all values up to each one along an axis, which the second operand names.</summary>
/// <param name="Exclusive">Whether the value itself is left out.</param>
/// <param name="Reverse">Whether sums run from the end.</param>
public sealed record CumSum(bool Exclusive = false, bool Reverse = false) : NumberOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Numeric(0, "x");
        inputs.Required(1, "axis");
        if (inputs[1]!.Value is { } axis)
            AxisOf(axis, x.Shape);
        return [x with { Value = null }];
    }

    private static int AxisOf(Tensor given, Shape shape) => Operands.Axis(given.Single("axis").Integers("axis")[0], shape.Rank);

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Add(inputs[0]!.Of<T>(), AxisOf(inputs[1]!, inputs[0]!.Shape), Reverse, outputs[0].Of<T>());

    private void Add<T>(Tensor<T> x, int axis, bool reverse, Tensor<T> y)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        int length = x.Shape[axis],
            inner = x.Shape.ElementCountOf(axis + 1, x.Shape.Rank);
        for (int line = 0; line < x.Shape.ElementCountOf(0, axis) * inner; line++)
        {
            T sum = T.Zero;
            for (int i = 0; i < length; i++)
            {
                int at = (line / inner * length + (reverse ? length - 1 - i : i)) * inner + line % inner;
                T value = x.Values[at];
                y.Values[at] = Exclusive ? sum : sum + value;
                sum += value;
            }
        }
    }

    internal override Reads? GradientReads(int input) => input == 0 ? Reads.Input(1) : null;

    /// <summary>A value counts in all sums behind it, so the gradient sums from the other end.</summary>
    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx)
            return;
        Tensor<T> sums = new(dx.Shape);
        Add(pull.Dy, AxisOf(pull.Inputs[1]!, dx.Shape), !Reverse, sums);
        dx.Add<T>(sums.Values);
    }
}
