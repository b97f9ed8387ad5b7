using System.Numerics.Tensors;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>
/// The measure of a kernel's error: ‖D (K - K̃) Σ^½‖ with K as the matrix [o, ihw]. Σ is the covariance of what the layer reads, so that
/// the measure is the change of what it answers; D weighs its output channels. Without either it is the plain norm.
/// </summary>
/// <param name="Covariance">Σ [ihw, ihw], symmetric and positive definite; null for the identity.</param>
/// <param name="Weights">D by output channel; null for ones.</param>
public sealed record KernelMetric(Tensor<double>? Covariance = null, double[]? Weights = null)
{
    /// <summary>The Frobenius norm.</summary>
    public static KernelMetric Plain { get; } = new();

    /// <summary>D K: the kernel with its output channels weighted.</summary>
    internal Tensor<double> Weigh(Tensor<double> kernel) => Weights is null ? kernel : Scaled(kernel, static weight => weight);

    /// <summary>D⁻¹ A for a factor whose first axis is the output's.</summary>
    internal Tensor<double> Unweigh(Tensor<double> factor) => Weights is null ? factor : Scaled(factor, static weight => 1 / weight);

    /// <summary>K Σ, with K as [o, ihw].</summary>
    internal Tensor<double> TimesCovariance(Tensor<double> kernel)
    {
        if (Covariance is not { } covariance)
            return kernel;
        Tensor<double> result = new(kernel.Shape);
        int n = covariance.Shape[0];
        MatrixProduct.Multiply<double>(
            kernel.Shape.ElementCount / n,
            n,
            n,
            1,
            kernel.Values,
            n,
            1,
            covariance.Values,
            n,
            1,
            0,
            result.Values,
            n,
            Workers.Serial
        );
        return result;
    }

    /// <summary>‖D K Σ^½‖².</summary>
    internal double Square(Tensor<double> kernel)
    {
        Tensor<double> weighed = Weigh(kernel);
        return Math.Max(0, TensorPrimitives.Dot<double>(weighed.Values, TimesCovariance(weighed).Values));
    }

    /// <summary>‖D (K̃ - K) Σ^½‖ / ‖D K Σ^½‖; 0 for a kernel of zeros.</summary>
    public double ErrorOf(Tensor<double> kernel, Tensor<double> approximation)
    {
        double energy = Square(kernel);
        if (energy <= 0)
            return 0;
        Tensor<double> gap = new(kernel.Shape);
        TensorPrimitives.Subtract<double>(approximation.Values, kernel.Values, gap.Values);
        return Math.Sqrt(Square(gap) / energy);
    }

    private Tensor<double> Scaled(Tensor<double> values, Func<double, double> scale)
    {
        Tensor<double> result = values.Clone();
        int row = values.Shape.ElementCount / values.Shape[0];
        for (int o = 0; o < values.Shape[0]; o++)
        {
            double factor = scale(Weights![o]);
            foreach (ref double value in result.Values.Slice(o * row, row))
                value *= factor;
        }
        return result;
    }

    /// <summary>Σ with its mean variance times a ridge added to the diagonal, so that what was seldom seen is not free.</summary>
    public static Tensor<double> Regularised(Tensor<double> covariance, double ridge = 1e-3)
    {
        int n = covariance.Shape[0];
        Tensor<double> result = covariance.Clone();
        double trace = 0;
        for (int k = 0; k < n; k++)
            trace += covariance.Values[k * n + k];
        double floor = trace > 0 ? ridge * trace / n : 1;
        for (int k = 0; k < n; k++)
            result.Values[k * n + k] += floor;
        return result;
    }

    /// <summary>The symmetric root Σ^½.</summary>
    internal static Tensor<double> Root(Tensor<double> covariance)
    {
        int n = covariance.Shape[0];
        SymmetricEigen<double> eigen = SymmetricEigen.Of(covariance);
        Tensor<double> scaled = eigen.Vectors.Clone(),
            root = new([n, n]);
        for (int row = 0; row < n; row++)
        for (int k = 0; k < n; k++)
            scaled.Values[row * n + k] *= Math.Sqrt(Math.Max(0, eigen.Values[k]));
        MatrixProduct.Multiply<double>(n, n, n, 1, scaled.Values, n, 1, eigen.Vectors.Values, 1, n, 0, root.Values, n, Workers.Serial);
        return root;
    }
}
