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

    /// <summary>
    /// Operands that are parameters of a network, a bit each: what depends on them alone is not computed for every value of the others, and
    /// what they multiply is a feature map (<see cref="MapStep"/>).
    /// </summary>
    internal ulong Parameters { get; init; }

    /// <summary>What a step on parameters alone costs, as a part of its price: one over the images that share it.</summary>
    internal double ParameterWeight { get; init; } = 1;

    /// <summary>Whether channels of feature maps may be moved between steps, or folded into the batch.</summary>
    internal bool MovesChannels { get; init; } = true;

    /// <summary>
    /// What a step on parameters alone costs where it is done when a network is loaded, as a part of its price: nothing, but for telling equals
    /// apart.
    /// </summary>
    internal const double OnceForAll = 1e-6;

    /// <summary>These options for operands some of which are parameters: for inference, or where gradients follow.</summary>
    internal PlanOptions WithParameters(IReadOnlyList<string> operands, Func<string, bool> isParameter)
    {
        ulong parameters = 0;
        for (int operand = 0; operand < Math.Min(operands.Count, 64); operand++)
            if (isParameter(operands[operand]))
                parameters |= 1UL << operand;
        return this with { Parameters = parameters, ParameterWeight = Goal == PlanGoal.Forward ? OnceForAll : 1 };
    }

    internal bool IsParameter(int operand) => operand < 64 && (Parameters >> operand & 1) != 0;

    /// <summary>What a search adds up for a step.</summary>
    /// <param name="pair">The step.</param>
    /// <param name="isLeft">Whether its left term depends on parameters alone.</param>
    /// <param name="isRight">The same of the right one.</param>
    internal double Seconds(Pair pair, bool isLeft, bool isRight) =>
        isLeft && isRight ? ParameterWeight * Cost.Seconds(pair, Goal)
        : isLeft != isRight ? MapStep.From(pair, isRight ? 0 : 1, this).Seconds(this)
        : Cost.Seconds(pair, Goal);
}
