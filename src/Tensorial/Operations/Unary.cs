using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>y = f(x), value by value, for a function of real numbers.</summary>
public abstract record RealFunction : FloatOperation
{
    internal sealed override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) =>
        [inputs.Floating(0, "X") with { Value = null }];

    private protected sealed override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Elementwise.Map<T, T>(inputs[0]!.Of<T>(), outputs[0].Of<T>(), Over, workers);

    /// <summary>The function over a span.</summary>
    private protected abstract void Over<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;

    internal sealed override Reads? GradientReads(int input) => SlopeFromResult ? Reads.Output() : Reads.Input(0);

    private protected sealed override void Backward<T>(in Pullback<T> pull, Workers workers) =>
        Slopes.Chain<T>(SlopeFromResult ? pull.Output() : pull.Input(0), pull.Dy, pull.Gradient(0), Slope, workers);

    /// <summary>Whether the derivative is written as a function of y = f(x).</summary>
    private protected virtual bool SlopeFromResult => false;

    /// <summary>The derivative f'(x), given x or, with <see cref="SlopeFromResult"/>, y.</summary>
    private protected abstract void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;
}

/// <summary>y = f(x), value by value, for a function that integers know as well.</summary>
public abstract record NumberFunction : NumberOperation
{
    internal sealed override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) =>
        [inputs.Numeric(0, "X") with { Value = null }];

    private protected sealed override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Elementwise.Map<T, T>(inputs[0]!.Of<T>(), outputs[0].Of<T>(), Over, workers);

    /// <summary>The function over a span.</summary>
    private protected abstract void Over<T>(ReadOnlySpan<T> x, Span<T> y)
        where T : unmanaged, INumber<T>;

    internal sealed override Reads? GradientReads(int input) => SlopeFromResult ? Reads.Output() : Reads.Input(0);

    private protected sealed override void Backward<T>(in Pullback<T> pull, Workers workers) =>
        Slopes.Chain<T>(SlopeFromResult ? pull.Output() : pull.Input(0), pull.Dy, pull.Gradient(0), Slope, workers);

    /// <summary>Whether the derivative is written as a function of y = f(x).</summary>
    private protected virtual bool SlopeFromResult => false;

    /// <summary>The derivative f'(x), given x or, with <see cref="SlopeFromResult"/>, y.</summary>
    private protected abstract void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;
}

/// <summary>|x|; the smallest integer, which has no opposite, stays</summary>
public sealed record Abs : NumberFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        for (int i = 0; i < x.Length; i++)
            y[i] = T.IsNegative(x[i]) ? -x[i] : x[i];
    }

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
            slope[i] = T.CreateChecked(T.Sign(at[i]));
    }
}

/// <summary>-x</summary>
public sealed record Neg : NumberFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Negate(x, y);

    private protected override bool SlopeFromResult => true;

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope) => slope.Fill(-T.One);
}

/// <summary>max(x, 0)</summary>
public sealed record Relu : NumberFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Max(x, T.Zero, y);

    private protected override bool SlopeFromResult => true;

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
            slope[i] = at[i] > T.Zero ? T.One : T.Zero;
    }
}

/// <summary>-1, 0 or 1, as x is negative, zero or positive</summary>
public sealed record Sign : NumberFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        for (int i = 0; i < x.Length; i++)
            y[i] = T.IsNaN(x[i]) ? x[i] : T.CreateChecked(T.Sign(x[i]));
    }

    private protected override bool SlopeFromResult => true;

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope) => slope.Clear();
}

/// <summary>exp x</summary>
public sealed record Exp : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => Kernels.Exponential.Exp(x, y);

    private protected override bool SlopeFromResult => true;

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope) => at.CopyTo(slope);
}

/// <summary>The natural logarithm of x</summary>
public sealed record Log : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Log(x, y);

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope) => TensorPrimitives.Reciprocal(at, slope);
}

/// <summary>√x</summary>
public sealed record Sqrt : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Sqrt(x, y);

    private protected override bool SlopeFromResult => true;

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
            slope[i] = T.One / (at[i] + at[i]);
    }
}

/// <summary>1 / x</summary>
public sealed record Reciprocal : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Reciprocal(x, y);

    private protected override bool SlopeFromResult => true;

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
            slope[i] = -at[i] * at[i];
    }
}

/// <summary>The largest integer not above x</summary>
public sealed record Floor : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Floor(x, y);

    private protected override bool SlopeFromResult => true;

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope) => slope.Clear();
}

/// <summary>The smallest integer not below x</summary>
public sealed record Ceil : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Ceiling(x, y);

    private protected override bool SlopeFromResult => true;

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope) => slope.Clear();
}

/// <summary>The integer nearest to x, the even one of two</summary>
public sealed record Round : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Round(x, y);

    private protected override bool SlopeFromResult => true;

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope) => slope.Clear();
}

/// <summary>tanh x</summary>
public sealed record Tanh : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => Kernels.Exponential.Tanh(x, y);

    private protected override bool SlopeFromResult => true;

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
            slope[i] = T.One - at[i] * at[i];
    }
}

/// <summary>1 / (1 + exp(-x))</summary>
public sealed record Sigmoid : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => Kernels.Exponential.Sigmoid(x, y);

    private protected override bool SlopeFromResult => true;

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
            slope[i] = at[i] * (T.One - at[i]);
    }
}

/// <summary>sin x</summary>
public sealed record Sin : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Sin(x, y);

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope) => TensorPrimitives.Cos(at, slope);
}

/// <summary>cos x</summary>
public sealed record Cos : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Cos(x, y);

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
            slope[i] = -T.Sin(at[i]);
    }
}

/// <summary>tan x</summary>
public sealed record Tan : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Tan(x, y);

    private protected override bool SlopeFromResult => true;

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
            slope[i] = T.One + at[i] * at[i];
    }
}

/// <summary>sinh x</summary>
public sealed record Sinh : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Sinh(x, y);

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope) => TensorPrimitives.Cosh(at, slope);
}

/// <summary>cosh x</summary>
public sealed record Cosh : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Cosh(x, y);

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope) => TensorPrimitives.Sinh(at, slope);
}

/// <summary>arcsin x</summary>
public sealed record Asin : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Asin(x, y);

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
            slope[i] = T.One / T.Sqrt(T.One - at[i] * at[i]);
    }
}

/// <summary>arccos x</summary>
public sealed record Acos : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Acos(x, y);

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
            slope[i] = -T.One / T.Sqrt(T.One - at[i] * at[i]);
    }
}

/// <summary>arctan x</summary>
public sealed record Atan : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Atan(x, y);

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
            slope[i] = T.One / (T.One + at[i] * at[i]);
    }
}

/// <summary>arsinh x</summary>
public sealed record Asinh : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Asinh(x, y);

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
            slope[i] = T.One / T.Sqrt(at[i] * at[i] + T.One);
    }
}

/// <summary>arcosh x</summary>
public sealed record Acosh : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Acosh(x, y);

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
            slope[i] = T.One / T.Sqrt(at[i] * at[i] - T.One);
    }
}

/// <summary>artanh x</summary>
public sealed record Atanh : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Atanh(x, y);

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
            slope[i] = T.One / (T.One - at[i] * at[i]);
    }
}
