using System.Collections.Immutable;

namespace Tensorial.Decompositions;

/// <summary>Factors to begin training with.</summary>
public static class InitialFactors
{
    /// <summary>
    /// Draws factors from normal distributions so that every entry of the weight they make has mean 0 and a given deviation δ, and all
    /// factors the same norm.
    /// <para>An entry is a sum over all bonds of products of d factors, so its variance is R₁R₂⋯ σ₁²⋯σ_d². A step along the gradient moves
    /// the weight through factor k by ‖W‖² / ‖Fₖ‖² times what it would move a dense one, on average over the directions that the factor
    /// has: with equal norms all factors learn at one pace, near the dense layer's, and its learning rate serves. With equal deviations a
    /// small factor next to a large one would run away.</para>
    /// </summary>
    /// <param name="form">The format on a weight.</param>
    /// <param name="ranks">Its ranks.</param>
    /// <param name="deviation">δ: what a dense layer would be drawn with, √(2 / fan-out) and the like.</param>
    /// <param name="random">Where numbers come from.</param>
    /// <exception cref="BadInputException">The ranks do not fit the form.</exception>
    public static TensorFactors<double> Draw(KernelForm form, ImmutableArray<int> ranks, double deviation, Random random)
    {
        form.Check(ranks.AsSpan());
        if (!form.Terms.IsEmpty)
            // Variances of the terms add up.
            return new(
                form.Tensor,
                form.Folding,
                ranks,
                [
                    .. form.Parted(ranks)
                        .SelectMany(term => Draw(term.Form, term.Ranks, deviation / Math.Sqrt(form.Terms.Length), random).Factors),
                ],
                RelativeError: 0
            );
        ImmutableArray<Shape> shapes = form.Tensor.FactorShapes(form.Folding.Folded, ranks.AsSpan());
        return new(
            form.Tensor,
            form.Folding,
            ranks,
            form.Tensor.Cut(Draw(shapes, form.Tensor.Terms(ranks), deviation, random), ranks),
            RelativeError: 0
        );
    }

    /// <summary>Factors of some extents, each entry of whose product is a sum of so many terms.</summary>
    internal static ImmutableArray<Tensor<double>> Draw(ImmutableArray<Shape> shapes, double terms, double deviation, Random random)
    {
        // ‖Fₖ‖² = nₖ σₖ² = c for all k, hence c^d = δ² n₁⋯n_d / (R₁R₂⋯).
        double logarithm = 2 * Math.Log(deviation) + shapes.Sum(static shape => Math.Log(shape.ElementCount)) - Math.Log(terms);
        double square = Math.Exp(logarithm / shapes.Length);
        return [.. shapes.Select(shape => Drawn(shape, Math.Sqrt(square / shape.ElementCount), random))];
    }

    private static Tensor<double> Drawn(Shape shape, double deviation, Random random)
    {
        Tensor<double> factor = new(shape);
        foreach (ref double value in factor.Values)
            value = deviation * random.NextNormal();
        return factor;
    }
}
