using System.Numerics;
using System.Numerics.Tensors;

namespace Tensorial.Operations;

/// <summary>Ways in which gradients pile up.</summary>
internal static class Accumulation
{
    /// <summary>gradient += values, value by value; the shapes may differ, the counts do not.</summary>
    public static void Add<T>(this Tensor<T> gradient, ReadOnlySpan<T> values)
        where T : unmanaged, INumberBase<T> => TensorPrimitives.Add(gradient.Values, values, gradient.Values);

    /// <summary>The adjoint of stretching an operand to a shape: values of that shape, summed where the operand repeats.</summary>
    public static void AddStretched<T>(this Tensor<T> gradient, ReadOnlySpan<T> values, Shape shape)
        where T : unmanaged, INumberBase<T>
    {
        if (gradient.Shape.ElementCount == shape.ElementCount)
            gradient.Add(values);
        else
            Strided.Add(shape, values, 0, shape.Strides(), gradient.Values, 0, Broadcasting.Strides(gradient.Shape, shape));
    }

    /// <summary>
    /// The adjoint of stretching two operands and combining them: gradient += factor · dy, summed where the operand repeats.
    /// </summary>
    public static void AddProduct<T>(this Tensor<T> gradient, Tensor<T> dy, Tensor<T> factor)
        where T : unmanaged, INumberBase<T>
    {
        Broadcasting.BroadcastPlan plan = new(gradient.Shape, factor.Shape, dy.Shape);
        for (int run = 0; run < plan.Runs; run++)
        {
            (int start, int x, int y) = plan[run];
            ReadOnlySpan<T> own = dy.Values.Slice(start, plan.Length),
                factors = factor.Values.Slice(y, plan.YMoves ? plan.Length : 1);
            Span<T> sums = gradient.Values.Slice(x, plan.XMoves ? plan.Length : 1);
            if (!plan.XMoves)
                sums[0] += plan.YMoves ? TensorPrimitives.Dot(own, factors) : factors[0] * TensorPrimitives.Sum(own);
            else if (plan.YMoves)
                TensorPrimitives.MultiplyAdd(own, factors, sums, sums);
            else
                TensorPrimitives.MultiplyAdd(own, factors[0], sums, sums);
        }
    }
}
