using System.Numerics.Tensors;

namespace Tensorial.Training.Losses;

/// <summary>
/// ‖y - t‖² / ‖t‖²: how far one network's activations are from another's, relative to their size, so that layers of any scale are alike.
/// </summary>
public static class MeanSquares
{
    /// <summary>Values that are added up in single precision before double takes over.</summary>
    private const int Piece = 4096;

    /// <summary>‖t‖², never zero.</summary>
    public static double Size(Tensor<float> target) => Math.Max(SumOfSquares(target.Values), float.Epsilon);

    /// <summary>‖y - t‖².</summary>
    /// <exception cref="ShapeException">They are not equally many.</exception>
    public static double Distance(Tensor<float> y, Tensor<float> target)
    {
        Tensor<float> difference = new(y.Shape);
        return Evaluate(y, target, size: 1, difference);
    }

    /// <summary>The loss; writes its derivatives by y.</summary>
    /// <param name="y">Activations.</param>
    /// <param name="target">What they should be.</param>
    /// <param name="size">‖t‖², of the whole batch where these are a part of one.</param>
    /// <param name="gradient">Receives ∂L/∂y.</param>
    /// <exception cref="ShapeException">They are not equally many.</exception>
    public static double Evaluate(Tensor<float> y, Tensor<float> target, double size, Tensor<float> gradient)
    {
        if (y.Shape.ElementCount != target.Shape.ElementCount)
            throw new ShapeException($"Activations of {y.Shape} are compared with others of {target.Shape}.");
        TensorPrimitives.Subtract(y.Values, target.Values, gradient.Values);
        double loss = SumOfSquares(gradient.Values) / size;
        TensorPrimitives.Multiply(gradient.Values, (float)(2 / size), gradient.Values);
        return loss;
    }

    private static double SumOfSquares(ReadOnlySpan<float> values)
    {
        double sum = 0;
        for (int start = 0; start < values.Length; start += Piece)
            sum += SquareSum.Of(values.Slice(start, Math.Min(Piece, values.Length - start)));
        return sum;
    }
}
