using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// An operation whose value is one formula over real numbers, written once for float32 and float64. Narrower types (half
/// precision, and 8-bit integers where the shape rule admits them) are widened to float32 and rounded back.
/// </summary>
public abstract record FloatOperation : Operation
{
    internal sealed override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        ElementType type = inputs[0] is Tensor<double> ? ElementType.Float64 : ElementType.Float32;
        if (Widening.IsNeeded(inputs, outputs, type))
            Widening.Forward(this, inputs, outputs, type, workers);
        else if (type == ElementType.Float64)
            Forward<double>(inputs, outputs, workers);
        else
            Forward<float>(inputs, outputs, workers);
    }

    /// <summary>Computes the results; all floating-point operands are of <typeparamref name="T"/>, which is float or double.</summary>
    private protected abstract void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;
}

/// <summary>
/// An operation whose value is one formula over numbers of any type. Half precision is widened to float32 and rounded back.
/// </summary>
public abstract record NumberOperation : Operation
{
    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        ElementType type = inputs[0]!.ElementType;
        switch (type)
        {
            case ElementType.Float32:
                Forward<float>(inputs, outputs, workers);
                break;
            case ElementType.Float64:
                Forward<double>(inputs, outputs, workers);
                break;
            case ElementType.Int8:
                Forward<sbyte>(inputs, outputs, workers);
                break;
            case ElementType.Int16:
                Forward<short>(inputs, outputs, workers);
                break;
            case ElementType.Int32:
                Forward<int>(inputs, outputs, workers);
                break;
            case ElementType.Int64:
                Forward<long>(inputs, outputs, workers);
                break;
            case ElementType.UInt8:
                Forward<byte>(inputs, outputs, workers);
                break;
            case ElementType.UInt16:
                Forward<ushort>(inputs, outputs, workers);
                break;
            case ElementType.UInt32:
                Forward<uint>(inputs, outputs, workers);
                break;
            case ElementType.UInt64:
                Forward<ulong>(inputs, outputs, workers);
                break;
            case ElementType.Float16 or ElementType.BFloat16:
                Widening.Forward(this, inputs, outputs, ElementType.Float32, workers);
                break;
            default:
                throw new BadInputException($"the operation works on numbers, not on {type}.");
        }
    }

    /// <summary>Computes the results; the first operand is of <typeparamref name="T"/>.</summary>
    private protected abstract void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
        where T : unmanaged, INumber<T>;
}

/// <summary>An operation that moves values without looking at them, whatever their type.</summary>
public abstract record MovingOperation : Operation
{
    internal sealed override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        switch (outputs[0].ElementType)
        {
            case ElementType.Float32:
                Forward<float>(inputs, outputs, workers);
                break;
            case ElementType.Float64:
                Forward<double>(inputs, outputs, workers);
                break;
            case ElementType.Float16:
                Forward<Half>(inputs, outputs, workers);
                break;
            case ElementType.BFloat16:
                Forward<BFloat16>(inputs, outputs, workers);
                break;
            case ElementType.Int8:
                Forward<sbyte>(inputs, outputs, workers);
                break;
            case ElementType.Int16:
                Forward<short>(inputs, outputs, workers);
                break;
            case ElementType.Int32:
                Forward<int>(inputs, outputs, workers);
                break;
            case ElementType.Int64:
                Forward<long>(inputs, outputs, workers);
                break;
            case ElementType.UInt8:
                Forward<byte>(inputs, outputs, workers);
                break;
            case ElementType.UInt16:
                Forward<ushort>(inputs, outputs, workers);
                break;
            case ElementType.UInt32:
                Forward<uint>(inputs, outputs, workers);
                break;
            case ElementType.UInt64:
                Forward<ulong>(inputs, outputs, workers);
                break;
            default:
                Forward<bool>(inputs, outputs, workers);
                break;
        }
    }

    /// <summary>Moves the values; the results are of <typeparamref name="T"/>.</summary>
    private protected abstract void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
        where T : unmanaged;
}

/// <summary>Computing in a wider type than the operands have: the one place where half precision meets arithmetic.</summary>
internal static class Widening
{
    public static bool IsNeeded(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, ElementType type)
    {
        ElementType leading = inputs[0]!.ElementType;
        foreach (Tensor? input in inputs)
            if (input is not null && Widens(input.ElementType, leading, type))
                return true;
        foreach (Tensor output in outputs)
            if (Widens(output.ElementType, leading, type))
                return true;
        return false;
    }

    /// <summary>
    /// Runs the operation with every floating-point operand, and every other one of the first input's type, as
    /// <paramref name="type"/>, then converts the results back.
    /// </summary>
    public static void Forward(
        Operation operation,
        ReadOnlySpan<Tensor?> inputs,
        ReadOnlySpan<Tensor> outputs,
        ElementType type,
        Workers workers
    )
    {
        ElementType leading = inputs[0]!.ElementType;
        Tensor?[] wideInputs = inputs.ToArray();
        foreach (ref Tensor? input in wideInputs.AsSpan())
            if (input is not null && Widens(input.ElementType, leading, type))
                input = input.To(type);
        Tensor[] wideOutputs = outputs.ToArray();
        foreach (ref Tensor output in wideOutputs.AsSpan())
            if (Widens(output.ElementType, leading, type))
                output = Tensor.Zeros(type, output.Shape);

        operation.Forward(wideInputs, wideOutputs, workers);

        for (int i = 0; i < wideOutputs.Length; i++)
            if (wideOutputs[i] != outputs[i])
                Conversion.Convert(wideOutputs[i], outputs[i]);
    }

    private static bool Widens(ElementType own, ElementType leading, ElementType type) =>
        own != type && (own == leading || own.IsFloating());
}
