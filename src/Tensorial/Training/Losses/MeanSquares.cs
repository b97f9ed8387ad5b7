using System.Numerics.Tensors;

namespace Tensorial.Training.Losses;

/// <summary>
/// ‖y - t‖² / ‖t‖²: how far one network's activations are from another's, relative to their size, so that layers of any scale are alike.
/// </summary>
public static class MeanSquares
{
    /// <summary>The loss; writes its derivatives by y.</summary>
    public static double Evaluate(Tensor<float> y, Tensor<float> target, Tensor<float> gradient)
    {
        if (y.Shape.Count != target.Shape.Count) throw new ShapeException($"Activations of {y.Shape} are compared with others of {target.Shape}.");
        TensorPrimitives.Subtract(y.Values, target.Values, gradient.Values);
        double size = Math.Max(SumOfSquares(target.Values), float.Epsilon), loss = SumOfSquares(gradient.Values) / size;
        TensorPrimitives.Multiply(gradient.Values, (float)(2 / size), gradient.Values);
        return loss;
    }

    private static double SumOfSquares(ReadOnlySpan<float> values)
    {
        const int piece = 4096;
        double sum = 0;
        for (int start = 0; start < values.Length; start += piece) sum += TensorPrimitives.SumOfSquares(values.Slice(start, Math.Min(piece, values.Length - start)));
        return sum;
    }
}
