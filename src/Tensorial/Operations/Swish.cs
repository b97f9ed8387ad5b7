using System.Numerics.Tensors;

namespace Tensorial.Operations;

/// <summary>x / (1 + exp(-αx)), also called SiLU where α is 1 (Ramachandran et al. 2017).</summary>
public sealed record Swish(float Alpha = 1) : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        T[] gates = new T[x.Length];
        TensorPrimitives.Multiply(x, T.CreateChecked(Alpha), gates);
        Kernels.Exponential.Sigmoid<T>(gates, gates);
        TensorPrimitives.Multiply(x, gates, y);
    }

    /// <summary>σ + αx σ (1 - σ), with σ = 1 / (1 + exp(-αx)).</summary>
    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        T alpha = T.CreateChecked(Alpha);
        TensorPrimitives.Multiply(at, alpha, slope);
        Kernels.Exponential.Sigmoid<T>(slope, slope);
        for (int i = 0; i < at.Length; i++)
            slope[i] += alpha * at[i] * slope[i] * (T.One - slope[i]);
    }
}
