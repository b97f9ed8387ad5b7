using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>Where along an axis a value stands that beats all others.</summary>
public abstract record ArgExtreme : NumberOperation
{
    /// <summary>Axis that is searched.</summary>
    public int Axis { get; init; }

    /// <summary>Whether the axis stays, with extent 1.</summary>
    public bool KeepDims { get; init; } = true;

    /// <summary>Whether the last of equal values is taken instead of the first.</summary>
    public bool Last { get; init; }

    internal sealed override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        Shape shape = inputs.Numeric(0, "data").Shape;
        int axis = Operands.Axis(Axis, shape.Rank);
        if (shape[axis] == 0)
            throw new ShapeException($"axis {axis} of {shape} holds nothing to choose from.");
        return [new(ElementType.Int64, [.. shape.Take(axis), .. KeepDims ? [1] : Array.Empty<int>(), .. shape.Skip(axis + 1)])];
    }

    private protected sealed override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>();
        Tensor<long> y = outputs[0].Of<long>();
        int axis = Operands.Axis(Axis, x.Shape.Rank),
            length = x.Shape[axis],
            inner = x.Shape.ElementCountOf(axis + 1, x.Shape.Rank);
        workers.For(
            y.Shape.ElementCount,
            line =>
            {
                ReadOnlySpan<T> values = x.Values[(line / inner * length * inner + line % inner)..];
                int best = 0;
                for (int i = 1; i < length; i++)
                {
                    T value = values[i * inner],
                        champion = values[best * inner];
                    if (Beats(value, champion) || (Last && value == champion))
                        best = i;
                }
                y.Values[line] = best;
            }
        );
    }

    private protected abstract bool Beats<T>(T value, T champion)
        where T : INumber<T>;
}

/// <summary>Where the largest value stands along <see cref="ArgExtreme.Axis"/></summary>
public sealed record ArgMax : ArgExtreme
{
    private protected override bool Beats<T>(T value, T champion) => value > champion;
}

/// <summary>Where the smallest value stands along <see cref="ArgExtreme.Axis"/></summary>
public sealed record ArgMin : ArgExtreme
{
    private protected override bool Beats<T>(T value, T champion) => value < champion;
}
