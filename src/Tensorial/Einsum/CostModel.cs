namespace Tensorial.Einsum;

/// <summary>
/// How long a step takes: a fixed part, its multiply-accumulates at the rate that matrix products of its extents reach, and the values it moves.
/// </summary>
public sealed record CostModel
{
    public static CostModel Default { get; } = new();

    /// <summary>Seconds of a step however small.</summary>
    public double Step { get; init; } = 1e-6;

    /// <summary>Seconds of one matrix product within a step.</summary>
    public double Product { get; init; } = 2e-7;

    /// <summary>Seconds of a multiply-accumulate within large products.</summary>
    public double Mac { get; init; } = 1.5e-11;

    /// <summary>Extent of a matrix product at which it reaches half its rate, for each of its three extents.</summary>
    public double HalfRate { get; init; } = 8;

    /// <summary>Seconds to move a value from one array to another.</summary>
    public double Move { get; init; } = 4e-10;

    internal double Seconds(Pair pair, PlanGoal goal) => goal == PlanGoal.Forward ? Seconds(pair) : Seconds(pair) + Seconds(pair.Adjoint(0)) + Seconds(pair.Adjoint(1));

    private double Seconds(Pair pair)
    {
        MatrixExtents extents = pair.Extents();
        double slow = (1 + HalfRate / extents.Left) * (1 + HalfRate / extents.Right) * (1 + HalfRate / extents.Summed);
        return Step + extents.Batch * Product + extents.Macs * Mac * slow + extents.Moved * Move;
    }
}
