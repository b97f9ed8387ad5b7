using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Autodiff;

/// <summary>What is known of an operand before it is computed: its type and extents and, when it is constant, its value.</summary>
public sealed record Operand(ElementType Type, Shape Shape, Tensor? Value = null)
{
    public static Operand Of(Tensor value) => new(value.ElementType, value.Shape, value);
}

/// <summary>
/// A function of tensors: its attributes are its properties, and it holds no other state. Attributes, shape rule, value and
/// cost of one operation stand in one file under <c>Operations</c>; its gradient will stand beside them.
/// </summary>
public abstract record Operation
{
    /// <summary>The operation's name as users of ONNX know it, for tables and messages.</summary>
    public virtual string Name => GetType().Name;

    /// <summary>
    /// The shape rule: types and extents of the results. An absent optional input is null. A result that shapes alone decide,
    /// such as that of Shape, carries its value; constant operands need no attention here, the caller folds those.
    /// </summary>
    /// <exception cref="ShapeException">The operands do not fit; states the fact, and the caller adds the node's name.</exception>
    public abstract ImmutableArray<Operand> Infer(ReadOnlySpan<Operand?> inputs);

    /// <summary>Computes the results into tensors that <see cref="Infer"/> has sized. Outputs never overlap inputs.</summary>
    public abstract void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers);

    /// <summary>Multiply-accumulates of one evaluation; 0 for operations that multiply no weights.</summary>
    public virtual long Macs(ReadOnlySpan<Operand?> inputs, ReadOnlySpan<Operand> outputs) => 0;

    /// <summary>Infers, allocates and computes: the plain way to call an operation.</summary>
    public Tensor[] Apply(params ReadOnlySpan<Tensor?> inputs)
    {
        Operand?[] operands = new Operand?[inputs.Length];
        for (int i = 0; i < operands.Length; i++) operands[i] = inputs[i] is { } value ? Operand.Of(value) : null;
        Tensor[] outputs = [.. Infer(operands).Select(result => Tensor.Zeros(result.Type, result.Shape))];
        Forward(inputs, outputs, Workers.Serial);
        return outputs;
    }
}
