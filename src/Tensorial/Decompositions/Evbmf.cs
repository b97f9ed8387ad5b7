namespace Tensorial.Decompositions;

/// <summary>The part of a matrix that noise does not explain.</summary>
/// <param name="Rank">Singular values that stand out; 0 where none does.</param>
/// <param name="NoiseVariance">Variance of the noise in each entry.</param>
internal sealed record Evbmf(int Rank, double NoiseVariance)
{
    /// <summary>
    /// Empirical variational Bayes matrix factorization of a matrix [rows, columns] with unknown noise, from its singular values: the
    /// global solution in closed form, the variance by a search along one line (S. Nakajima, M. Sugiyama, S. D. Babacan, R. Tomioka, JMLR
    /// 14, 2013, theorems 2 and 3).
    /// </summary>
    /// <param name="values">All min(rows, columns) singular values, descending.</param>
    /// <param name="rows">Rows of the matrix.</param>
    /// <param name="columns">Its columns.</param>
    /// <exception cref="ShapeException">There are not as many values as the matrix has.</exception>
    public static Evbmf From(ReadOnlySpan<double> values, int rows, int columns)
    {
        (int l, int m) = (Math.Min(rows, columns), Math.Max(rows, columns));
        if (values.Length != l)
            throw new ShapeException($"A matrix {rows}×{columns} has {l} singular values, not {values.Length}.");
        double[] energies = [.. values.ToArray().Select(static value => value * value)];
        double total = energies.Sum();
        if (!(total > 0))
            return new(0, 0);

        double alpha = (double)l / m,
            tau = 2.5129 * Math.Sqrt(alpha),
            threshold = (1 + tau) * (1 + alpha / tau);
        double highest = total / ((double)l * m),
            lowest = Math.Max(Floor(energies, l, m, alpha, threshold), 1e-14 * highest);
        double variance = lowest >= highest ? highest : Least(v => FreeEnergy(energies, m, alpha, threshold, v), lowest, highest);
        return new(energies.Count(energy => energy > m * variance * threshold), variance);
    }

    /// <summary>The least variance that can be the answer: no more than L / (1 + α) components can stand out.</summary>
    private static double Floor(double[] energies, int l, int m, double alpha, double threshold)
    {
        int most = Math.Min((int)Math.Ceiling(l / (1 + alpha)) - 1, l) - 1,
            next = Math.Clamp(most + 1, 0, l - 1);
        return Math.Max(energies[next] / (m * threshold), energies[next..].Average() / m);
    }

    private static double FreeEnergy(double[] energies, int m, double alpha, double threshold, double variance)
    {
        double sum = 0;
        foreach (double energy in energies)
        {
            double x = energy / (m * variance);
            if (x <= 0)
                continue;
            if (x <= threshold)
            {
                sum += x - Math.Log(x);
                continue;
            }
            double excess = x - 1 - alpha,
                tau = (excess + Math.Sqrt(Math.Max(0, excess * excess - 4 * alpha))) / 2;
            sum += x - tau + Math.Log((tau + 1) / x) + alpha * Math.Log(tau / alpha + 1);
        }
        return sum;
    }

    /// <summary>
    /// Where a function of one positive number is least: the best of a geometric grid, then the golden section around it.
    /// </summary>
    private static double Least(Func<double, double> function, double low, double high)
    {
        const int Grid = 200;
        double ratio = Math.Pow(high / low, 1.0 / Grid),
            golden = (Math.Sqrt(5) - 1) / 2;
        double best = Enumerable.Range(0, Grid + 1).Select(k => low * Math.Pow(ratio, k)).MinBy(function);
        (double a, double b) = (Math.Max(low, best / ratio), Math.Min(high, best * ratio));
        for (int step = 0; step < 60; step++)
        {
            double left = b - golden * (b - a),
                right = a + golden * (b - a);
            if (function(left) < function(right))
                b = right;
            else
                a = left;
        }
        return (a + b) / 2;
    }
}
