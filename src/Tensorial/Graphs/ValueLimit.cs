using System.Collections.Immutable;
using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>
/// How large the values of a network may become: a multiple of what its file and its inputs hold. A file of a few hundred bytes can ask for
/// terabytes (padding, Expand, Range, ConstantOfShape, Tile, Resize, broadcasting); a network that people use stays far below these bounds.
/// Not safe for several threads.
/// </summary>
/// <param name="held">Values of the constants and of the inputs.</param>
internal sealed class ValueLimit(long held)
{
    /// <summary>How many times as many values as file and inputs hold one value may have. Attention over 64×64 patches has some 170.</summary>
    private const int LargestMultiple = 1024;

    /// <summary>Values that are always allowed, 16 MB: an image of a few pixels may grow into a usual one.</summary>
    private const long LargestAtLeast = 1 << 22;

    /// <summary>All values together, in values of the largest size.</summary>
    private const int LargestAtOnce = 16;

    /// <summary>How many times as many values as the file holds are computed of constants alone, and how many always are.</summary>
    private const int FoldedMultiple = 4;

    private const long FoldedAtLeast = 1 << 20;

    /// <summary>More axes than any network has; walks over axes use the stack.</summary>
    public const int MostAxes = 64;

    private readonly long _largest = Math.Max(LargestAtLeast, held * LargestMultiple);
    private long _left = LargestAtOnce * Math.Max(LargestAtLeast, held * LargestMultiple),
        _foldable = Math.Max(FoldedAtLeast, held * FoldedMultiple);

    public static ValueLimit From(Graph graph, IEnumerable<Shape> inputs) =>
        new(
            graph.Initializers.Values.Sum(static value => (long)value.Shape.ElementCount)
                + graph.Nodes.Sum(static node => node.Operation is Constant constant ? (long)constant.Value.Shape.ElementCount : 0)
                + inputs.Sum(static shape => (long)shape.ElementCount)
        );

    /// <summary>Refuses results that are too large, before anybody allocates them.</summary>
    /// <exception cref="ShapeException">One is, or has too many axes; says how large.</exception>
    public void Check(ImmutableArray<ValueInfo> results)
    {
        foreach (ValueInfo result in results)
        {
            if (result.Shape.Rank > MostAxes)
                throw new ShapeException($"its result has {result.Shape.Rank:N0} axes; at most {MostAxes} are computed with.");
            long count = result.Shape.ElementCount;
            if (count > _largest)
                throw new ShapeException(
                    $"its result of {result.Shape} has {count:N0} values, more than the {_largest:N0} that a network may make of what its file and inputs hold."
                );
            if ((_left -= count) < 0)
                throw new ShapeException(
                    $"with its result of {result.Shape} the network makes more than {LargestAtOnce} × {_largest:N0} values, too many for what its file and inputs hold."
                );
        }
    }

    /// <summary>Whether constants may be folded into so many values; those that may count against the budget.</summary>
    public bool AllowsFolding(long count) => count <= _foldable && (_foldable -= count) >= 0;
}
