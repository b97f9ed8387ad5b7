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

    public WindowedProduct(Shape x, Shape w, Shape y, int groups, ImmutableArray<WindowAxis> windows)
    {
        bool isEmpty = x.ElementCount == 0 || w.ElementCount == 0 || y.ElementCount == 0;
        if (isEmpty)
            return;
        string space = new([.. windows.Select(static (_, axis) => (char)('A' + axis))]);
        Equation equation = new(["ngi" + space, "goi" + space], "ngo" + space)
        {
            Windows = [.. windows.Select(static (window, axis) => Of(window, (char)('A' + axis)))],
        };
        _plan = Plan.Create(equation, null, [x[0], groups, w[1], .. x.Skip(2)], [groups, w[0] / groups, w[1], .. w.Skip(2)]);
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

    /// <summary>The padding behind is what makes just the positions there are; a window need not use all that was given.</summary>
    private static Window Of(WindowAxis window, char axis)
    {
        int reach = window.Dilation * (window.Taps - 1) + 1,
            after = (window.Output - 1) * window.Stride + reach - window.Input - window.Begin;
        return new(axis)
        {
            Stride = window.Stride,
            Dilation = window.Dilation,
            Padding = Padding.From(window.Begin, after),
        };
    }

    private static void Add<T>(Plan? plan, Tensor<T> first, Tensor<T> second, Tensor<T> sum, Workers workers)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (plan is null)
            return;
        Tensor<T> product = plan.Run<T>([first.As(plan.Shapes[0]), second.As(plan.Shapes[1])], workers);
        TensorPrimitives.Add<T>(sum.Values, product.Values, sum.Values);
    }
}
