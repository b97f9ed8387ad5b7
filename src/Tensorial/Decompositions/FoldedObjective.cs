using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Equations;
using Tensorial.Kernels;

namespace Tensorial.Decompositions;

/// <summary>
/// The squared relative error of a kernel as a function of all factors of a reshaped format, whose channels no factor holds whole: nothing
/// can be solved for exactly. ‖D (K̃ - K) Σ^½‖² / ‖D K Σ^½‖², gradient by K̃: 2 D² (K̃ - K) Σ / ‖D K Σ^½‖². Sums of rank-one terms pay for
/// the terms' energy besides, λ Σᵣ ‖termᵣ‖² / ‖K‖² (<see cref="KernelFactorization.Damping"/>).
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
    private readonly double _energy = metric.Square(kernel),
        _square = TensorPrimitives.SumOfSquares<double>(kernel.Values);

    /// <summary>Whether terms pay for their energy; the bond is then the last axis of every factor.</summary>
    private readonly bool _hasTerms = form.Tensor.IsSumOfTerms;

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
        return _hasTerms ? error + TermEnergy(factors, gradient) : error;
    }

    /// <summary>λ Σᵣ Πₖ ‖uᵏᵣ‖² / ‖K‖², and its gradient added: 2 λ Π_{j≠k} ‖uʲᵣ‖² uᵏᵣ / ‖K‖².</summary>
    private double TermEnergy(ImmutableArray<Tensor<double>> factors, Span<double> gradient)
    {
        double scale = KernelFactorization.Damping / _square,
            sum = 0;
        Tensor<double>[] columns = [.. factors.Select(factor => factor.As([factor.Shape.ElementCount / ranks[0], ranks[0]]))];
        double[][] norms = [.. columns.Select(CpTerms.Norms)];
        for (int r = 0; r < norms[0].Length; r++)
            sum += norms.Aggregate(scale, (product, own) => product * own[r] * own[r]);
        for (int k = 0, at = 0; k < columns.Length; k++)
        {
            double[] others =
            [
                .. Enumerable
                    .Range(0, norms[0].Length)
                    .Select(r => norms.Where((_, j) => j != k).Aggregate(2 * scale, (product, own) => product * own[r] * own[r])),
            ];
            foreach (double value in CpTerms.Scaled(columns[k], others).Values)
                gradient[at++] += value;
        }
        return sum;
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
