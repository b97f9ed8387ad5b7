using System.Numerics;
using System.Numerics.Tensors;

namespace Tensorial.Autodiff;

/// <summary>Ways in which gradients pile up.</summary>
internal static class Accumulation
{
    /// <summary>gradient += values, value by value; the shapes may differ, the counts do not.</summary>
    public static void Add<T>(this Tensor<T> gradient, ReadOnlySpan<T> values) where T : unmanaged, INumberBase<T> =>
        TensorPrimitives.Add(gradient.Values, values, gradient.Values);

    /// <summary>The adjoint of stretching an operand to a shape: values of that shape, summed where the operand repeats.</summary>
    public static void AddStretched<T>(this Tensor<T> gradient, ReadOnlySpan<T> values, Shape shape) where T : unmanaged, INumberBase<T>
    {
        if (gradient.Shape.Count == shape.Count) gradient.Add(values);
        else Strided.Add(shape, values, 0, shape.Strides(), gradient.Values, 0, Broadcasting.Strides(gradient.Shape, shape));
    }

    /// <summary>The adjoint of stretching two operands and combining them: gradient += factor · dy, summed where the operand repeats.</summary>
    public static void AddProduct<T>(this Tensor<T> gradient, Tensor<T> dy, Tensor<T> factor) where T : unmanaged, INumberBase<T>
    {
        ReadOnlySpan<T> stretched = Broadcasting.Stretched(factor, dy.Shape);
        if (gradient.Shape.Count == dy.Shape.Count)
        {
            TensorPrimitives.MultiplyAdd(dy.Values, stretched, gradient.Values, gradient.Values);
            return;
        }
        T[] products = new T[dy.Shape.Count];
        TensorPrimitives.Multiply(dy.Values, stretched, products);
        gradient.AddStretched<T>(products, dy.Shape);
    }
}
