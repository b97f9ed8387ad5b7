using System.Collections.Immutable;
using System.Numerics;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions.Trees;

/// <summary>
/// The spectra of all cuts of a tensor, each of which parts its axes in two. A cut is named by its side without the first axis, as bits: bit
/// k - 1 stands for axis k.
/// </summary>
/// <param name="Extents">Extents of the axes.</param>
/// <param name="Tails">For each cut and rank r, from 0 on, the part of the squared norm that singular values beyond the first r hold: no
/// approximation of this rank along the cut has a smaller squared relative error. Empty for the side that has no axes.</param>
internal sealed record CutSpectra(Shape Extents, ImmutableArray<ImmutableArray<double>> Tails)
{
    /// <summary>A tensor with more axes has too many cuts, and too many trees.</summary>
    public const int MostAxes = 8;

    /// <summary>The side that has all axes but the first.</summary>
    public int All => Tails.Length - 1;

    /// <summary>Singular values of a cut.</summary>
    public int MaxRank(int cut) => Tails[cut].Length - 1;

    /// <summary>Values of one side's axes.</summary>
    public long Count(int cut)
    {
        long count = 1;
        for (int axis = 1; axis < Extents.Rank; axis++)
            if ((cut >> (axis - 1) & 1) != 0)
                count *= Extents[axis];
        return count;
    }

    /// <summary>The spectra of a tensor.</summary>
    /// <exception cref="ShapeException">It has fewer than two axes, or too many.</exception>
    /// <exception cref="NumericalException">It holds values that are not finite.</exception>
    public static CutSpectra From(Tensor<double> tensor, CancellationToken cancel = default)
    {
        int axes = Fits.Check(tensor, 2);
        if (axes > MostAxes)
            throw new ShapeException($"A tensor of at most {MostAxes} axes was expected, not one of shape {tensor.Shape}.");
        var tails = new ImmutableArray<double>[1 << (axes - 1)];
        tails[0] = [];
        for (int cut = 1; cut < tails.Length; cut++)
        {
            cancel.ThrowIfCancellationRequested();
            tails[cut] = Tail(tensor, cut);
        }
        return new(tensor.Shape, [.. tails]);
    }

    /// <summary>The axes of a side.</summary>
    public static int[] AxesOf(int cut) =>
        [.. Enumerable.Range(1, 32 - BitOperations.LeadingZeroCount((uint)cut)).Where(axis => (cut >> (axis - 1) & 1) != 0)];

    private static ImmutableArray<double> Tail(Tensor<double> tensor, int cut)
    {
        int[] side = AxesOf(cut),
            other = [.. Enumerable.Range(0, tensor.Shape.Rank).Except(side)];
        int columns = side.Aggregate(1, (count, axis) => count * tensor.Shape[axis]),
            rows = tensor.Shape.ElementCount / columns;
        double[] values = Svd.Values(Fits.Permuted(tensor, [.. other, .. side]).As([rows, columns])),
            tails = new double[values.Length + 1];
        // From the smallest up, so that small tails keep their digits.
        for (int k = values.Length - 1; k >= 0; k--)
            tails[k] = tails[k + 1] + values[k] * values[k];
        return [.. tails.Select(tail => tails[0] > 0 ? tail / tails[0] : 0)];
    }
}
