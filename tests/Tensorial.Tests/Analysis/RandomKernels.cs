using Tensorial.Analysis;

namespace Tensorial.Tests.Analysis;

/// <summary>Kernels of normal values, the same every time.</summary>
internal static class RandomKernels
{
    public static Kernel Of(string axes, Shape shape, int seed = 1) => Kernel.From("kernel", axes, Values(shape, seed));

    public static Tensor<double> Values(Shape shape, int seed)
    {
        Random random = new(seed);
        Tensor<double> values = new(shape);
        for (int i = 0; i < values.Values.Length; i++)
            values.Values[i] = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return values;
    }

    /// <summary>The matrix along a cut, by loops over indices: the meaning of a matricisation.</summary>
    public static Tensor<double> Matrix(Tensor<double> tensor, string axes, Cut cut)
    {
        int Extent(char axis) => tensor.Shape[axes.IndexOf(axis)];
        int rows = cut.Left.Aggregate(1, (product, axis) => product * Extent(axis)),
            columns = tensor.Shape.ElementCount / rows;
        Tensor<double> matrix = new([rows, columns]);
        int[] strides = tensor.Shape.Strides();
        for (int flat = 0; flat < tensor.Shape.ElementCount; flat++)
        {
            int Index(char axis) => flat / strides[axes.IndexOf(axis)] % Extent(axis);
            int row = cut.Left.Aggregate(0, (sum, axis) => sum * Extent(axis) + Index(axis));
            int column = cut.Right.Aggregate(0, (sum, axis) => sum * Extent(axis) + Index(axis));
            matrix.Values[row * columns + column] = tensor.Values[flat];
        }
        return matrix;
    }

    public static double Distance(Tensor<double> one, Tensor<double> other) =>
        Math.Sqrt(one.Values.ToArray().Zip(other.Values.ToArray(), (a, b) => (a - b) * (a - b)).Sum());
}
