using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Equations;

/// <summary>
/// A result, and what its gradients need: the operands and, where memory allows, the values computed on the way. Disposing of it gives
/// their memory back; results and gradients stay.
/// </summary>
public sealed class EquationValue<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Plan _plan;
    private readonly Tensor<T>[] _operands;
    private readonly Memory<T>[]? _values;
    private readonly T[]?[] _pooled = [];
    private bool _isDisposed;
    private readonly Workers _workers;

    internal EquationValue(Plan plan, ReadOnlySpan<Tensor<T>> operands, Workers workers)
    {
        (_plan, _operands, _workers) = (plan, operands.ToArray(), workers);
        if (plan.KeepsValues)
            (_values, _pooled, Result) = plan.PlannedSteps.RunKeeping(operands, workers);
        else
            Result = plan.Run(operands, workers);
    }

    /// <summary>Value of the equation.</summary>
    public Tensor<T> Result { get; }

    /// <summary>
    /// Gradients of a function for the operands, given its gradient for the result: step by step backwards, sharing the values that were
    /// kept; or, where a memory limit forbids keeping them, by the plan of each operand's own gradient, which computes anew what it needs.
    /// </summary>
    /// <param name="upstream">The gradient for the result.</param>
    /// <param name="wanted">Whether an operand's gradient is wanted; all are where this is empty.</param>
    /// <exception cref="ShapeException">The gradient has not the shape of the result.</exception>
    public Tensor<T>?[] Gradients(Tensor<T> upstream, params ReadOnlySpan<bool> wanted)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (upstream.Shape != _plan.Result)
            throw new ShapeException($"the gradient of {_plan.Equation} has the shape {upstream.Shape}, its result {_plan.Result}.");
        bool[] all = wanted.IsEmpty ? [.. _operands.Select(static _ => true)] : wanted.ToArray();
        if (all.Length != _operands.Length)
            throw new ShapeException($"{_plan.Equation} has {_operands.Length} operands, not {all.Length}.");
        if (_values is not null)
            return _plan.PlannedGradients.Run(_values, upstream, all, _workers);

        Tensor<T>?[] gradients = new Tensor<T>?[all.Length];
        for (int i = 0; i < all.Length; i++)
        {
            Tensor<T>[] operands = [.. _operands];
            operands[i] = upstream;
            if (all[i])
                gradients[i] = _plan.Adjoint(i).Run<T>(operands, _workers);
        }
        return gradients;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isDisposed = true;
        for (int k = 0; k < _pooled.Length; k++)
            PlannedSteps.Release(_pooled, k);
    }
}
