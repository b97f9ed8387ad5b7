using System.Collections.Immutable;
using Tensorial.Equations;
using Tensorial.Kernels;

namespace Tensorial.Decompositions.Trees;

/// <summary>Fits a tree by one pass of truncated singular value decompositions.</summary>
internal static class TreeFit
{
    /// <summary>
    /// Factors of a tensor: from the leaves to the root each takes the leading singular vectors of what those before it have left (L.
    /// Grasedyck, SIAM J. Matrix Anal. Appl. 31, 2010), and the root is what is left in the end. The squared relative error is at most the sum
    /// of the tails of the bonds' cuts.
    /// </summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="tree">The tree, of the tensor's extents.</param>
    /// <param name="axes">Letters of the tensor's axes.</param>
    /// <param name="name">The name of the format.</param>
    /// <param name="cancel">Stops between factors.</param>
    public static TensorFactors<double> Of(
        Tensor<double> tensor,
        TreeNetwork tree,
        string axes,
        string name,
        CancellationToken cancel = default
    )
    {
        (Equation equation, ImmutableArray<int> ranks) = tree.Written(axes);
        Tensor<double> rest = tensor;
        string left = axes;
        var factors = ImmutableArray.CreateBuilder<Tensor<double>>();
        // Factors of the equation stand in the same order, the letter of the bond above first.
        foreach ((TreeNode node, string written) in tree.All.Zip(equation.Inputs))
        {
            cancel.ThrowIfCancellationRequested();
            if (node.Rank == 0)
            {
                factors.Add(Unfolding.Contract(rest, left, written));
                break;
            }
            string rows = written[1..];
            Tensor<double> vectors = Unfolding.Leading(rest, left, rows),
                leading = Fits.Columns(vectors, node.Rank).As([.. rows.Select(axis => rest.Shape[left.IndexOf(axis)]), node.Rank]);
            string others = string.Concat(left.Where(axis => !rows.Contains(axis)));
            rest = Unfolding.Contract(rest, left, leading, rows + written[0], others + written[0]);
            left = others + written[0];
            factors.Add(Unfolding.Contract(leading, rows + written[0], written));
        }
        return TensorFactors<double>.Measured(
            new(name, equation),
            Folding.None(tensor.Shape),
            ranks,
            factors.ToImmutable(),
            tensor,
            Workers.Serial
        );
    }
}
