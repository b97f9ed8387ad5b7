using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Autodiff.Operations;

/// <summary>y = f(x), value by value, for a function of real numbers.</summary>
public abstract record RealFunction : FloatOperation
{
    public sealed override ImmutableArray<Operand> Infer(ReadOnlySpan<Operand?> inputs) =>
        [inputs.Floating(0, "X") with { Value = null }];

    protected sealed override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Elementwise.Map<T, T>(inputs[0]!.Of<T>(), outputs[0].Of<T>(), Over, workers);

    /// <summary>The function over a span.</summary>
    protected abstract void Over<T>(ReadOnlySpan<T> x, Span<T> y) where T : unmanaged, IBinaryFloatingPointIeee754<T>;
}

/// <summary>y = f(x), value by value, for a function that integers know as well.</summary>
public abstract record NumberFunction : NumberOperation
{
    public sealed override ImmutableArray<Operand> Infer(ReadOnlySpan<Operand?> inputs) =>
        [inputs.Numeric(0, "X") with { Value = null }];

    protected sealed override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Elementwise.Map<T, T>(inputs[0]!.Of<T>(), outputs[0].Of<T>(), Over, workers);

    /// <summary>The function over a span.</summary>
    protected abstract void Over<T>(ReadOnlySpan<T> x, Span<T> y) where T : unmanaged, INumber<T>;
}

/// <summary>|x|; the smallest integer, which has no opposite, stays</summary>
public sealed record Abs : NumberFunction
{
    protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        for (int i = 0; i < x.Length; i++) y[i] = T.IsNegative(x[i]) ? -x[i] : x[i];
    }
}

/// <summary>-x</summary>
public sealed record Neg : NumberFunction
{
    protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Negate(x, y);
}

/// <summary>max(x, 0)</summary>
public sealed record Relu : NumberFunction
{
    protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Max(x, T.Zero, y);
}

/// <summary>-1, 0 or 1, as x is negative, zero or positive</summary>
public sealed record Sign : NumberFunction
{
    protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        for (int i = 0; i < x.Length; i++) y[i] = T.IsNaN(x[i]) ? x[i] : T.CreateChecked(T.Sign(x[i]));
    }
}

/// <summary>exp x</summary>
public sealed record Exp : RealFunction { protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Exp(x, y); }

/// <summary>The natural logarithm of x</summary>
public sealed record Log : RealFunction { protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Log(x, y); }

/// <summary>√x</summary>
public sealed record Sqrt : RealFunction { protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Sqrt(x, y); }

/// <summary>1 / x</summary>
public sealed record Reciprocal : RealFunction
{
    protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Reciprocal(x, y);
}

/// <summary>The largest integer not above x</summary>
public sealed record Floor : RealFunction { protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Floor(x, y); }

/// <summary>The smallest integer not below x</summary>
public sealed record Ceil : RealFunction
{
    protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Ceiling(x, y);
}

/// <summary>The integer nearest to x, the even one of two</summary>
public sealed record Round : RealFunction { protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Round(x, y); }

/// <summary>tanh x</summary>
public sealed record Tanh : RealFunction { protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Tanh(x, y); }

/// <summary>1 / (1 + exp(-x))</summary>
public sealed record Sigmoid : RealFunction
{
    protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Sigmoid(x, y);
}

/// <summary>sin x</summary>
public sealed record Sin : RealFunction { protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Sin(x, y); }

/// <summary>cos x</summary>
public sealed record Cos : RealFunction { protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Cos(x, y); }

/// <summary>tan x</summary>
public sealed record Tan : RealFunction { protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Tan(x, y); }

/// <summary>sinh x</summary>
public sealed record Sinh : RealFunction { protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Sinh(x, y); }

/// <summary>cosh x</summary>
public sealed record Cosh : RealFunction { protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Cosh(x, y); }

/// <summary>arcsin x</summary>
public sealed record Asin : RealFunction { protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Asin(x, y); }

/// <summary>arccos x</summary>
public sealed record Acos : RealFunction { protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Acos(x, y); }

/// <summary>arctan x</summary>
public sealed record Atan : RealFunction { protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Atan(x, y); }

/// <summary>arsinh x</summary>
public sealed record Asinh : RealFunction { protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Asinh(x, y); }

/// <summary>arcosh x</summary>
public sealed record Acosh : RealFunction { protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Acosh(x, y); }

/// <summary>artanh x</summary>
public sealed record Atanh : RealFunction { protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y) => TensorPrimitives.Atanh(x, y); }
