using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Decompositions;

/// <summary>
/// Whether the terms of a CP fit stand on their own or grow and cancel each other, which leaves a network that cannot be tuned.
/// </summary>
/// <param name="TermEnergy">Σ ‖termᵣ‖² / ‖X̃‖²: 1 for orthogonal terms.</param>
/// <param name="LargestTerm">max ‖termᵣ‖ / ‖X̃‖.</param>
/// <param name="LeastCosine">The least cosine of the angle between two terms, the product of those between their vectors; 1 for a single
/// term.</param>
/// <param name="Sensitivity">
/// The expected squared change of X̃ for noise of variance 1 on every number of every factor, Σₖ nₖ Σᵣ Π_{j≠k} ‖uʲᵣ‖²
/// (A.-H. Phan et al., ECCV 2020, arXiv 2008.05441, section 3).
/// </param>
internal sealed record CpStability(double TermEnergy, double LargestTerm, double LeastCosine, double Sensitivity)
{
    /// <summary>
    /// Two terms point in all but opposite directions and one is longer than the tensor (W. Krijnen, T. Dijkstra, A. Stegeman,
    /// Psychometrika 73, 2008).
    /// </summary>
    public bool IsDegenerate => LeastCosine < -0.95 && LargestTerm > 1;

    /// <summary>The stability of a CP fit.</summary>
    /// <exception cref="BadInputException">The factors are not those of CP.</exception>
    public static CpStability From<T>(TensorFactors<T> cp)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (cp.Ranks is not [int rank] || cp.Format != TensorFormat.Cp(cp.Factors.Length))
            throw new BadInputException($"Stability is a matter of rank-one terms; {cp.Format} with {cp.Format.Equation} has none.");
        double[][] norms = [.. cp.Factors.Select(CpTerms.Norms)];
        double[] weights = CpTerms.Weights(cp.Factors);
        double[] cosines = new double[rank * rank];
        Array.Fill(cosines, 1);
        foreach ((Tensor<T> factor, double[] lengths) in cp.Factors.Zip(norms))
        {
            Tensor<T> gram = CpTerms.Gram(factor, Workers.Serial);
            for (int at = 0; at < cosines.Length; at++)
            {
                double scale = lengths[at / rank] * lengths[at % rank];
                cosines[at] *= scale > 0 ? double.CreateChecked(gram.Values[at]) / scale : 0;
            }
        }
        double norm2 = 0,
            least = 1;
        for (int at = 0; at < cosines.Length; at++)
        {
            norm2 += cosines[at] * weights[at / rank] * weights[at % rank];
            if (at / rank != at % rank)
                least = Math.Min(least, cosines[at]);
        }
        double sensitivity = Enumerable
            .Range(0, norms.Length)
            .Sum(mode =>
                cp.Factors[mode].Shape[0]
                * Enumerable
                    .Range(0, rank)
                    .Sum(r =>
                        norms.Where((_, other) => other != mode).Aggregate(1.0, (product, lengths) => product * lengths[r] * lengths[r])
                    )
            );
        return norm2 > 0
            ? new(weights.Sum(static w => w * w) / norm2, weights.Max() / Math.Sqrt(norm2), least, sensitivity)
            : new(0, 0, least, sensitivity);
    }
}
