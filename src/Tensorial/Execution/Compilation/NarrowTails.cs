using Tensorial.Graphs;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Nodes behind the last convolution of a network whose maps have few channels, as boxes, masks and colours have: blocked they would be
/// mostly padding, and somebody wants them plain in the end anyway. They run plain from the beginning.
/// </summary>
internal static class NarrowTails
{
    public static HashSet<Node> Of(Scope scope)
    {
        HashSet<Node> tails = new(ReferenceEqualityComparer.Instance);
        // A gradient reads on its way back what was made on the way there.
        if (scope.Graph.Nodes.Any(static node => node.Operation is GradientOf))
            return tails;
        foreach (Node node in scope.Graph.Nodes.Reverse())
            if (
                node.Outputs is [{ Length: > 0 } result]
                && node.Operation is Slice or Arithmetic or RealFunction or NumberFunction
                && scope.IsMap(result)
                && 2 * scope.ShapeOf(result)[1] <= BlockedLayout.ChannelBlock
                && scope.Uses.Readers(result).All(reader => tails.Contains(reader) || IsPlain(reader))
            )
                tails.Add(node);
        return tails;
    }

    /// <summary>Whether an operation has no kernel for blocked maps, so that it wants plain ones.</summary>
    private static bool IsPlain(Node node) =>
        node.Operation is Reshaping or Transpose or SoftmaxLike or MatMul or Gemm or ArgExtreme or Cast or Split;
}
