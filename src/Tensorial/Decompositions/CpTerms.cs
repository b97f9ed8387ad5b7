using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Decompositions;

/// <summary>The rank-one terms of CP factors [n, R].</summary>
internal static class CpTerms
{
    /// <summary>The norm of each column.</summary>
    public static double[] Norms<T>(Tensor<T> factor)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int rank = factor.Shape[1];
        double[] norms = new double[rank];
        for (int at = 0; at < factor.Shape.ElementCount; at++)
        {
            double value = double.CreateChecked(factor.Values[at]);
            norms[at % rank] += value * value;
        }
        return Array.ConvertAll(norms, Math.Sqrt);
    }

    /// <summary>The norm of each term: the product of its vectors' norms.</summary>
    public static double[] Weights<T>(IEnumerable<Tensor<T>> factors)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        factors.Select(Norms).Aggregate(static (product, norms) => [.. product.Zip(norms, static (x, y) => x * y)]);

    /// <summary>
    /// The same terms, each one's norm shared evenly by its vectors. A network that is tuned wants it so: no factor learns faster than
    /// another.
    /// </summary>
    public static Tensor<T>[] Balanced<T>(Tensor<T>[] factors)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double[] shares = [.. Weights(factors).Select(weight => Math.Pow(weight, 1.0 / factors.Length))];
        return
        [
            .. factors.Select(factor =>
                Scaled(factor, [.. Norms(factor).Zip(shares, static (norm, share) => norm > 0 ? share / norm : 0)])
            ),
        ];
    }

    /// <summary>Columns multiplied by numbers of their own.</summary>
    public static Tensor<T> Scaled<T>(Tensor<T> factor, double[] scales)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<T> result = new(factor.Shape);
        for (int at = 0; at < factor.Shape.ElementCount; at++)
            result.Values[at] = T.CreateTruncating(double.CreateChecked(factor.Values[at]) * scales[at % scales.Length]);
        return result;
    }

    /// <summary>UᵀU, [R, R].</summary>
    public static Tensor<T> Gram<T>(Tensor<T> factor, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Tensor<T> gram = new([factor.Shape[1], factor.Shape[1]]);
        Gram(factor, gram, workers);
        return gram;
    }

    /// <summary>UᵀU into a tensor that is there.</summary>
    public static void Gram<T>(Tensor<T> factor, Tensor<T> gram, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int rank = factor.Shape[1];
        MatrixProduct.Multiply<T>(
            rank,
            rank,
            factor.Shape[0],
            T.One,
            factor.Values,
            1,
            rank,
            factor.Values,
            rank,
            1,
            T.Zero,
            gram.Values,
            rank,
            workers
        );
    }

    /// <summary>The element-wise product of all Gram matrices but one, into <paramref name="product"/>.</summary>
    public static void OthersProduct<T>(Tensor<T>[] grams, int mode, Tensor<T> product)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Span<T> values = product.Values;
        int first = mode == 0 && grams.Length > 1 ? 1 : 0;
        if (first == mode)
            values.Fill(T.One);
        else
            grams[first].Values.CopyTo(values);
        for (int other = first + 1; other < grams.Length; other++)
            if (other != mode)
                TensorPrimitives.Multiply<T>(values, grams[other].Values, values);
    }
}
