using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Autodiff.Operations;

/// <summary>
/// The three ways to sum Y[n,o,y…] W[o,i,k…] X[n,i, stride·y + dilation·k - pad …] for one of the three given the other two: plain loops over any
/// number of spatial axes, all adding to what is there.
/// </summary>
internal sealed class WindowedProduct(Shape x, Shape w, Shape y, int groups, ImmutableArray<WindowAxis> windows)
{
    private readonly int _inputs = w[1], _outputs = w[0] / groups, _taps = w.CountOf(2, w.Rank);
    private readonly int _inputPlane = x.CountOf(2, x.Rank), _outputPlane = y.CountOf(2, y.Rank);

    /// <summary>Y += W ∗ X.</summary>
    public void Collect<T>(Tensor<T> from, Tensor<T> weights, Tensor<T> to, Workers workers) where T : unmanaged, INumberBase<T> =>
        workers.For(y[0] * w[0], task => Visit(task / w[0], task % w[0], (position, tap, input, output, kernel) =>
            to.Values[output + position] += weights.Values[kernel + tap] * from.Values[input]));

    /// <summary>X += the adjoint of W at Y.</summary>
    public void Spread<T>(Tensor<T> from, Tensor<T> weights, Tensor<T> to, Workers workers) where T : unmanaged, INumberBase<T> =>
        workers.For(y[0] * groups, task =>
        {
            (int image, int group) = Math.DivRem(task, groups);
            for (int o = group * _outputs; o < (group + 1) * _outputs; o++)
                Visit(image, o, (position, tap, input, output, kernel) => to.Values[input] += weights.Values[kernel + tap] * from.Values[output + position]);
        });

    /// <summary>W += X correlated with Y.</summary>
    public void Correlate<T>(Tensor<T> input, Tensor<T> output, Tensor<T> weights, Workers workers) where T : unmanaged, INumberBase<T> =>
        workers.For(w[0], o =>
        {
            for (int image = 0; image < y[0]; image++)
                Visit(image, o, (position, tap, from, to, kernel) => weights.Values[kernel + tap] += input.Values[from] * output.Values[to + position]);
        });

    /// <summary>Every product that one plane of Y takes part in: position in the plane, tap, place in X, start of the plane, start of the kernel.</summary>
    private void Visit(int image, int o, Action<int, int, int, int, int> visit)
    {
        int first = o / _outputs * _inputs, plane = (image * w[0] + o) * _outputPlane;
        WindowWalk walk = new(windows);
        for (int position = 0; walk.Next(); position++)
            for (int i = 0; i < _inputs; i++)
            {
                int input = (image * x[1] + first + i) * _inputPlane, kernel = (o * _inputs + i) * _taps;
                foreach ((int tap, int offset) in walk.Taps) visit(position, tap, input + offset, plane, kernel);
            }
    }
}
