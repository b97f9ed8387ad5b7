using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>A value.</summary>
public sealed record Constant(Tensor Value) : MovingOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) => [ValueInfo.From(Value)];

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Value.Of<T>().Values.CopyTo(outputs[0].Of<T>().Values);
}

/// <summary>One value, repeated to the shape that the input names.</summary>
public sealed record ConstantOfShape(Tensor Value) : MovingOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        Tensor extents = inputs.Constant(0, "input") ?? throw new BadInputException("input 0 (input) is missing.");
        if (Value.Shape.ElementCount != 1)
            throw new ShapeException($"attribute 'value' must be a single value, not of shape {Value.Shape}.");
        return [new(Value.ElementType, Shape.From(extents.Integers("input").AsSpan()))];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        outputs[0].Of<T>().Values.Fill(Value.Of<T>().Values[0]);
}

/// <summary>The extents of the input from axis <paramref name="Start"/> up to, not including, <paramref name="End"/>.</summary>
public sealed record ShapeOf(int Start = 0, int? End = null) : Operation
{
    /// <inheritdoc/>
    public override string Name => "Shape";

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        Shape shape = inputs.Required(0, "data").Shape;
        int start = Within(Start, shape.Rank),
            end = Math.Max(start, Within(End ?? shape.Rank, shape.Rank));
        long[] extents = [.. shape.Take(start..end).Select(static extent => (long)extent)];
        return [ValueInfo.From(new Tensor<long>([extents.Length], extents))];
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Infer([ValueInfo.From(inputs[0]!)])[0].Value!.Of<long>().Values.CopyTo(outputs[0].Of<long>().Values);

    private static int Within(int axis, int rank) => (int)Math.Clamp(axis < 0 ? (long)axis + rank : axis, 0, rank);
}

/// <summary>The number of values of the input.</summary>
public sealed record SizeOf : Operation
{
    /// <inheritdoc/>
    public override string Name => "Size";

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) =>
        [ValueInfo.From(new Tensor<long>([], new[] { (long)inputs.Required(0, "data").Shape.ElementCount }))];

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        outputs[0].Of<long>().Values[0] = inputs[0]!.Shape.ElementCount;
}

/// <summary>The values of the input as another type.</summary>
public sealed record Cast(ElementType Type) : Operation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) => [new(Type, inputs.Required(0, "input").Shape)];

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Conversion.Convert(inputs[0]!, outputs[0]);

    internal override Reads? GradientReads(int input) => input == 0 ? Reads.Nothing : null;

    internal override void Backward(in Pullback pull, Workers workers) => Casts.Back(pull.Upstream[0]!, pull.Gradients[0]);
}

/// <summary>The values of the first input as the type of the second.</summary>
public sealed record CastLike : Operation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) =>
        [new(inputs.Required(1, "target_type").Type, inputs.Required(0, "input").Shape)];

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Conversion.Convert(inputs[0]!, outputs[0]);

    internal override Reads? GradientReads(int input) => input == 0 ? Reads.Nothing : null;

    internal override void Backward(in Pullback pull, Workers workers) => Casts.Back(pull.Upstream[0]!, pull.Gradients[0]);
}

internal static class Casts
{
    /// <summary>The gradient in the type of the operand; float32 and float64 have one.</summary>
    public static void Back(Tensor dy, Tensor? dx)
    {
        if (dx is Tensor<float> single)
            single.Add<float>(dy.To(ElementType.Float32).Of<float>().Values);
        else if (dx is Tensor<double> real)
            real.Add<double>(dy.To(ElementType.Float64).Of<double>().Values);
    }
}

/// <summary>start, start + delta, … as long as limit is not reached.</summary>
public sealed record Range : NumberOperation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ReadOnlySpan<string> names = ["start", "limit", "delta"];
        double[] values = new double[names.Length];
        for (int i = 0; i < values.Length; i++)
        {
            if (inputs.Numeric(i, names[i]).Shape.ElementCount != 1)
                throw new ShapeException($"input {i} ({names[i]}) must be a single number, not of shape {inputs[i]!.Shape}.");
            values[i] = inputs.Constant(i, names[i])!.To(ElementType.Float64).Of<double>().Values[0];
        }
        if (values[2] == 0)
            throw new BadInputException("a range cannot advance by steps of 0.");
        double count = Math.Max(0, Math.Ceiling((values[1] - values[0]) / values[2]));
        return count <= int.MaxValue
            ? [new(inputs[0]!.Type, [(int)count])]
            : throw new ShapeException($"a range of {count} values is too long.");
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        T start = inputs[0]!.Of<T>().Values[0],
            delta = inputs[2]!.Of<T>().Values[0];
        Span<T> y = outputs[0].Of<T>().Values;
        for (int i = 0; i < y.Length; i++)
            y[i] = start + T.CreateTruncating(i) * delta;
    }
}
