using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Equations;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// The three ways to sum Y[n,o,y…] W[o,i,k…] X[n,i, stride·y + dilation·k - pad …] for one of the three given the other two, over any
/// number of spatial axes, all adding to what is there: one equation, its result and its operands trading places.
/// </summary>
internal sealed class WindowedProduct
{
    private readonly Plan? _plan;

    public WindowedProduct(Shape x, Shape w, int groups, ImmutableArray<WindowAxis> windows) => _plan = PlanOf(x, w, groups, windows);

    /// <summary>The convolution's plan; null where an operand or the result has no values.</summary>
    public static Plan? PlanOf(Shape x, Shape w, int groups, ImmutableArray<WindowAxis> windows)
    {
        if (x.ElementCount == 0 || w.ElementCount == 0 || windows.Any(static window => window.Output == 0))
            return null;
        string space = "dhw"[Math.Max(0, 3 - windows.Length)..];
        if (windows.Length > space.Length)
            space = new([.. windows.Select(static (_, axis) => (char)('A' + axis))]);
        (string many, Shape[] shapes) =
            groups == 1
                ? ("", [x, w])
                : (
                    "g",
                    (Shape[])
                        [
                            [x[0], groups, w[1], .. x.Skip(2)],
                            [groups, w[0] / groups, w[1], .. w.Skip(2)],
                        ]
                );
        Equation equation = new([$"n{many}i{space}", $"{many}oi{space}"], $"n{many}o{space}")
        {
            Windows = [.. windows.Select((window, axis) => window.ToWindow(space[axis]))],
        };
        return Plan.Create(equation, null, shapes);
    }

    /// <summary>Y += W ∗ X.</summary>
    public void Collect<T>(Tensor<T> x, Tensor<T> w, Tensor<T> y, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Add(_plan, x, w, y, workers);

    /// <summary>X += the adjoint of W at Y.</summary>
    public void Spread<T>(Tensor<T> y, Tensor<T> w, Tensor<T> x, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Add(_plan?.Adjoint(0), y, w, x, workers);

    /// <summary>W += X correlated with Y.</summary>
    public void Correlate<T>(Tensor<T> x, Tensor<T> y, Tensor<T> w, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Add(_plan?.Adjoint(1), x, y, w, workers);

    private static void Add<T>(Plan? plan, Tensor<T> first, Tensor<T> second, Tensor<T> sum, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (plan is null)
            return;
        Tensor<T> product = plan.Run<T>([first.As(plan.Shapes[0]), second.As(plan.Shapes[1])], workers);
        TensorPrimitives.Add<T>(sum.Values, product.Values, sum.Values);
    }
}
