namespace Tensorial.Analysis;

/// <summary>A tensor seen as a matrix along a cut: rows run over the left axes, columns over the right, both row-major.</summary>
internal static class Matricisation
{
    /// <summary>
    /// The matrix [rows, columns] of <paramref name="tensor"/>, whose axes are named in the order stored. Shares memory where nothing
    /// moves.
    /// </summary>
    public static Tensor<double> Unfold(Tensor<double> tensor, string axes, Cut cut) => Unfold(tensor, axes, cut.Left, cut.Right);

    /// <summary>The same with the sides, and the order of the axes in them, chosen freely.</summary>
    public static Tensor<double> Unfold(Tensor<double> tensor, string axes, string left, string right)
    {
        int rows = left.Aggregate(1, (product, axis) => product * tensor.Shape[axes.IndexOf(axis)]);
        Shape shape = [rows, rows == 0 ? 0 : tensor.Shape.ElementCount / rows];
        if (left + right == axes)
            return tensor.As(shape);
        Tensor<double> matrix = new(shape);
        Strided.Permute(tensor.Shape, tensor.Values, Order(axes, left + right), matrix.Values);
        return matrix;
    }

    /// <summary>
    /// A tensor of this shape whose <see cref="Unfold(Tensor{double}, string, Cut)"/> equals <paramref name="matrix"/>, in memory of its
    /// own.
    /// </summary>
    public static Tensor<double> Fold(Tensor<double> matrix, Shape shape, string axes, Cut cut)
    {
        string order = cut.Left + cut.Right;
        Shape permuted = [.. order.Select(axis => shape[axes.IndexOf(axis)])];
        Tensor<double> tensor = new(shape);
        Strided.Permute(permuted, matrix.Values, Order(order, axes), tensor.Values);
        return tensor;
    }

    private static int[] Order(string from, string to) => [.. to.Select(axis => from.IndexOf(axis))];
}
