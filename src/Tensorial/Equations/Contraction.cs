using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Equations;

/// <summary>Evaluates equations, each by the plan that is cheapest for its operands' shapes.</summary>
internal static class Contraction
{
    /// <summary>The result of an equation.</summary>
    /// <exception cref="ShapeException">The operands do not fit the equation or each other.</exception>
    public static Tensor<T> Evaluate<T>(Equation equation, ReadOnlySpan<Tensor<T>> operands, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Shape[] shapes = new Shape[operands.Length];
        for (int i = 0; i < shapes.Length; i++)
            shapes[i] = operands[i].Shape;
        return Plan.Create(equation, null, shapes).Run(operands, workers);
    }

    /// <summary>Multiply-accumulates of that evaluation.</summary>
    public static long Macs(Equation equation, params ReadOnlySpan<Shape> shapes) => Plan.Create(equation, null, shapes).Macs;
}
