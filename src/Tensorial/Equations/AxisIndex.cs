using System.Numerics;

namespace Tensorial.Equations;

/// <summary>
/// One axis of a tensor on the way from the operands to the result. Along a convolved axis, entry j holds what the operands contribute
/// whose indices, times their coefficients, sum to Scale·j + Start: the full convolution of those operands, or what of it the rest can
/// still reach.
/// </summary>
/// <param name="Extent">Number of entries; 0 where the tensor lacks the axis.</param>
/// <param name="Holders">How many operands that have the axis went into the tensor.</param>
/// <param name="Scale">Distance of neighbouring entries in the sum.</param>
/// <param name="Start">The sum at entry 0.</param>
/// <param name="Least">The least sum that can come about.</param>
/// <param name="Most">The largest one.</param>
/// <param name="Step">What all sums are multiples of.</param>
internal readonly record struct AxisIndex(
    int Extent,
    int Holders,
    long Scale = 0,
    long Start = 0,
    long Least = 0,
    long Most = 0,
    long Step = 0
)
{
    /// <summary>An operand's own convolved axis.</summary>
    public static AxisIndex From(int extent, int coefficient)
    {
        long last = (long)coefficient * (extent - 1);
        return new(extent, 1, coefficient, 0, Math.Min(0, last), Math.Max(0, last), Math.Abs(coefficient));
    }

    /// <summary>The result's end of a relation: Σ = -Output·z - Constant.</summary>
    public static AxisIndex Closing(int extent, Relation relation, int holders) =>
        new(extent, holders, relation.Output == 0 ? 1 : -relation.Output, -(long)relation.Constant);

    /// <summary>The axis of a product of two tensors that have it, while other holders are still to come.</summary>
    /// <param name="other">The other tensor's axis.</param>
    /// <param name="goal">The result's end of the relation.</param>
    /// <param name="all">Least and largest sum of all operands.</param>
    /// <param name="modulus">Period of a circular axis, else 0.</param>
    public AxisIndex With(AxisIndex other, AxisIndex goal, (long Least, long Most) all, int modulus)
    {
        AxisIndex sum = new(
            0,
            Holders + other.Holders,
            0,
            0,
            Least + other.Least,
            Most + other.Most,
            (long)BigInteger.GreatestCommonDivisor(Step, other.Step)
        );
        if (modulus > 0)
            return sum.Most - sum.Least >= modulus
                ? sum with
                {
                    Extent = modulus,
                    Scale = 1,
                    Start = 0,
                    Least = 0,
                    Most = modulus - 1,
                    Step = 1,
                }
                : sum.Over(sum.Least, sum.Most);
        // What the operands to come cannot carry to an entry of the result is not needed.
        long end = goal.Start + goal.Scale * (goal.Extent - 1);
        long least = Math.Min(goal.Start, end) - (all.Most - sum.Most),
            most = Math.Max(goal.Start, end) - (all.Least - sum.Least);
        return sum.Over(Math.Max(sum.Least, least), Math.Min(sum.Most, most));
    }

    /// <summary>Whether different entries stand for different sums, up to multiples of the modulus where there is one.</summary>
    public bool IsUnique(int modulus) => modulus == 0 || Extent <= modulus / (long)BigInteger.GreatestCommonDivisor(Scale, modulus);

    /// <summary>Entries for the sums within bounds; one, of no consequence, where there are none.</summary>
    private AxisIndex Over(long least, long most)
    {
        long start = Least + (least - Least + Step - 1) / Step * Step;
        return this with { Scale = Step, Start = start, Extent = most < start ? 1 : checked((int)((most - start) / Step) + 1) };
    }
}
