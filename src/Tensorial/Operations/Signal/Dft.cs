using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// The discrete Fourier transform along one axis of [n,…,1] real or [n,…,2] complex values. A second operand may say the length, to which
/// the axis is cut or filled with zeros, a third the axis.
/// </summary>
/// <param name="Axis">The axis, where no operand says.</param>
/// <param name="Inverse">Whether the inverse is computed.</param>
/// <param name="OneSided">Whether only the first ⌊length / 2⌋ + 1 values of a real signal's transform are given.</param>
public sealed record Dft(int Axis = 1, bool Inverse = false, bool OneSided = false) : FloatOperation
{
    /// <inheritdoc/>
    public override string Name => "DFT";

    /// <summary>Longest transform: what one line takes in complex doubles must stay far from the size of memory.</summary>
    private const int Longest = 1 << 26;

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Floating(0, "input");
        if (x.Shape.Rank < 2 || x.Shape[^1] is not (1 or 2))
            throw new ShapeException($"the last axis of {x.Shape} must have extent 1 (real) or 2 (complex).");
        int axis = AxisOf(x.Shape, inputs.Constant(2, "axis")),
            length = LengthOf(x.Shape, axis, inputs.Constant(1, "dft_length"));
        if (OneSided && Inverse)
            throw new UnsupportedException("the inverse of a one-sided transform is not supported.");
        if (OneSided && x.Shape[^1] != 1)
            throw new ShapeException("only a real signal has a one-sided transform.");
        return [new(x.Type, x.Shape.With(axis, OneSided ? length / 2 + 1 : length).With(x.Shape.Rank - 1, 2))];
    }

    private int AxisOf(Shape shape, Tensor? given)
    {
        int axis = Operands.Axis(given?.Single("axis").Integers("axis")[0] ?? Axis, shape.Rank);
        return axis < shape.Rank - 1 ? axis : throw new ShapeException($"axis {axis} holds the parts of complex numbers.");
    }

    private static int LengthOf(Shape shape, int axis, Tensor? given)
    {
        int length = given?.Single("dft_length").Integers("dft_length")[0] ?? shape[axis];
        return length is >= 1 and <= Longest ? length : throw new ShapeException($"a transform of length {length} is not supported.");
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            y = outputs[0].Of<T>();
        int axis = AxisOf(x.Shape, inputs.Optional(2)),
            length = LengthOf(x.Shape, axis, inputs.Optional(1)),
            parts = x.Shape[^1],
            inner = x.Shape.ElementCountOf(axis + 1, x.Shape.Rank - 1),
            kept = y.Shape[axis];
        workers.For(
            x.Shape.ElementCountOf(0, axis) * inner,
            line =>
            {
                Complex[] values = new Complex[length];
                for (int i = 0; i < Math.Min(length, x.Shape[axis]); i++)
                {
                    int at = (line / inner * x.Shape[axis] * inner + i * inner + line % inner) * parts;
                    values[i] = new(double.CreateTruncating(x.Values[at]), parts == 2 ? double.CreateTruncating(x.Values[at + 1]) : 0);
                }
                Fourier.Transform(values, Inverse);
                for (int i = 0; i < kept; i++)
                {
                    int at = (line / inner * kept * inner + i * inner + line % inner) * 2;
                    (y.Values[at], y.Values[at + 1]) = (T.CreateTruncating(values[i].Real), T.CreateTruncating(values[i].Imaginary));
                }
            }
        );
    }
}
