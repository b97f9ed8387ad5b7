using System.Buffers;
using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Equations;

/// <summary>The steps of a plan, ready to run: every layout and every loop is decided, only the values are missing.</summary>
internal sealed class PlannedSteps
{
    private readonly Problem _problem;
    private readonly Algebra _algebra;
    private readonly List<PlannedValue> _values = [];
    private readonly bool _isZero;

    /// <param name="algebra">The problem.</param>
    /// <param name="tree">The order; null where an operand has no values, and there is nothing to do.</param>
    /// <param name="cost">What steps cost.</param>
    public PlannedSteps(Algebra algebra, Tree? tree, CostModel cost)
    {
        Problem problem = algebra.Problem;
        (_problem, _algebra, _isZero) = (problem, algebra, tree is null);
        for (int i = 0; i < problem.Inputs.Length; i++)
            _values.Add(
                new(
                    _algebra.Operands[i],
                    Layout.From(_algebra.Operands[i], problem.Inputs[i], problem.Shapes[i], _algebra.Axes),
                    -1,
                    -1,
                    null
                )
            );
        if (tree is null)
            return;
        List<PlanStep> steps = [];
        Add(tree, steps, cost);
        Steps = [.. steps];
        Peak = PeakOf();
    }

    public ImmutableArray<PlanStep> Steps { get; } = [];

    public long Peak { get; }

    public IReadOnlyList<PlannedValue> Values => _values;

    public Algebra Algebra => _algebra;

    /// <summary>Computes the result for operands of the problem's shapes; what comes in between lies in pooled memory.</summary>
    public void Run<T>(ReadOnlySpan<Tensor<T>> operands, Tensor<T> result, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (_isZero)
        {
            result.Values.Clear();
            return;
        }
        Memory<T>[] values = Operands(operands);
        T[]?[] pooled = new T[]?[values.Length];
        for (int k = _problem.Inputs.Length; k < values.Length; k++)
        {
            int size = (int)_values[k].Term.Size;
            bool isLast = k == values.Length - 1;
            values[k] = isLast && EndsInOrder ? result.Memory : (pooled[k] = ArrayPool<T>.Shared.Rent(size)).AsMemory(0, size);
            Compute(k, values, workers);
            // Every value is used once.
            Release(pooled, _values[k].Left);
            Release(pooled, _values[k].Right);
        }
        if (!EndsInOrder)
            Arrange(_values[^1].Term, _values[^1].Layout, values[^1], _problem.Output, result);
        Release(pooled, values.Length - 1);
    }

    /// <summary>The result, and all values on the way to it, in pooled memory.</summary>
    public (Memory<T>[]? Values, T[]?[] Pooled, Tensor<T> Result) RunKeeping<T>(ReadOnlySpan<Tensor<T>> operands, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<T> result = new(_problem.Result, GC.AllocateUninitializedArray<T>(_problem.Result.ElementCount));
        if (_isZero)
        {
            result.Values.Clear();
            return (null, [], result);
        }
        Memory<T>[] values = Operands(operands);
        T[]?[] pooled = new T[]?[values.Length];
        for (int k = _problem.Inputs.Length; k < values.Length; k++)
        {
            int size = (int)_values[k].Term.Size;
            // The result is returned to the caller; no gradient reads the last value.
            values[k] =
                k == values.Length - 1 && EndsInOrder ? result.Memory : (pooled[k] = ArrayPool<T>.Shared.Rent(size)).AsMemory(0, size);
            Compute(k, values, workers);
        }
        if (!EndsInOrder)
            Arrange(_values[^1].Term, _values[^1].Layout, values[^1], _problem.Output, result);
        Release(pooled, values.Length - 1);
        return (values, pooled, result);
    }

    /// <summary>Whether the last step computes the result as it is wanted, in no need of being arranged.</summary>
    private bool EndsInOrder => _values[^1].Left >= 0 && IsInOrder(_values[^1].Term, _values[^1].Layout, _problem.Output);

