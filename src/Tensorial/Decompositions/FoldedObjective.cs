using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Equations;
using Tensorial.Kernels;

namespace Tensorial.Decompositions;

/// <summary>
/// The squared relative error of a kernel as a function of all factors of a reshaped format, whose channels no factor holds whole: nothing
/// can be solved for exactly. ‖D (K̃ - K) Σ^½‖² / ‖D K Σ^½‖², gradient by K̃: 2 D² (K̃ - K) Σ / ‖D K Σ^½‖².
/// </summary>
internal sealed class FoldedObjective(
    Tensor<double> kernel,
    KernelForm form,
    ImmutableArray<int> ranks,
    KernelMetric metric,
    CancellationToken cancel
)
{
    private readonly ImmutableArray<Shape> _shapes = form.Tensor.FactorShapes(form.Folding.Folded, ranks.AsSpan());
    private readonly double _energy = metric.Square(kernel);

    public double Evaluate(ReadOnlySpan<double> point, Span<double> gradient)
    {
        cancel.ThrowIfCancellationRequested();
        gradient.Clear();
        if (_energy <= 0)
            return 0;
        ImmutableArray<Tensor<double>> factors = Fits.Split(_shapes, point);
        Tensor<double> gap = Of(factors, 0).Reconstruct().Clone();
        TensorPrimitives.Subtract<double>(gap.Values, kernel.Values, gap.Values);
        Tensor<double> weighed = metric.Weigh(metric.Weigh(metric.TimesCovariance(gap)));
        double error = TensorPrimitives.Dot<double>(gap.Values, weighed.Values) / _energy;
        TensorPrimitives.Multiply(weighed.Values, 2 / _energy, weighed.Values);
        Tensor<double> byFolded = form.Folding.Fold(weighed);
        Equation whole = form.Tensor.Equation;
        for (int k = 0, at = 0; k < factors.Length; at += _shapes[k].ElementCount, k++)
        {
            // The same equation with one factor and the tensor trading places.
            Equation equation = new([whole.Output, .. whole.Inputs.RemoveAt(k)], whole.Inputs[k]);
            Contraction.Evaluate<double>(equation, [byFolded, .. factors.RemoveAt(k)], Workers.Serial).Values.CopyTo(gradient[at..]);
        }
        return error;
    }

    /// <summary>The factors at a point.</summary>
    public TensorFactors<double> Result(ReadOnlySpan<double> point)
    {
        TensorFactors<double> factors = Of(Fits.Split(_shapes, point), 0);
        return factors with { RelativeError = metric.ErrorOf(kernel, factors.Reconstruct()) };
    }

    private TensorFactors<double> Of(ImmutableArray<Tensor<double>> factors, double error) =>
        new(form.Tensor, form.Folding, ranks, factors, error);
}
