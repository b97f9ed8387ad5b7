using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>A relation between two numbers, as a type, so that the loop over it compiles to straight code.</summary>
public interface IRelation
{
    /// <summary>Whether the relation holds for two values.</summary>
    static abstract bool Holds<T>(T x, T y)
        where T : unmanaged, INumber<T>;
}

/// <summary>Whether a relation holds, value by value, the operands stretched to a common shape. NaN compares as IEEE 754 says.</summary>
public abstract record Comparison<TRelation> : NumberOperation
    where TRelation : struct, IRelation
{
    internal sealed override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Required(0, "A"),
            y = inputs.Required(1, "B");
        Operands.SameType(x, y);
        return [new(ElementType.Bool, Broadcasting.Join(x.Shape, y.Shape))];
    }

    internal sealed override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        bool truth = inputs[0] is Tensor<bool>;
        base.Forward(truth ? [inputs[0]!.To(ElementType.UInt8), inputs[1]!.To(ElementType.UInt8)] : inputs, outputs, workers);
    }

    private protected sealed override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Elementwise.Combine<T, bool>(inputs[0]!.Of<T>(), inputs[1]!.Of<T>(), outputs[0].Of<bool>(), Over, workers);

    private static void Over<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<bool> z)
        where T : unmanaged, INumber<T>
    {
        for (int i = 0; i < x.Length; i++)
            z[i] = TRelation.Holds(x[i], y[i]);
    }
}

/// <summary>x = y</summary>
public sealed record Equal : Comparison<EqualTo>;

/// <summary>x &lt; y</summary>
public sealed record Less : Comparison<LessThan>;

/// <summary>x ≤ y</summary>
public sealed record LessOrEqual : Comparison<AtMost>;

/// <summary>x > y</summary>
public sealed record Greater : Comparison<GreaterThan>;

/// <summary>x ≥ y</summary>
public sealed record GreaterOrEqual : Comparison<AtLeast>;

/// <summary>x = y.</summary>
public readonly struct EqualTo : IRelation
{
    /// <inheritdoc/>
    public static bool Holds<T>(T x, T y)
        where T : unmanaged, INumber<T> => x == y;
}

/// <summary>x &lt; y.</summary>
public readonly struct LessThan : IRelation
{
    /// <inheritdoc/>
    public static bool Holds<T>(T x, T y)
        where T : unmanaged, INumber<T> => x < y;
}

/// <summary>x ≤ y.</summary>
public readonly struct AtMost : IRelation
{
    /// <inheritdoc/>
    public static bool Holds<T>(T x, T y)
        where T : unmanaged, INumber<T> => x <= y;
}

/// <summary>x &gt; y.</summary>
public readonly struct GreaterThan : IRelation
{
    /// <inheritdoc/>
    public static bool Holds<T>(T x, T y)
        where T : unmanaged, INumber<T> => x > y;
}

/// <summary>x ≥ y.</summary>
public readonly struct AtLeast : IRelation
{
    /// <inheritdoc/>
    public static bool Holds<T>(T x, T y)
        where T : unmanaged, INumber<T> => x >= y;
}
