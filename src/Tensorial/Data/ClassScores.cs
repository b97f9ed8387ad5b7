namespace Tensorial.Data;

/// <summary>Whether a network's output can be the scores of classes, which labels are compared with.</summary>
internal static class ClassScores
{
    /// <summary>Whether values of this shape are one row of at least two scores for each image: [n, k], all other extents 1.</summary>
    /// <param name="output">Extents of an output, the batch first.</param>
    public static bool Are(Shape output) => output.Rank >= 2 && output[1] > 1 && output.ElementCountOf(2, output.Rank) == 1;

    /// <summary>Whether the labels of a set can be the classes that an output scores.</summary>
    public static bool CanBeScored(this ImageSet images, Shape output) => images.HasLabels && Are(output) && output[1] >= images.Classes;
}
