using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>Axis a of the result is axis Order[a] of the input; an empty order reverses all axes.</summary>
public sealed record Transpose(ImmutableArray<int> Order) : MovingOperation
{
    /// <summary>The order for an input of a given number of axes.</summary>
    public ImmutableArray<int> For(int rank)
    {
        if (Order.IsEmpty)
            return [.. Enumerable.Range(0, rank).Reverse()];
        return Order.Length == rank && Order.Order().SequenceEqual(Enumerable.Range(0, rank))
            ? Order
            : throw new ShapeException($"perm {string.Join(", ", Order)} is no order of {rank} axes.");
    }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "data");
        return [new(x.Type, [.. For(x.Shape.Rank).Select(axis => x.Shape[axis])])];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>();
        if (Turned(x.Shape) is { } matrix)
        {
            (int count, int rows, int columns) = matrix;
            Memory<T> from = x.Memory,
                to = outputs[0].Of<T>().Memory;
            int size = rows * columns;
            for (int index = 0; index < count; index++)
                Transposition.Copy<T>(from.Span.Slice(index * size, size), columns, rows, columns, to.Span.Slice(index * size, size), rows);
            return;
        }
        Strided.Permute<T>(x.Shape, x.Values, For(x.Shape.Rank).AsSpan(), outputs[0].Of<T>().Values);
    }

    /// <summary>
    /// The transposes of some matrices that this is, where the last axes change places with those before them in one piece, as between
    /// channels first and channels last; else null.
    /// </summary>
    private (int Count, int Rows, int Columns)? Turned(Shape shape)
    {
        ImmutableArray<int> order = For(shape.Rank);
        int fixedAxes = 0;
        while (fixedAxes < order.Length && order[fixedAxes] == fixedAxes)
            fixedAxes++;
        if (fixedAxes == order.Length)
            return null;
        int behind = order[fixedAxes],
            moved = shape.Rank - behind;
        for (int axis = fixedAxes; axis < shape.Rank; axis++)
            if (order[axis] != (axis < fixedAxes + moved ? behind + axis - fixedAxes : axis - moved))
                return null;
        return (shape.ElementCountOf(0, fixedAxes), shape.ElementCountOf(fixedAxes, behind), shape.ElementCountOf(behind, shape.Rank));
    }

    internal override Reads? GradientReads(int input) => Reads.Nothing;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } dx)
            return;
        ImmutableArray<int> order = For(dx.Shape.Rank);
        int[] strides = dx.Shape.Strides();
        Strided.Add<T>(pull.Dy.Shape, pull.Dy.Values, 0, pull.Dy.Shape.Strides(), dx.Values, 0, [.. order.Select(axis => strides[axis])]);
    }
}
