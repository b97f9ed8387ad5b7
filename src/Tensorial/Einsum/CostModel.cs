namespace Tensorial.Einsum;

/// <summary>
/// How long a step takes on one thread: a fixed part, its multiply-accumulates at the rate that matrix products of its extents reach, and the values it
/// moves. The constants fit single steps of many kinds on one machine (bench, <c>einsum-steps</c>); only their ratios decide orders.
/// </summary>
public sealed record CostModel
{
    public static CostModel Default { get; } = new();

    /// <summary>Seconds of a step however small.</summary>
    public double Step { get; init; } = 1e-6;

    /// <summary>Seconds of one matrix product within a step, however small.</summary>
    public double Product { get; init; } = 2e-7;

    /// <summary>Seconds of a multiply-accumulate within large products.</summary>
    public double Mac { get; init; } = 1.9e-11;

    /// <summary>Extent of a matrix product at which it reaches half its rate, for each of its three extents.</summary>
    public double HalfRate { get; init; } = 4;

    /// <summary>Seconds of a multiply-accumulate in products so small that the step goes along their batch instead.</summary>
    public double LaneMac { get; init; } = 4e-10;

    /// <summary>Seconds to move a value from one array to another.</summary>
    public double Move { get; init; } = 2.5e-10;

    internal double Seconds(Pair pair, PlanGoal goal) =>
        goal == PlanGoal.Forward ? Seconds(pair) : Seconds(pair) + Seconds(pair.Adjoint(0)) + Seconds(pair.Adjoint(1));

    private double Seconds(Pair pair)
    {
        MatrixExtents extents = pair.Extents();
        double slow = (1 + HalfRate / extents.Left) * (1 + HalfRate / extents.Right) * (1 + HalfRate / extents.Summed);
        double products = extents.Batch * Product + extents.Macs * Mac * slow, lanes = extents.Macs * LaneMac;
        return Step + Math.Min(products, lanes) + extents.Moved * Move;
    }
}