    /// <summary>Whether all computed values together are at most so many.</summary>
    public bool CanKeep(long limit) => _values.Skip(_problem.Inputs.Length).Sum(static value => value.Term.Size) <= limit;

    public static void Release<T>(T[]?[] pooled, int value)
    {
        if (value < 0 || pooled[value] is not { } array)
            return;
        ArrayPool<T>.Shared.Return(array);
        pooled[value] = null;
    }

    /// <summary>Room for all values, with the operands in it.</summary>
    private Memory<T>[] Operands<T>(ReadOnlySpan<Tensor<T>> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Memory<T>[] values = new Memory<T>[_values.Count];
        for (int i = 0; i < operands.Length; i++)
            values[i] = operands[i].Memory;
        for (int i = operands.Length; i < _problem.Inputs.Length; i++)
        {
            T[] ones = new T[_problem.Shapes[i].ElementCount];
            ones.AsSpan().Fill(T.One);
            values[i] = ones;
        }
        return values;
    }

    private void Compute<T>(int k, Memory<T>[] values, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        PlannedValue value = _values[k];
        if (value.Lowering is { } lowering)
            lowering.Run(values[value.Left], values[value.Right], values[k], workers);
        else
            Sums<T>(_values[value.Left], value, values[value.Left].Span, values[k].Span);
    }

    /// <summary>
    /// A value as a tensor of named axes. Axes that it lacks repeat it; along an axis named twice it lies on the diagonal.
    /// </summary>
    /// <param name="term">Its axes.</param>
    /// <param name="layout">Where it lies.</param>
    /// <param name="values">The numbers.</param>
    /// <param name="axes">The axes of the tensor.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="isOwn">Whether the memory may become the tensor's.</param>
    public Tensor<T> Arranged<T>(IndexList term, Layout layout, Memory<T> values, string axes, Shape shape, bool isOwn)
        where T : unmanaged
    {
        if (isOwn && IsInOrder(term, layout, axes))
            return new(shape, values);
        Tensor<T> result = new(shape);
        Arrange(term, layout, values, axes, result);
        return result;
    }

    private void Arrange<T>(IndexList term, Layout layout, Memory<T> values, string axes, Tensor<T> result)
        where T : unmanaged
    {
        int[] strides = result.Shape.Strides();
        char[] distinct = [.. axes.Distinct()];
        if (distinct.Length < axes.Length)
            result.Values.Clear();
        int[] extents = new int[distinct.Length],
            from = new int[distinct.Length],
            to = new int[distinct.Length];
        for (int place = 0; place < axes.Length; place++)
        {
            int k = Array.IndexOf(distinct, axes[place]),
                axis = _algebra.Axes.IndexOf(axes[place], StringComparison.Ordinal);
            (extents[k], from[k]) = (result.Shape[place], axis >= 0 && term.Has(axis) ? layout.Strides[axis] : 0);
            to[k] += strides[place];
        }
        Strided.Copy<T>(Shape.From(extents), values.Span, 0, from, result.Values, 0, to);
    }

    private bool IsInOrder(IndexList term, Layout layout, string axes)
    {
        int[] places = [.. axes.Select(axis => _algebra.Axes.IndexOf(axis, StringComparison.Ordinal))];
        return places.AsSpan().SequenceEqual([.. layout.Order.Where(axis => term[axis].Extent > 1 || places.Contains(axis))]);
    }

