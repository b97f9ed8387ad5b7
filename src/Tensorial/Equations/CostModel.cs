namespace Tensorial.Equations;

/// <summary>
/// How long a step takes on one thread: a fixed part, its multiply-accumulates at the rate that matrix products of its extents reach, and
/// the values it moves. The built-in constants fit single steps of many kinds on one machine (bench, <c>einsum-steps</c>);
/// <see cref="CostCalibration"/> fits them to the one it runs on. Only their ratios decide orders.
/// </summary>
public sealed record CostModel
{
    /// <summary>The built-in constants.</summary>
    public static CostModel Default { get; } = new();

    /// <summary>Where the constants come from: built in, or which machine was measured when.</summary>
    public string Source { get; init; } = "built in";

    /// <summary>Seconds of a step however small.</summary>
    public double Step { get; init; } = 1.9e-6;

    /// <summary>Seconds of one matrix product within a step, however small.</summary>
    public double Product { get; init; } = 6e-7;

    /// <summary>Seconds of a multiply-accumulate within large products.</summary>
    public double Mac { get; init; } = 2.6e-11;

    /// <summary>Rows or columns of a matrix product at which it reaches half its rate.</summary>
    public double HalfRate { get; init; } = 3;

    /// <summary>Summed extent of a matrix product at which it reaches half its rate.</summary>
    public double HalfSummed { get; init; } = 2.9;

    /// <summary>
    /// Seconds of a multiply-accumulate with many kernels unfolded along their axis, one for each product, as in depthwise steps along one
    /// axis.
    /// </summary>
    public double UnfoldedMac { get; init; } = 4.4e-11;

    /// <summary>Seconds of a multiply-accumulate with one or two rows or columns: sums of shifted rows.</summary>
    public double ThinMac { get; init; } = 4.9e-11;

    /// <summary>Seconds of a multiply-accumulate in products so small that the step goes along their batch instead.</summary>
    public double BatchedMac { get; init; } = 6e-10;

    /// <summary>Seconds to move a value from one array to another.</summary>
    public double Move { get; init; } = 2.6e-10;

    /// <summary>All constants, in an order of their own.</summary>
    internal double[] Constants => [Step, Product, Mac, HalfRate, HalfSummed, UnfoldedMac, ThinMac, BatchedMac, Move];

    /// <summary>This model with other constants, in the order of <see cref="Constants"/>.</summary>
    internal CostModel With(double[] constants) =>
        this with
        {
            Step = constants[0],
            Product = constants[1],
            Mac = constants[2],
            HalfRate = constants[3],
            HalfSummed = constants[4],
            UnfoldedMac = constants[5],
            ThinMac = constants[6],
            BatchedMac = constants[7],
            Move = constants[8],
        };

    internal double Seconds(Pair pair, PlanGoal goal) =>
        goal == PlanGoal.Forward
            ? Seconds(pair.Extents())
            : Seconds(pair.Extents()) + Seconds(pair.Adjoint(0).Extents()) + Seconds(pair.Adjoint(1).Extents());

    internal double Seconds(MatrixExtents extents)
    {
        double slow = (1 + HalfRate / extents.Left) * (1 + HalfRate / extents.Right) * (1 + HalfSummed / extents.Summed);
        double mac =
            extents.Unfolds && extents.Batch > 1 ? UnfoldedMac
            : Math.Min(extents.Left, extents.Right) <= 2 ? ThinMac
            : Mac * slow;
        double products = extents.Batch * Product + extents.Macs * mac,
            lanes = extents.Macs * BatchedMac;
        return Step + Math.Min(products, lanes) + extents.Moved * Move;
    }
}
