using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>z = f(x₁, x₂, …), value by value, for an associative f; the operands are stretched to a common shape.</summary>
public abstract record Variadic : NumberOperation
{
    internal sealed override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo first = inputs.Numeric(0, "data_0");
        Shape shape = first.Shape;
        for (int i = 1; i < inputs.Length; i++)
        {
            ValueInfo next = inputs.Numeric(i, $"data_{i}");
            Operands.SameType(first, next);
            shape = Broadcasting.Join(shape, next.Shape);
        }
        return [new(first.Type, shape)];
    }

    private protected sealed override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> z = outputs[0].Of<T>();
        Broadcasting.Stretched(inputs[0]!.Of<T>(), z.Shape).CopyTo(z.Values);
        foreach (Tensor? next in inputs[1..])
            Elementwise.Combine<T, T>(z, next!.Of<T>(), z, Over, workers);
        Finish(z.Values, inputs.Length);
    }

    /// <summary>f over spans; <paramref name="z"/> may be <paramref name="x"/>.</summary>
    private protected abstract void Over<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> z)
        where T : unmanaged, INumber<T>;

    /// <summary>What remains to be done when all of <paramref name="count"/> operands are in.</summary>
    private protected virtual void Finish<T>(Span<T> z, int count)
        where T : unmanaged, INumber<T> { }
}

/// <summary>The operand that beats the others; equals share its gradient evenly.</summary>
public abstract record Extreme : Variadic
{
    internal sealed override Reads? GradientReads(int input) => Reads.AllInputs | Reads.Output();

    private protected sealed override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Shape shape = pull.Dy.Shape;
        ReadOnlySpan<T> z = pull.Output().Values;
        T[] winners = new T[shape.ElementCount];
        for (int input = 0; input < pull.Inputs.Length; input++)
        {
            ReadOnlySpan<T> x = Broadcasting.Stretched(pull.Input(input), shape);
            for (int i = 0; i < winners.Length; i++)
                winners[i] += x[i] == z[i] ? T.One : T.Zero;
        }
        Tensor<T> shares = new(shape);
        for (int input = 0; input < pull.Inputs.Length; input++)
        {
            if (pull.Gradient(input) is not { } gradient)
                continue;
            ReadOnlySpan<T> x = Broadcasting.Stretched(pull.Input(input), shape);
            for (int i = 0; i < winners.Length; i++)
                shares.Values[i] = x[i] == z[i] ? T.One / winners[i] : T.Zero;
            gradient.AddProduct(pull.Dy, shares);
        }
    }
}

/// <summary>The largest of the operands; NaN wins</summary>
public sealed record Max : Extreme
{
    private protected override void Over<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> z) => TensorPrimitives.Max(x, y, z);
}

/// <summary>The smallest of the operands; NaN wins</summary>
public sealed record Min : Extreme
{
    private protected override void Over<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> z) => TensorPrimitives.Min(x, y, z);
}

/// <summary>The sum of the operands</summary>
public sealed record Sum : Variadic
{
    private protected override void Over<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> z) => TensorPrimitives.Add(x, y, z);

    internal override Reads? GradientReads(int input) => Reads.Nothing;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        for (int input = 0; input < pull.Inputs.Length; input++)
            pull.Gradient(input)?.AddStretched(pull.Dy.Values, pull.Dy.Shape);
    }
}

/// <summary>The mean of the operands</summary>
public sealed record Mean : Variadic
{
    private protected override void Over<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> z) => TensorPrimitives.Add(x, y, z);

    private protected override void Finish<T>(Span<T> z, int count) => TensorPrimitives.Divide(z, T.CreateChecked(count), z);

    internal override Reads? GradientReads(int input) => Reads.Nothing;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Tensor<T> share = new([], new[] { T.One / T.CreateChecked(pull.Inputs.Length) });
        for (int input = 0; input < pull.Inputs.Length; input++)
            pull.Gradient(input)?.AddProduct(pull.Dy, share);
    }
}
