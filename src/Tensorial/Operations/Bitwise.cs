using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>A function of the bits of two integers, value by value, the operands stretched to a common shape.</summary>
public enum BitFunction
{
    /// <summary>Bitwise and.</summary>
    And,

    /// <summary>Bitwise or.</summary>
    Or,

    /// <summary>Bitwise exclusive or.</summary>
    Xor,

    /// <summary>Shift to the left.</summary>
    ShiftLeft,

    /// <summary>Shift to the right.</summary>
    ShiftRight,
}

/// <inheritdoc cref="BitFunction"/>
public sealed record Bitwise(BitFunction Function) : Operation
{
    /// <inheritdoc/>
    public override string Name => Function >= BitFunction.ShiftLeft ? "BitShift" : $"Bitwise{Function}";

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo x = inputs.Numeric(0, "A"),
            y = inputs.Numeric(1, "B");
        Operands.SameType(x, y);
        return x.Type.IsFloating()
            ? throw new BadInputException($"the operands must be integers, not {x.Type}.")
            : [new(x.Type, Broadcasting.Join(x.Shape, y.Shape))];
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        switch (outputs[0])
        {
            case Tensor<sbyte>:
                Combine<sbyte>(inputs, outputs, workers);
                break;
            case Tensor<short>:
                Combine<short>(inputs, outputs, workers);
                break;
            case Tensor<int>:
                Combine<int>(inputs, outputs, workers);
                break;
            case Tensor<long>:
                Combine<long>(inputs, outputs, workers);
                break;
            case Tensor<byte>:
                Combine<byte>(inputs, outputs, workers);
                break;
            case Tensor<ushort>:
                Combine<ushort>(inputs, outputs, workers);
                break;
            case Tensor<uint>:
                Combine<uint>(inputs, outputs, workers);
                break;
            default:
                Combine<ulong>(inputs, outputs, workers);
                break;
        }
    }

    private void Combine<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
        where T : unmanaged, IBinaryInteger<T> =>
        Elementwise.Combine<T, T>(inputs[0]!.Of<T>(), inputs[1]!.Of<T>(), outputs[0].Of<T>(), Over, workers);

    private void Over<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> z)
        where T : unmanaged, IBinaryInteger<T>
    {
        int bits = 8 * T.Zero.GetByteCount();
        for (int i = 0; i < x.Length; i++)
            z[i] = Function switch
            {
                BitFunction.And => x[i] & y[i],
                BitFunction.Or => x[i] | y[i],
                BitFunction.Xor => x[i] ^ y[i],
                // All bits leave when a shift is as wide as the number.
                _ when y[i] < T.Zero || y[i] >= T.CreateTruncating(bits) => T.Zero,
                BitFunction.ShiftLeft => x[i] << int.CreateTruncating(y[i]),
                _ => x[i] >> int.CreateTruncating(y[i]),
            };
    }
}
