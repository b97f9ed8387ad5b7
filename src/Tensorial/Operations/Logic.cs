using System.Collections.Immutable;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// A function of two truth values, value by value, the operands stretched to a common shape. Truth values are bytes 0 and 1.
/// </summary>
public abstract record Logic : Operation
{
    internal sealed override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) =>
        [new(ElementType.Bool, Broadcasting.Join(inputs.Truth(0, "A").Shape, inputs.Truth(1, "B").Shape))];

    internal sealed override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        Elementwise.Combine<bool, bool>(
            inputs[0]!.Of<bool>(),
            inputs[1]!.Of<bool>(),
            outputs[0].Of<bool>(),
            (x, y, z) => Over(MemoryMarshal.AsBytes(x), MemoryMarshal.AsBytes(y), MemoryMarshal.AsBytes(z)),
            workers
        );

    /// <summary>The function over spans.</summary>
    private protected abstract void Over(ReadOnlySpan<byte> x, ReadOnlySpan<byte> y, Span<byte> z);
}

/// <summary>x and y</summary>
public sealed record And : Logic
{
    private protected override void Over(ReadOnlySpan<byte> x, ReadOnlySpan<byte> y, Span<byte> z) => TensorPrimitives.BitwiseAnd(x, y, z);
}

/// <summary>x or y</summary>
public sealed record Or : Logic
{
    private protected override void Over(ReadOnlySpan<byte> x, ReadOnlySpan<byte> y, Span<byte> z) => TensorPrimitives.BitwiseOr(x, y, z);
}

/// <summary>either x or y</summary>
public sealed record Xor : Logic
{
    private protected override void Over(ReadOnlySpan<byte> x, ReadOnlySpan<byte> y, Span<byte> z) => TensorPrimitives.Xor(x, y, z);
}

/// <summary>not x</summary>
public sealed record Not : Operation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) =>
        [new(ElementType.Bool, inputs.Truth(0, "X").Shape)];

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        TensorPrimitives.Xor(
            MemoryMarshal.AsBytes(inputs[0]!.Of<bool>().Values),
            (byte)1,
            MemoryMarshal.AsBytes(outputs[0].Of<bool>().Values)
        );
}
