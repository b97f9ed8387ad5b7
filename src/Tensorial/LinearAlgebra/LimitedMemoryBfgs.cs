using System.Numerics.Tensors;

namespace Tensorial.LinearAlgebra;

/// <summary>Minimises a smooth function of many variables from its values and gradients (J. Nocedal, Math. Comp. 35, 1980).</summary>
internal static class LimitedMemoryBfgs
{
    /// <summary>Steps that the curvature is remembered from.</summary>
    private const int Memory = 12;

    /// <summary>The fraction of the promised decrease that a step must bring (Armijo).</summary>
    private const double Decrease = 1e-4;

    private const int MostHalvings = 25;

    /// <summary>A function's value at x; its gradient is written to the second argument.</summary>
    public delegate double Function(ReadOnlySpan<double> x, Span<double> gradient);

    /// <summary>Goes downhill from x until the value stops falling.</summary>
    /// <param name="function">What is minimised.</param>
    /// <param name="x">The start; overwritten by the best point found.</param>
    /// <param name="iterations">Steps at most.</param>
    /// <param name="tolerance">It has stopped where ten steps together lower the value by less than this part of it.</param>
    /// <returns>The value at x.</returns>
    public static double Minimise(Function function, Span<double> x, int iterations, double tolerance = 1e-4)
    {
        int n = x.Length;
        double[] gradient = new double[n],
            next = new double[n],
            nextGradient = new double[n],
            direction = new double[n];
        List<(double[] Step, double[] Change, double Scale)> memory = [];
        Queue<double> recent = new();
        double value = function(x, gradient);
        for (int iteration = 0; iteration < iterations; iteration++)
        {
            recent.Enqueue(value);
            if (recent.Count > 10 && recent.Dequeue() - value <= tolerance * Math.Abs(value))
                break;
            Direction(gradient, memory, direction);
            double slope = TensorPrimitives.Dot<double>(direction, gradient);
            if (!(slope < 0))
            {
                if (memory.Count == 0)
                    break;
                memory.Clear();
                continue;
            }
            double size = memory.Count == 0 ? Math.Min(1, 1 / Math.Sqrt(-slope)) : 1,
                reached = double.NaN;
            int halvings = 0;
            for (; halvings < MostHalvings; halvings++, size /= 2)
            {
                TensorPrimitives.MultiplyAdd<double>(direction, size, x, next);
                reached = function(next, nextGradient);
                if (reached <= value + Decrease * size * slope)
                    break;
            }
            if (halvings == MostHalvings)
                break;
            Remember(memory, x, next, gradient, nextGradient);
            next.CopyTo(x);
            (gradient, nextGradient) = (nextGradient, gradient);
            value = reached;
        }
        return value;
    }

    private static void Remember(
        List<(double[], double[], double)> memory,
        ReadOnlySpan<double> x,
        double[] next,
        double[] gradient,
        double[] nextGradient
    )
    {
        double[] step = new double[x.Length],
            change = new double[x.Length];
        TensorPrimitives.Subtract<double>(next, x, step);
        TensorPrimitives.Subtract<double>(nextGradient, gradient, change);
        double curvature = TensorPrimitives.Dot<double>(step, change);
        // Without positive curvature the step says nothing of the function's shape.
        if (curvature <= 1e-12 * TensorPrimitives.Norm<double>(step) * TensorPrimitives.Norm<double>(change))
            return;
        if (memory.Count == Memory)
            memory.RemoveAt(0);
        memory.Add((step, change, 1 / curvature));
    }

    /// <summary>-H g, H the inverse curvature that the memory stands for (the two-loop recursion).</summary>
    private static void Direction(double[] gradient, List<(double[] Step, double[] Change, double Scale)> memory, double[] direction)
    {
        TensorPrimitives.Negate<double>(gradient, direction);
        double[] alpha = new double[memory.Count];
        for (int k = memory.Count - 1; k >= 0; k--)
        {
            alpha[k] = memory[k].Scale * TensorPrimitives.Dot<double>(memory[k].Step, direction);
            TensorPrimitives.MultiplyAdd<double>(memory[k].Change, -alpha[k], direction, direction);
        }
        if (memory.Count > 0)
        {
            (_, double[] change, double scale) = memory[^1];
            TensorPrimitives.Multiply<double>(direction, 1 / (scale * TensorPrimitives.SumOfSquares<double>(change)), direction);
        }
        for (int k = 0; k < memory.Count; k++)
        {
            double beta = memory[k].Scale * TensorPrimitives.Dot<double>(memory[k].Change, direction);
            TensorPrimitives.MultiplyAdd<double>(memory[k].Step, alpha[k] - beta, direction, direction);
        }
    }
}