    private int Add(Tree tree, List<PlanStep> steps, CostModel cost)
    {
        if (tree.Operand >= 0)
        {
            PlannedValue operand = _values[tree.Operand];
            if (tree.Term == operand.Term)
                return tree.Operand;
            Layout kept = Layout.From(tree.Term, [.. operand.Layout.Order.Where(tree.Term.Has)]);
            double seconds = cost.Step + (operand.Term.Size + tree.Term.Size) * cost.Move;
            return Add(
                new(tree.Term, kept, tree.Operand, -1, null),
                steps,
                new(0, 0, 0, 0, operand.Term.Size + tree.Term.Size),
                seconds,
                scratch: (long)operand.Term.Size
            );
        }
        bool leftFirst = tree.Left!.GoesFirst(tree.Right!);
        int left = leftFirst ? Add(tree.Left!, steps, cost) : -1,
            right = Add(tree.Right!, steps, cost);
        if (!leftFirst)
            left = Add(tree.Left!, steps, cost);
        Pair pair = new(_algebra, tree.Left!.Term, tree.Right!.Term, tree.Term);
        Lowering lowering = new(pair, _values[left].Layout, _values[right].Layout);
        return Add(
            new(tree.Term, lowering.Result, left, right, lowering),
            steps,
            pair.Extents(),
            cost.Seconds(pair, PlanGoal.Forward),
            lowering.Scratch
        );
    }

    private int Add(PlannedValue value, List<PlanStep> steps, MatrixExtents extents, double seconds, long scratch)
    {
        _values.Add(value);
        int? right = value.Right < 0 ? null : value.Right;
        steps.Add(
            new(value.Left, right, Expression(value), ShapeOf(value), (long)extents.Macs, (long)(4 * extents.Moved), seconds, scratch)
        );
        return _values.Count - 1;
    }

    private static Shape ShapeOf(PlannedValue value) => [.. value.Layout.Order.Select(axis => value.Term[axis].Extent)];

    private string Expression(PlannedValue value)
    {
        PlannedValue left = _values[value.Left];
        PlannedValue? right = value.Right < 0 ? null : _values[value.Right];
        string factors = Name(left) + (right is null ? "" : $",{Name(right)}");
        string convolved = EquationText.Term(
            _problem.Equation,
            value
                .Layout.Order.Where(axis => right is not null && left.Term.Has(axis) && right.Term.Has(axis) && _algebra.IsConvolved(axis))
                .Select(axis => _algebra.Axes[axis])
        );
        return $"{factors}->{Name(value)}{(convolved.Length > 0 ? $"|{convolved}" : "")}";
    }

    private string Name(PlannedValue value) => EquationText.Term(_problem.Equation, value.Layout.Order.Select(axis => _algebra.Axes[axis]));

    private long PeakOf()
    {
        int operands = _problem.Inputs.Length;
        double alive = 0,
            peak = _values.Count == operands ? _problem.Result.ElementCount : 0;
        for (int k = operands; k < _values.Count; k++)
        {
            PlannedValue value = _values[k];
            peak = Math.Max(peak, alive += value.Term.Size);
            if (value.Left >= operands)
                alive -= _values[value.Left].Term.Size;
            if (value.Right >= operands)
                alive -= _values[value.Right].Term.Size;
        }
        return (long)peak;
    }

    private static void Sums<T>(PlannedValue operand, PlannedValue sum, ReadOnlySpan<T> values, Span<T> sums)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int[] summed = [.. operand.Layout.Order.Where(axis => !sum.Term.Has(axis))];
        Packing rows = new(
            [.. sum.Layout.Order.Concat(summed).Select(axis => new AxisLoop(axis, AxisLoop.Plain, Role.Left, operand.Term[axis].Extent))],
            0,
            operand.Layout,
            default
        );
        T[] gathered = ArrayPool<T>.Shared.Rent(rows.Count);
        rows.Gather(values, 0, gathered.AsSpan(0, rows.Count));
        int length = rows.Count / sums.Length;
        for (int row = 0; row < sums.Length; row++)
            sums[row] = TensorPrimitives.Sum<T>(gathered.AsSpan(row * length, length));
        ArrayPool<T>.Shared.Return(gathered);
    }
}

/// <summary>A value of a plan: an operand, or what a step makes of one value (sums) or two.</summary>
internal sealed record PlannedValue(IndexList Term, Layout Layout, int Left, int Right, Lowering? Lowering);
