using System.Numerics.Tensors;

namespace Tensorial.Operations;

/// <summary>x σ(Alpha x), also called SiLU</summary>
public sealed record Swish(float Alpha = 1) : RealFunction
{
    protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        TensorPrimitives.Multiply(x, T.CreateChecked(Alpha), y);
        TensorPrimitives.Sigmoid<T>(y, y);
        TensorPrimitives.Multiply(x, y, y);
    }

    /// <summary>σ(αx) + αx σ(αx) (1 - σ(αx))</summary>
    protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
        {
            T scaled = T.CreateChecked(Alpha) * at[i],
                sigmoid = T.One / (T.One + T.Exp(-scaled));
            slope[i] = sigmoid * (T.One + scaled * (T.One - sigmoid));
        }
    }
}
