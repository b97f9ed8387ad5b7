using System.Buffers;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Equations;

/// <summary>
/// The way back through a plan's steps. Every value is used once, so its gradient is one step: that of the product it went into, times the
/// other factor, indices staying in the same relation (<see cref="Pair.Adjoint"/>). What the forward steps computed serves all gradients.
/// </summary>
internal sealed class PlannedGradients
{
    private readonly Problem _problem;
    private readonly PlannedSteps _steps;
    private readonly Layout[] _layouts;
    private readonly (Lowering Lowering, bool GradientIsLeft)[] _lowerings;

    public PlannedGradients(Problem problem, PlannedSteps steps)
    {
        (_problem, _steps) = (problem, steps);
        int count = steps.Values.Count;
        (_layouts, _lowerings) = (new Layout[count], new (Lowering, bool)[count]);
        PlannedValue result = steps.Values[^1];
        _layouts[^1] = Layout.From(result.Term, problem.Output, problem.Result, steps.Algebra.Axes);
        for (int k = count - 1; k >= 0; k--)
        {
            PlannedValue value = steps.Values[k];
            if (value.Left < 0)
                continue;
            PlannedValue left = steps.Values[value.Left];
            if (value.Right < 0)
            {
                _layouts[value.Left] = _layouts[k];
                continue;
            }
            PlannedValue right = steps.Values[value.Right];
            Pair pair = new(steps.Algebra, left.Term, right.Term, value.Term);
            Plan(pair.Adjoint(0), value.Term, _layouts[k], right.Layout, value.Left);
            Plan(pair.Adjoint(1), value.Term, _layouts[k], left.Layout, value.Right);
        }
    }

    /// <summary>Gradients of the wanted operands, null for the others.</summary>
    public Tensor<T>?[] Run<T>(Memory<T>[] values, Tensor<T> upstream, ReadOnlySpan<bool> wanted, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Memory<T>[] gradients = new Memory<T>[values.Length];
        T[]?[] pooled = new T[]?[values.Length];
        gradients[^1] = upstream.Memory;
        bool[] needed = Needed(wanted);
        for (int k = values.Length - 1; k >= _problem.Inputs.Length; k--)
        {
            PlannedValue value = _steps.Values[k];
            if (!needed[k])
                continue;
            if (value.Right < 0)
                (gradients[value.Left], pooled[value.Left], pooled[k]) = (gradients[k], pooled[k], null);
            else
            {
                if (needed[value.Left])
                    Step(value.Left, gradients[k], values[value.Right], gradients, pooled, workers);
                if (needed[value.Right])
                    Step(value.Right, gradients[k], values[value.Left], gradients, pooled, workers);
            }
            PlannedSteps.Release(pooled, k);
        }
        Tensor<T>?[] results = new Tensor<T>?[wanted.Length];
        for (int i = 0; i < wanted.Length; i++)
        {
            bool isOwn = _lowerings[i].Lowering is not null;
            if (wanted[i])
                results[i] = _steps.Arranged(GradientTerm(i), _layouts[i], gradients[i], _problem.Inputs[i], _problem.Shapes[i], isOwn);
            PlannedSteps.Release(pooled, i);
        }
        return results;
    }

    /// <summary>Gradients of operands are returned to the caller and have memory of their own; those in between lie in pooled memory.</summary>
    private void Step<T>(int target, Memory<T> gradient, Memory<T> other, Memory<T>[] gradients, T[]?[] pooled, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (Lowering lowering, bool gradientIsLeft) = _lowerings[target];
        int size = (int)_steps.Values[target].Term.Size;
        gradients[target] =
            target < _problem.Given
                ? GC.AllocateUninitializedArray<T>(size)
                : (pooled[target] = ArrayPool<T>.Shared.Rent(size)).AsMemory(0, size);
        lowering.Run(gradientIsLeft ? gradient : other, gradientIsLeft ? other : gradient, gradients[target], workers);
    }

    private void Plan(Pair pair, IndexList product, Layout gradient, Layout other, int target)
    {
        bool gradientIsLeft = pair.Left == product;
        Lowering lowering = gradientIsLeft ? new(pair, gradient, other) : new(pair, other, gradient);
        (_layouts[target], _lowerings[target]) = (lowering.Result, (lowering, gradientIsLeft));
    }

    /// <summary>An operand that was summed first has the gradient of its sum, repeated.</summary>
    private IndexList GradientTerm(int operand) =>
        _steps.Values.FirstOrDefault(value => value.Left == operand && value.Right < 0) is { } sum ? sum.Term : _steps.Values[operand].Term;

    private bool[] Needed(ReadOnlySpan<bool> wanted)
    {
        bool[] needed = new bool[_steps.Values.Count];
        wanted.CopyTo(needed);
        for (int k = 0; k < needed.Length; k++)
            if (_steps.Values[k] is { Left: >= 0 } value)
                needed[k] = needed[value.Left] || (value.Right >= 0 && needed[value.Right]);
        return needed;
    }
}
