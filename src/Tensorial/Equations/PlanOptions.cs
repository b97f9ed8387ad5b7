namespace Tensorial.Equations;

/// <summary>What a plan is to be good at.</summary>
public enum PlanGoal
{
    /// <summary>Computing the result.</summary>
    Forward,

    /// <summary>Computing the result and then the gradients of all operands.</summary>
    ForwardAndBackward,
}

/// <summary>How an order of evaluation is looked for.</summary>
public enum PlanSearch
{
    /// <summary><see cref="Exact"/> to <see cref="PlanOptions.MostExact"/> operands, <see cref="Greedy"/> beyond.</summary>
    Automatic,

    /// <summary>Every order, by dynamic programming over subsets of operands.</summary>
    Exact,

    /// <summary>
    /// Pair by pair what shrinks most, many times over with chance in it, the best improved by exact search within parts.
    /// </summary>
    Greedy,

    /// <summary>As the equation has them, the yardstick.</summary>
    LeftToRight,
}

/// <summary>What to look for, and how hard.</summary>
public sealed record PlanOptions
{
    /// <summary>Operands up to which all orders are looked at: 3ⁿ/2 pairs of subsets, some 50 ms for 12.</summary>
    public const int MostExact = 12;

    /// <summary>The usual options.</summary>
    public static PlanOptions Default { get; } = new();

    internal static PlanOptions ForGradients { get; } = new() { Goal = PlanGoal.ForwardAndBackward };

    /// <summary>What is to be computed.</summary>
    public PlanGoal Goal { get; init; } = PlanGoal.Forward;

    /// <summary>How an order is looked for.</summary>
    public PlanSearch Search { get; init; } = PlanSearch.Automatic;

    /// <summary>Computed values that may be alive at once, the result among them; null for any number.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>Seed of the greedy search.</summary>
    public int Seed { get; init; }

    /// <summary>Attempts of the greedy search.</summary>
    public int Trials { get; init; } = 64;

    /// <summary>What steps cost.</summary>
    public CostModel Cost { get; init; } = CostModel.Default;
}
