using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;

namespace Tensorial.Operations;

/// <summary>One step of a recurrent layer for one sequence: what it does with the gates.</summary>
internal abstract class RecurrentCell<T>(ImmutableArray<GateFunction> functions, float clip)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private protected ImmutableArray<GateFunction> Functions { get; } = functions;

    /// <summary>
    /// Computes the new states. <paramref name="fromInput"/> holds W x + biases and becomes the gates' values;
    /// <paramref name="fromState"/> holds R h.
    /// </summary>
    /// <param name="fromInput">[G h], becomes the values of the gates.</param>
    /// <param name="fromState">[G h].</param>
    /// <param name="before">States before the step, h values each.</param>
    /// <param name="after">States after it.</param>
    /// <param name="hidden">h.</param>
    public abstract void Step(Span<T> fromInput, Span<T> fromState, ReadOnlySpan<T> before, Span<T> after, int hidden);

    /// <summary>
    /// The gradient of a step: from that of the states after it (which become those of the states before it, but for what goes through R) to
    /// those of the sums that entered the gates.
    /// </summary>
    /// <param name="gates">What <see cref="Step"/> left in its first operand.</param>
    /// <param name="fromState">What it left in its second.</param>
    /// <param name="before">States before the step.</param>
    /// <param name="after">States after it.</param>
    /// <param name="states">Gradients of the states after the step; become those of the states before it.</param>
    /// <param name="ofInput">∂L/∂(W x + biases), [G h].</param>
    /// <param name="ofState">∂L/∂(R h), [G h].</param>
    /// <param name="hidden">h.</param>
    public abstract void Back(
        ReadOnlySpan<T> gates,
        ReadOnlySpan<T> fromState,
        ReadOnlySpan<T> before,
        ReadOnlySpan<T> after,
        Span<T> states,
        Span<T> ofInput,
        Span<T> ofState,
        int hidden
    );

    /// <summary>Bounds the values, then applies a function.</summary>
    private protected void Activate(int function, Span<T> values)
    {
        if (clip > 0)
            TensorPrimitives.Clamp(values, T.CreateChecked(-clip), T.CreateChecked(clip), values);
        Functions[function].Apply(values);
    }
}

/// <summary>What a walk forward leaves for the walk back: by step, for the whole batch.</summary>
internal sealed class RecurrentTrace<T>
{
    public List<(T[] Gates, T[] FromState, T[] Before, T[] After)> Steps { get; } = [];
}
