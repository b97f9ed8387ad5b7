using System.Collections.Immutable;

namespace Tensorial.Decompositions.Trees;

/// <summary>One way to write a part of a tree.</summary>
/// <param name="Size">What the factor above it is multiplied by.</param>
/// <param name="Loss">What it loses and costs itself: squared relative error, and price times cost.</param>
/// <param name="Bond">The bond above it; null where it is held by the factor above itself.</param>
/// <param name="First">What it is made of; null for nothing.</param>
/// <param name="Second">The same.</param>
internal sealed record TreePiece(double Size, double Loss, TreeBond? Bond = null, TreePiece? First = null, TreePiece? Second = null)
{
    /// <summary>All bonds of it.</summary>
    public ImmutableArray<TreeBond> Bonds => [.. Own(this)];

    /// <summary>Two ways side by side, to be held by one factor.</summary>
    public static TreePiece Join(TreePiece first, TreePiece second) =>
        new(first.Size * second.Size, first.Loss + second.Loss, null, first, second);

    private static IEnumerable<TreeBond> Own(TreePiece? piece) =>
        piece is null ? [] : [.. piece.Bond is { } bond ? (TreeBond[])[bond] : [], .. Own(piece.First), .. Own(piece.Second)];
}

/// <summary>
/// Ways that can be the best: whatever a part is joined with, price and loss of the whole are a · size + loss with some a above 0, so that only
/// the corners of the lower convex hull of (size, loss) count. This is what makes the search over all trees and ranks exact and fast.
/// </summary>
internal static class TreeHull
{
    /// <summary>The corners, sizes ascending, losses descending.</summary>
    public static ImmutableArray<TreePiece> Of(IEnumerable<TreePiece> pieces)
    {
        List<TreePiece> corners = [];
        foreach (TreePiece piece in pieces.OrderBy(static piece => piece.Size).ThenBy(static piece => piece.Loss))
        {
            if (corners.Count > 0 && piece.Loss >= corners[^1].Loss)
                continue;
            while (corners.Count > 1 && IsAbove(corners[^2], corners[^1], piece))
                corners.RemoveAt(corners.Count - 1);
            corners.Add(piece);
        }
        return [.. corners];
    }

    /// <summary>The best way at a weight of the size.</summary>
    public static TreePiece Best(ImmutableArray<TreePiece> hull, double weight) => hull.MinBy(piece => weight * piece.Size + piece.Loss)!;

    /// <summary>Whether the middle lies on or above the line between both others.</summary>
    private static bool IsAbove(TreePiece left, TreePiece middle, TreePiece right) =>
        (middle.Loss - left.Loss) * (right.Size - left.Size) >= (right.Loss - left.Loss) * (middle.Size - left.Size);
}
