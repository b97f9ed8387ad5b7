using System.Collections.Immutable;

namespace Tensorial.Decompositions;

/// <summary>Ranks of a format from one number.</summary>
public static class RankLadder
{
    /// <summary>
    /// The largest ranks whose factors have at most this part of the kernel's parameters; several ranks rise as the fourth roots of the
    /// largest possible ones (<see cref="TensorFormat.RanksWithin"/>). At least 1 each, even where that is more.
    /// </summary>
    /// <param name="kernel">[o, i, h, w].</param>
    /// <param name="format">The format.</param>
    /// <param name="rate">Parameters over those of the dense kernel, 0 to 1.</param>
    /// <param name="multiple">Ranks are rounded down to multiples of this where they are larger.</param>
    public static ImmutableArray<int> At(Shape kernel, KernelFormat format, double rate, int multiple = 1)
    {
        ImmutableArray<int> most = format.MaxRanks(kernel);
        double low = 0, high = most.Max();
        // Parameters rise with every rank: halving finds the scale to far below one rank.
        for (int step = 0; step < 50; step++)
        {
            double middle = (low + high) / 2;
            if (format.Parameters(kernel, Scaled(most, middle, 1)) <= rate * kernel.Count) low = middle;
            else high = middle;
        }
        return Scaled(most, low, multiple);
    }

    private static ImmutableArray<int> Scaled(ImmutableArray<int> most, double scale, int multiple) =>
        [.. most.Select(rank => (int)Math.Clamp(scale * Math.Pow(rank, 0.25), 1, rank)).Select(rank => rank > multiple ? rank / multiple * multiple : rank)];
}
