using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>What is known of an operand before it is computed: its type and extents and, when it is constant, its value.</summary>
internal sealed record ValueInfo(ElementType Type, Shape Shape, Tensor? Value = null)
{
    public static ValueInfo From(Tensor value) => new(value.ElementType, value.Shape, value);
}

/// <summary>
/// A function of tensors: its attributes are its properties, and it holds no other state. Attributes, shape rule, value, gradient
/// and cost of one operation stand in one file under <c>Operations</c>.
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
    internal abstract ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs);

    /// <summary>Computes the results into tensors that <see cref="Infer"/> has sized. Outputs never overlap inputs.</summary>
    internal abstract void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers);

    /// <summary>
    /// What the gradient of one input reads beside those of the results; null where the operation has no such gradient: the input is
    /// no real number, or nobody has written it down.
    /// </summary>
    internal virtual Reads? GradientReads(int input) => null;

    /// <summary>
    /// Adds to the gradient of every input that is asked for. A pure function of what <see cref="GradientReads"/> names and of the results'
    /// gradients, at least one of which is there.
    /// </summary>
    /// <exception cref="UnsupportedException">The values are neither float32 nor float64.</exception>
    internal virtual void Backward(in Pullback pull, Workers workers)
    {
        foreach (Tensor? upstream in pull.Upstream)
        {
            if (upstream is null)
                continue;
            if (upstream is Tensor<float>)
                Backward<float>(new(pull), workers);
            else if (upstream is Tensor<double>)
                Backward<double>(new(pull), workers);
            else
                throw new UnsupportedException($"gradients are computed in Float32 or Float64, not in {upstream.ElementType}.");
            return;
        }
    }

    /// <inheritdoc cref="Backward(in Pullback, Workers)"/>
    private protected virtual void Backward<T>(in Pullback<T> pull, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => throw new UnsupportedException($"{Name} has no gradient.");

    /// <summary>
    /// What the operation multiplies, as plans of an equation over named axes (arXiv 1805.10352, section 3), from the extents of its
    /// operands, an absent one as a scalar: one plan, none of operations that are no sums of products, and of a gradient one for each operand.
    /// </summary>
    internal virtual ImmutableArray<Equations.Plan> PlansOf(ReadOnlySpan<Shape> inputs) => PlanOf(inputs) is { } plan ? [plan] : [];

    /// <inheritdoc cref="PlansOf"/>
    private protected virtual Equations.Plan? PlanOf(ReadOnlySpan<Shape> inputs) => null;

    /// <summary>Multiply-accumulates of one evaluation; 0 for operations that multiply no weights.</summary>
    internal virtual long Macs(ReadOnlySpan<ValueInfo?> inputs, ReadOnlySpan<ValueInfo> outputs) => 0;

    /// <summary>Floating-point constants that its bodies hold, where it has any.</summary>
    internal virtual long OwnParameters => 0;

    /// <summary>Operations that one evaluation takes: those of a body, where there is one.</summary>
    internal virtual int OperationCount => 1;

    /// <summary>Infers, allocates and computes. Where values decide the extents of the results both are computed at once.</summary>
    /// <param name="inputs">The operands; null for an absent one.</param>
    /// <param name="count">How many results are wanted, the first ones.</param>
    /// <param name="workers">Threads to use.</param>
    /// <param name="check">Refuses results that are too large, before they are allocated.</param>
    /// <exception cref="BadInputException">The operands do not fit, or the operation has fewer results.</exception>
    internal virtual Tensor[] Evaluate(
        ReadOnlySpan<Tensor?> inputs,
        int count,
        Workers workers,
        Action<ImmutableArray<ValueInfo>>? check = null
    )
    {
        ValueInfo?[] operands = new ValueInfo?[inputs.Length];
        for (int i = 0; i < operands.Length; i++)
            operands[i] = inputs[i] is { } value ? ValueInfo.From(value) : null;
        ImmutableArray<ValueInfo> results = Infer(operands);
        check?.Invoke(results);
        Tensor[] outputs = [.. results.Take(Limited(count, results.Length)).Select(static r => Tensor.Zeros(r.Type, r.Shape))];
        Forward(inputs, outputs, workers);
        return outputs;
    }

    /// <summary>Infers, allocates and computes all results: the plain way to call an operation.</summary>
    public Tensor[] Apply(params ReadOnlySpan<Tensor?> inputs) => Evaluate(inputs, int.MaxValue, Workers.Serial);

    /// <summary>How many results to make; <see cref="int.MaxValue"/> asks for all there are.</summary>
    private protected static int Limited(int count, int made) =>
        count == int.MaxValue ? made
        : count <= made ? count
        : throw new BadInputException($"it has {count} outputs, but the operator makes {made}.");
}
