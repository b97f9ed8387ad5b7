namespace Tensorial.Equations;

/// <summary>
/// The terms of a problem and what becomes of two of them: which axes their product keeps depends on which operands are in it and not on
/// the order in which they came, so that a search may look at subsets.
/// </summary>
internal sealed class Algebra
{
    private readonly int[] _uses;
    private readonly Relation?[] _relations;
    private readonly AxisIndex[] _goals;
    private readonly (long Least, long Most)[] _sums;

    public Algebra(Problem problem)
    {
        Problem = problem;
        Axes = new([.. string.Concat(problem.Inputs).Distinct()]);
        int count = Axes.Length;
        (_uses, _relations, _goals, _sums) = (new int[count], new Relation?[count], new AxisIndex[count], new (long, long)[count]);
        Dictionary<char, int> extents = Extents(problem);
        Operands = new IndexList[problem.Inputs.Length];
        for (int i = 0; i < Operands.Length; i++)
        {
            AxisIndex[] legs = new AxisIndex[count];
            for (int place = 0; place < problem.Inputs[i].Length; place++)
            {
                char axis = problem.Inputs[i][place];
                int k = Axes.IndexOf(axis, StringComparison.Ordinal),
                    extent = problem.Shapes[i][place];
                Relation? relation = problem.Relations.FirstOrDefault(own => own.Axis == axis);
                if (relation is not null)
                    legs[k] = AxisIndex.From(extent, relation.Inputs[i]);
                else if (extent == extents[axis])
                    legs[k] = new(extent, 1);
                _relations[k] = relation;
            }
            Operands[i] = new(legs);
        }
        for (int k = 0; k < count; k++)
            Count(k, problem);
    }

    public Problem Problem { get; }

    /// <summary>All axes of the operands; their places here number them.</summary>
    public string Axes { get; }

    /// <summary>The operands, diagonals taken, axes that only stretch left out.</summary>
    public IndexList[] Operands { get; }

    public bool IsConvolved(int axis) => _relations[axis] is not null;

    public int Modulus(int axis) => _relations[axis]?.Modulus ?? 0;

    /// <summary>The operand summed over the axes that nothing else has.</summary>
    public IndexList Summed(IndexList operand)
    {
        for (int k = 0; k < Axes.Length; k++)
            if (operand.Has(k) && _uses[k] == 1)
                operand = operand.Without(k);
        return operand;
    }

    /// <summary>The product of two terms, summed over axes that no other term and not the result has.</summary>
    public IndexList Product(IndexList a, IndexList b)
    {
        AxisIndex[] legs = new AxisIndex[Axes.Length];
        for (int k = 0; k < legs.Length; k++)
        {
            if (!a.Has(k) || !b.Has(k))
                legs[k] = a.Has(k) ? a[k] : b[k];
            else if (a[k].Holders + b[k].Holders is int holders && holders == _uses[k])
                legs[k] = _relations[k] is null ? default : _goals[k];
            else if (_relations[k] is null)
                legs[k] = a[k] with { Holders = holders };
            else
                legs[k] = a[k].With(b[k], _goals[k], _sums[k], Modulus(k));
        }
        return new(legs);
    }

    private void Count(int k, Problem problem)
    {
        int holders = Operands.Count(operand => operand.Has(k));
        bool inResult = problem.Output.Contains(Axes[k]);
        if (_relations[k] is not { } relation)
        {
            // An axis that stretches in the result is summed like one that it lacks.
            bool isKept = inResult && problem.Result[problem.Output.IndexOf(Axes[k])] == Operands.Max(operand => operand[k].Extent);
            _uses[k] = holders + (isKept ? 1 : 0);
            return;
        }
        _uses[k] = holders;
        int extent = relation.Output == 0 ? 1 : problem.Result[problem.Output.IndexOf(Axes[k])];
        _goals[k] = AxisIndex.Closing(extent, relation, holders);
        _sums[k] = (Operands.Sum(operand => operand[k].Least), Operands.Sum(operand => operand[k].Most));
    }

    /// <summary>The extent of every plain axis, stretched ones included.</summary>
    private static Dictionary<char, int> Extents(Problem problem)
    {
        Dictionary<char, int> extents = [];
        for (int i = 0; i < problem.Inputs.Length; i++)
        for (int place = 0; place < problem.Inputs[i].Length; place++)
        {
            char axis = problem.Inputs[i][place];
            int extent = problem.Shapes[i][place];
            extents[axis] = extents.TryGetValue(axis, out int known) && known != 1 ? known : extent;
        }
        for (int place = 0; place < problem.Output.Length; place++)
            if (extents.TryGetValue(problem.Output[place], out int known) && known == 1)
                extents[problem.Output[place]] = problem.Result[place];
        return extents;
    }
}
