using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>z = f(x, y), value by value, the operands stretched to a common shape.</summary>
public abstract record Arithmetic : NumberOperation
{
    internal sealed override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Numeric(0, "A"),
            y = inputs.Numeric(1, "B");
        Operands.SameType(x, y);
        return [new(x.Type, Broadcasting.Join(x.Shape, y.Shape))];
    }

    private protected sealed override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Elementwise.Combine<T, T>(inputs[0]!.Of<T>(), inputs[1]!.Of<T>(), outputs[0].Of<T>(), Over, workers);

    /// <summary>The function over spans.</summary>
    private protected abstract void Over<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> z)
        where T : unmanaged, INumber<T>;
}

/// <summary>x + y</summary>
public sealed record Add : Arithmetic
{
    private protected override void Over<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> z) => TensorPrimitives.Add(x, y, z);

    internal override Reads? GradientReads(int input) => Reads.Nothing;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        pull.Gradient(0)?.AddStretched(pull.Dy.Values, pull.Dy.Shape);
        pull.Gradient(1)?.AddStretched(pull.Dy.Values, pull.Dy.Shape);
    }
}

/// <summary>x - y</summary>
public sealed record Sub : Arithmetic
{
    private protected override void Over<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> z) => TensorPrimitives.Subtract(x, y, z);

    internal override Reads? GradientReads(int input) => Reads.Nothing;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        pull.Gradient(0)?.AddStretched(pull.Dy.Values, pull.Dy.Shape);
        pull.Gradient(1)?.AddProduct(pull.Dy, new([], new[] { -T.One }));
    }
}

/// <summary>x y</summary>
public sealed record Mul : Arithmetic
{
    private protected override void Over<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> z) => TensorPrimitives.Multiply(x, y, z);

    internal override Reads? GradientReads(int input) => Reads.Input(1 - input);

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        pull.Gradient(0)?.AddProduct(pull.Dy, pull.Input(1));
        pull.Gradient(1)?.AddProduct(pull.Dy, pull.Input(0));
    }
}

/// <summary>x / y; integers round towards zero</summary>
public sealed record Div : Arithmetic
{
    private protected override void Over<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> z)
    {
        IntegerDivision.Check(y);
        TensorPrimitives.Divide(x, y, z);
    }

    internal override Reads? GradientReads(int input) => input == 0 ? Reads.Input(1) : Reads.Input(1) | Reads.Output();

    /// <summary>dx = dy / b, and the divisor gets -y / b of dy.</summary>
    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Tensor<T> quotients = new(pull.Dy.Shape);
        TensorPrimitives.Divide(pull.Dy.Values, Broadcasting.Stretched(pull.Input(1), pull.Dy.Shape), quotients.Values);
        pull.Gradient(0)?.AddStretched(quotients.Values, quotients.Shape);
        if (pull.Gradient(1) is not { } divisor)
            return;
        TensorPrimitives.Negate<T>(quotients.Values, quotients.Values);
        divisor.AddProduct(quotients, pull.Output());
    }
}

/// <summary>The remainder of x / y, with the sign of y, or with that of x where <paramref name="Truncated"/> (C's fmod).</summary>
public sealed record Mod(bool Truncated = false) : Arithmetic
{
    private protected override void Over<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> z)
    {
        IntegerDivision.Check(y);
        for (int i = 0; i < x.Length; i++)
        {
            T rest = x[i] % y[i];
            bool otherSide = !Truncated && !T.IsZero(rest) && T.IsNegative(rest) != T.IsNegative(y[i]);
            z[i] = otherSide ? rest + y[i] : rest;
        }
    }

    internal override Reads? GradientReads(int input) => input == 0 ? Reads.Nothing : Reads.Input(0) | Reads.Input(1) | Reads.Output();

    /// <summary>z = x - q y for a whole number q, which does not change with either.</summary>
    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        pull.Gradient(0)?.AddStretched(pull.Dy.Values, pull.Dy.Shape);
        if (pull.Gradient(1) is not { } divisor)
            return;
        Tensor<T> factors = new(pull.Dy.Shape);
        TensorPrimitives.Subtract(pull.Output().Values, Broadcasting.Stretched(pull.Input(0), factors.Shape), factors.Values);
        TensorPrimitives.Divide(factors.Values, Broadcasting.Stretched(pull.Input(1), factors.Shape), factors.Values);
        divisor.AddProduct(pull.Dy, factors);
    }
}

internal static class IntegerDivision
{
    public static void Check<T>(ReadOnlySpan<T> divisors)
        where T : unmanaged, INumber<T>
    {
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double) && divisors.Contains(T.Zero))
            throw new BadInputException("an integer is divided by zero.");
    }
}
