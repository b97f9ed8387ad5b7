using System.Numerics;
using System.Numerics.Tensors;

namespace Tensorial.Autodiff.Operations;

internal static class Moments
{
    /// <summary>Mean and variance (dividing by the count), in two passes so that a large mean costs no digits.</summary>
    public static (T Mean, T Variance) Of<T>(ReadOnlySpan<T> values) where T : unmanaged, IFloatingPoint<T>
    {
        T count = T.CreateChecked(values.Length), mean = TensorPrimitives.Sum(values) / count, squares = T.Zero;
        foreach (T value in values) squares += (value - mean) * (value - mean);
        return (mean, squares / count);
    }
}
