using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Tensorial.Analysis;

/// <summary>
/// The singular values of a kernel matricised along a cut, and what follows from them. With p_k = s_k² / sum s²; a kernel of
/// zeros has no p and every measure is 0. (See Singh, Jahromi, Orús, arXiv 2403.14379, and docs/analysis.md.)
/// </summary>
/// <param name="Cut">Rows and columns by axis letter, such as <c>o|ihw</c>.</param>
/// <param name="Rows">Product of the extents left of the bar.</param>
/// <param name="Columns">Product of the extents right of it.</param>
/// <param name="SingularValues">All min(rows, columns) of them, falling.</param>
public sealed record CutSpectrum(
    string Cut,
    [property: Range(0, int.MaxValue)] int Rows,
    [property: Range(0, int.MaxValue)] int Columns,
    ValueList<double> SingularValues
)
{
    /// <summary>The norm losses whose ranks every report lists.</summary>
    public static ReadOnlySpan<double> NormLosses => [0.01, 0.05, 0.1, 0.2, 0.3, 0.5];

    /// <summary>min(rows, columns).</summary>
    public int MaxRank => Math.Min(Rows, Columns);

    /// <summary>Frobenius norm of the kernel, sqrt(sum s²).</summary>
    [JsonIgnore]
    public double Norm => TailNorm(0);

    /// <summary>Entanglement entropy -sum p ln p, in nats.</summary>
    public double Entropy
    {
        get
        {
            double norm = Norm,
                entropy = 0;
            if (norm == 0)
                return 0;
            foreach (double value in SingularValues)
            {
                double p = value / norm * (value / norm);
                if (p > 0)
                    entropy -= p * Math.Log(p);
            }
            return Math.Max(entropy, 0);
        }
    }

    /// <summary>exp(entropy): how many equal singular values would have this entropy.</summary>
    public double EffectiveRank => Norm == 0 ? 0 : Math.Exp(Entropy);

    /// <summary>1 / sum p²; never above the effective rank.</summary>
    public double ParticipationRatio
    {
        get
        {
            double norm = Norm,
                sum = 0;
            if (norm == 0)
                return 0;
            foreach (double value in SingularValues)
                sum += Math.Pow(value / norm, 4);
            return 1 / sum;
        }
    }

    /// <summary>Entropy / ln(maxRank), 0 to 1, so that cuts of different size compare; 0 where only one singular value exists.</summary>
    public double NormalisedEntropy => MaxRank > 1 ? Math.Min(1, Entropy / Math.Log(MaxRank)) : 0;

    /// <summary>p_1 - p_2.</summary>
    public double SchmidtGap
    {
        get
        {
            double norm = Norm;
            if (norm == 0)
                return 0;
            double first = SingularValues[0] / norm,
                second = SingularValues.Count > 1 ? SingularValues[1] / norm : 0;
            return first * first - second * second;
        }
    }

    /// <summary>The smallest rank whose norm loss does not exceed each of <see cref="NormLosses"/>.</summary>
    public IReadOnlyDictionary<string, int> RankForNormLoss
    {
        get
        {
            Dictionary<string, int> ranks = [];
            foreach (double loss in NormLosses)
                ranks[loss.ToString(System.Globalization.CultureInfo.InvariantCulture)] = RankFor(loss);
            return ranks;
        }
    }

    /// <summary>
    /// The largest rank at which two factors have no more parameters than the dense kernel: floor(rows · columns / (rows + columns)).
    /// </summary>
    public int BreakEvenRank => (long)Rows + Columns is > 0 and long both ? (int)((long)Rows * Columns / both) : 0;

    /// <summary>Parameters of two factors of this rank: rank · (rows + columns).</summary>
    public long FactoredParameters(int rank) => rank * ((long)Rows + Columns);

    /// <summary>||K - K_chi|| / ||K|| when the first <paramref name="rank"/> singular values are kept.</summary>
    public double NormLoss(int rank) => Norm is > 0 and double norm ? TailNorm(rank) / norm : 0;

    /// <summary><see cref="NormLoss"/> at every rank, from 0 to the maximal one, in one pass.</summary>
    public double[] NormLossByRank()
    {
        ReadOnlySpan<double> values = SingularValues.Items;
        double[] losses = new double[values.Length + 1];
        if (Norm is not (> 0 and double norm))
            return losses;
        double sum = 0;
        for (int k = values.Length - 1; k >= 0; k--)
        {
            sum += values[k] / values[0] * (values[k] / values[0]);
            losses[k] = values[0] * Math.Sqrt(sum) / norm;
        }
        return losses;
    }

    /// <summary>||K_chi||² / ||K||².</summary>
    public double RetainedEnergy(int rank) => 1 - NormLoss(rank) * NormLoss(rank);

    /// <summary>1 - ||K_chi|| / ||K||.</summary>
    public double RelativeNormLoss(int rank)
    {
        // 1 - sqrt(1 - e²) without the cancellation.
        double loss = NormLoss(rank);
        return loss * loss / (1 + Math.Sqrt(1 - loss * loss));
    }

    /// <summary>The smallest rank whose norm loss does not exceed <paramref name="normLoss"/>.</summary>
    public int RankFor(double normLoss)
    {
        // Summed from the small end, as TailNorm does: a tail of tiny values is not lost against the large ones.
        double bound = normLoss * Norm,
            sum = 0;
        int rank = SingularValues.Count;
        double scale = SingularValues.Count > 0 && SingularValues[0] > 0 ? SingularValues[0] : 1;
        while (rank > 0)
        {
            double value = SingularValues[rank - 1] / scale;
            sum += value * value;
            if (scale * Math.Sqrt(sum) > bound)
                break;
            rank--;
        }
        return rank;
    }

    /// <summary>
    /// sqrt(sum of s_k² for k beyond <paramref name="rank"/>), scaled by the largest so that nothing overflows or vanishes.
    /// </summary>
    private double TailNorm(int rank)
    {
        ReadOnlySpan<double> values = SingularValues.Items;
        if (values.IsEmpty || values[0] == 0)
            return 0;
        double sum = 0;
        for (int k = values.Length - 1; k >= rank; k--)
            sum += values[k] / values[0] * (values[k] / values[0]);
        return values[0] * Math.Sqrt(sum);
    }
}
