namespace Tensorial.Equations;

/// <summary>An order of evaluation: an operand, or the product of two trees.</summary>
/// <param name="Term">What it yields.</param>
/// <param name="Operand">The operand, -1 for a product.</param>
/// <param name="Left">The larger factor.</param>
/// <param name="Right">The smaller one.</param>
/// <param name="Cost">What the search adds up, of all its steps.</param>
/// <param name="Peak">Computed values alive at once at most.</param>
/// <param name="IsParameter">Whether it depends on parameters alone.</param>
internal sealed record Tree(IndexList Term, int Operand, Tree? Left, Tree? Right, double Cost, double Peak, bool IsParameter)
{
    public static Tree From(IndexList operand, int index, PlanOptions options) =>
        new(operand, index, null, null, 0, 0, options.IsParameter(index));

    /// <summary>The operands, summed over axes that nothing else has.</summary>
    public static Tree[] Leaves(Algebra algebra, PlanOptions options) =>
        [.. algebra.Operands.Select((operand, i) => From(algebra.Summed(operand), i, options))];

    public static Tree From(Algebra algebra, Tree a, Tree b, PlanOptions options)
    {
        Pair pair = Pair.From(algebra, a.Term, b.Term);
        bool isInOrder = pair.Left == a.Term;
        return From(pair, a, b, options.Seconds(pair, (isInOrder ? a : b).IsParameter, (isInOrder ? b : a).IsParameter));
    }

    /// <summary>The product of two trees, of known cost.</summary>
    public static Tree From(Pair pair, Tree a, Tree b, double cost)
    {
        if (pair.Left != a.Term)
            (a, b) = (b, a);
        (Tree first, Tree second) = a.GoesFirst(b) ? (a, b) : (b, a);
        double peak = Math.Max(first.Peak, Math.Max(first.Held + second.Peak, first.Held + second.Held + pair.Product.Size));
        return new(pair.Product, -1, a, b, a.Cost + b.Cost + cost, peak, a.IsParameter && b.IsParameter);
    }

    /// <summary>Which of two trees to compute first, such that fewer values are alive at once.</summary>
    public bool GoesFirst(Tree other) => Math.Max(Peak, Held + other.Peak) <= Math.Max(other.Peak, other.Held + Peak);

    /// <summary>Computed values that stay until they are used; operands are the caller's.</summary>
    private double Held => Operand >= 0 ? 0 : Term.Size;
}
