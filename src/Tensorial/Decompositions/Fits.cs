using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Equations;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>What the fits have in common.</summary>
internal static class Fits
{
    /// <summary>Columns below which a product does not keep a processor busy.</summary>
    private const int Narrow = 64;

    /// <summary>The order of a tensor that can be fitted.</summary>
    /// <exception cref="BadInputException">It has too few modes, or an empty one.</exception>
    /// <exception cref="NumericalException">A value is NaN or infinite.</exception>
    public static int Check<T>(Tensor<T> tensor, int least)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (tensor.Shape.Rank < least)
            throw new ShapeException($"A tensor of order {least} or more was expected, not one of shape {tensor.Shape}.");
        if (tensor.Shape.ElementCount == 0)
            throw new ShapeException($"A tensor of shape {tensor.Shape} is empty and has no factors.");
        if (!TensorPrimitives.IsFiniteAll<T>(tensor.Values))
            throw new NumericalException($"A tensor {tensor.Shape} to be factored holds values that are not finite.");
        return tensor.Shape.Rank;
    }

    /// <summary>The tensor with its modes in another order.</summary>
    public static Tensor<T> Permuted<T>(Tensor<T> tensor, params int[] modes)
        where T : unmanaged
    {
        Tensor<T> result = new([.. modes.Select(mode => tensor.Shape[mode])]);
        Strided.Permute<T>(tensor.Shape, tensor.Values, modes, result.Values);
        return result;
    }

    /// <summary>A matrix with one mode as rows and the others, in their order, as columns.</summary>
    public static Tensor<T> Unfolded<T>(Tensor<T> tensor, int mode)
        where T : unmanaged
    {
        int[] modes = [mode, .. Enumerable.Range(0, tensor.Shape.Rank).Where(other => other != mode)];
        int rows = tensor.Shape[mode];
        return (mode == 0 ? tensor : Permuted(tensor, modes)).As([rows, tensor.Shape.ElementCount / rows]);
    }

    /// <summary>The tensor with one mode multiplied by a matrix: Y[.., r, ..] = Σₙ X[.., n, ..] M[n, r].</summary>
    public static Tensor<T> Times<T>(Tensor<T> tensor, int mode, Tensor<T> matrix, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Shape shape = tensor.Shape;
        int outer = shape.ElementCountOf(0, mode),
            inner = shape.ElementCountOf(mode + 1, shape.Rank),
            n = shape[mode],
            r = matrix.Shape[1];
        if (outer > 1 && inner < Narrow)
        {
            // Many products with few columns each: one product with the mode as columns is worth moving it there and back.
            Tensor<T> rows = inner == 1 ? tensor : Permuted(tensor.As([outer, n, inner]), 0, 2, 1),
                product = new([outer, inner, r]);
            MatrixProduct.Multiply<T>(
                outer * inner,
                r,
                n,
                T.One,
                rows.Values,
                n,
                1,
                matrix.Values,
                r,
                1,
                T.Zero,
                product.Values,
                r,
                workers
            );
            return (inner == 1 ? product : Permuted(product, 0, 2, 1)).As(shape.With(mode, r));
        }
        Tensor<T> result = new(shape.With(mode, r));
        for (int k = 0; k < outer; k++)
            MatrixProduct.Multiply<T>(
                r,
                inner,
                n,
                T.One,
                matrix.Values,
                1,
                r,
                tensor.Values.Slice(k * n * inner, n * inner),
                inner,
                1,
                T.Zero,
                result.Values.Slice(k * r * inner, r * inner),
                inner,
                workers
            );
        return result;
    }

    /// <summary>
    /// The first left singular vectors, from the Gram matrix: a small error in a direction that hardly counts is a smaller one in the fit.
    /// </summary>
    public static Tensor<T> Leading<T>(Tensor<T> matrix, int rank, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int m, int n) = (matrix.Shape[0], matrix.Shape[1]);
        Tensor<T> gram = new([m, m]),
            result = new([m, rank]);
        MatrixProduct.Multiply<T>(m, m, n, T.One, matrix.Values, n, 1, matrix.Values, 1, n, T.Zero, gram.Values, m, workers);
        Span<T> vectors = SymmetricEigen.Of(gram, workers).Vectors.Values;
        for (int row = 0; row < m; row++)
        for (int k = 0; k < rank; k++)
            result.Values[row * rank + k] = vectors[row * m + m - 1 - k];
        return result;
    }

    /// <summary>Numbers in a row as factors of some shapes.</summary>
    public static ImmutableArray<Tensor<double>> Split(IEnumerable<Shape> shapes, ReadOnlySpan<double> values)
    {
        var factors = ImmutableArray.CreateBuilder<Tensor<double>>();
        int at = 0;
        foreach (Shape shape in shapes)
        {
            factors.Add(new(shape, values.Slice(at, shape.ElementCount).ToArray()));
            at += shape.ElementCount;
        }
        return factors.ToImmutable();
    }

    /// <summary>The first columns of a matrix; zeros beyond those that it has.</summary>
    public static Tensor<T> Columns<T>(Tensor<T> matrix, int count)
        where T : unmanaged
    {
        (int rows, int columns) = (matrix.Shape[0], matrix.Shape[1]);
        Tensor<T> result = new([rows, count]);
        Strided.Copy<T>([rows, Math.Min(columns, count)], matrix.Values, 0, [columns, 1], result.Values, 0, [count, 1]);
        return result;
    }

    /// <summary>Multiplies each row by its factor.</summary>
    public static void ScaleRows<T>(Span<T> matrix, int columns, ReadOnlySpan<T> factors)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int row = 0; row < factors.Length; row++)
        {
            Span<T> values = matrix.Slice(row * columns, columns);
            TensorPrimitives.Multiply<T>(values, factors[row], values);
        }
    }

    public static double[] Wide<T>(T[] values)
        where T : INumberBase<T> => Array.ConvertAll(values, double.CreateChecked);

    /// <summary>Independent normal numbers, the same for the same seed.</summary>
    public static Tensor<T> Normal<T>(Shape shape, Random random)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<T> result = new(shape);
        foreach (ref T value in result.Values)
            value = T.CreateTruncating(random.NextNormal());
        return result;
    }

    /// <summary>The result of an equation.</summary>
    public static Tensor<T> Contract<T>(Equation equation, Workers workers, params ReadOnlySpan<Tensor<T>> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Contraction.Evaluate(equation, operands, workers);
}
