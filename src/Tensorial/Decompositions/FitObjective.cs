using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Equations;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>
/// The squared relative error of a kernel as a function of its inner factors, the last one always at its best:
/// B from the inner factors, A = W Σ Bᵀ (B Σ Bᵀ + λ D)⁻¹, error = 1 - ⟨A, W Σ Bᵀ⟩ / ⟨W, W Σ⟩, gradient by B: 2 (Aᵀ (A B - W) + λ Aᵀ∘A B) Σ /
/// ⟨W, W Σ⟩. D is the diagonal of B Σ Bᵀ and Aᵀ∘A that of Aᵀ A: of sums of rank-one terms, λ times the energy of all terms is part of the
/// value, so that terms that cancel each other cost more than they save (A.-H. Phan et al., ECCV 2020, arXiv 2008.05441, bound the same
/// energy after the fit). Elsewhere λ is 0.
/// </summary>
internal sealed class FitObjective
{
    /// <summary>
    /// Keeps B Σ Bᵀ invertible: this part of its mean diagonal.
    /// </summary>
    private const double Ridge = 1e-9;

    private readonly Tensor<double> _kernel;
    private readonly TensorFormat _format;
    private readonly string _last;
    private readonly ImmutableArray<int> _ranks;
    private readonly KernelMetric _metric;
    private readonly Workers _workers;
    private readonly CancellationToken _cancel;
    private readonly Shape[] _shapes;
    private readonly Shape _lastShape;
    private readonly Tensor<double>[] _identities;
    private readonly int _outputs,
        _columns,
        _rows;

    /// <summary>D W and D W Σ, [o, n].</summary>
    private readonly double[] _target,
        _weightedTarget;

    /// <summary>⟨W, W Σ⟩, and λ.</summary>
    private readonly double _energy,
        _damping;

    /// <summary>How the inner factors make B, and how the gradient by B makes that of each factor.</summary>
    private readonly Equation _product;

    private readonly Equation[] _gradients;

    private readonly Shape _productShape;

    /// <param name="kernel">[o, i, h, w].</param>
    /// <param name="format">Over the modes oihw; its last factor holds o, first.</param>
    /// <param name="ranks">Extents of its bonds.</param>
    /// <param name="metric">The measure.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="cancel">Ends an evaluation.</param>
    public FitObjective(
        Tensor<double> kernel,
        TensorFormat format,
        ImmutableArray<int> ranks,
        KernelMetric metric,
        Workers workers,
        CancellationToken cancel
    )
    {
        (_kernel, _format, _ranks, _metric, _workers, _cancel) = (kernel, format, ranks, metric, workers, cancel);
        ImmutableArray<string> inner = format.Equation.Inputs[..^1];
        ImmutableArray<Shape> shapes = format.FactorShapes(kernel.Shape, ranks.AsSpan());
        (_shapes, _lastShape, _last) = ([.. shapes[..^1]], shapes[^1], format.Equation.Inputs[^1]);
        // Modes of the input that the last factor works along come into B through identities.
        string shared = string.Concat(_last.Where("ihw".Contains));
        _identities = [.. shared.Select(axis => Identity(kernel.Shape["oihw".IndexOf(axis, StringComparison.Ordinal)]))];
        (_outputs, _columns, _rows) = (
            kernel.Shape[0],
            kernel.Shape.ElementCount / kernel.Shape[0],
            _lastShape.ElementCountOf(1, _lastShape.Rank)
        );
        _target = metric.Weigh(kernel).Values.ToArray();
        _weightedTarget = TimesCovariance(_target, _outputs);
        _energy = TensorPrimitives.Dot<double>(_target, _weightedTarget);
        _damping = format.IsSumOfTerms ? KernelFactorization.Damping : 0;

        string rows = string.Concat(_last[1..].Select(axis => shared.Contains(axis) ? char.ToUpperInvariant(axis) : axis));
        Equation product = new([.. inner, .. shared.Select(static axis => $"{char.ToUpperInvariant(axis)}{axis}")], rows + "ihw");
        _productShape = [.. _lastShape.Skip(1), .. kernel.Shape.Skip(1)];
        _product = product;
        _gradients =
        [
            .. _shapes.Select((_, index) => new Equation([product.Output, .. product.Inputs.RemoveAt(index)], product.Inputs[index])),
        ];
    }

    /// <summary>The error alone.</summary>
    public double Value(ReadOnlySpan<double> inner) => Evaluate(inner, new double[inner.Length]);

    /// <summary>The error and its gradient.</summary>
    public double Evaluate(ReadOnlySpan<double> inner, Span<double> gradient)
    {
        _cancel.ThrowIfCancellationRequested();
        gradient.Clear();
        if (_energy <= 0)
            return 0;
        Tensor<double>[] factors = Split(inner);
        Tensor<double> b = InnerProduct(factors);
        (double[] a, double[] weighted, double[] cross) = Last(b.Values);
        double error = Math.Max(0, 1 - TensorPrimitives.Dot<double>(a, cross) / _energy);

        // Aᵀ (A (B Σ) - W Σ)
        double[] gap = new double[_outputs * _columns];
        _weightedTarget.CopyTo(gap, 0);
        MatrixProduct.Multiply<double>(_outputs, _columns, _rows, 1, a, _rows, 1, weighted, _columns, 1, -1, gap, _columns, _workers);
        double[] energies = Energies(a);
        Tensor<double> byB = new(b.Shape);
        MatrixProduct.Multiply<double>(
            _rows,
            _columns,
            _outputs,
            2 / _energy,
            a,
            1,
            _rows,
            gap,
            _columns,
            1,
            0,
            byB.Values,
            _columns,
            _workers
        );
        for (int row = 0; row < _rows; row++)
        {
            Span<double> own = byB.Values.Slice(row * _columns, _columns);
            TensorPrimitives.MultiplyAdd(weighted.AsSpan(row * _columns, _columns), 2 * _damping * energies[row] / _energy, own, own);
        }
        int at = 0;
        for (int k = 0; k < factors.Length; k++)
        {
            Gradient(byB, factors, k).Values.CopyTo(gradient[at..]);
            at += factors[k].Shape.ElementCount;
        }
        return error;
    }

    /// <summary>The factors at a point.</summary>
    public TensorFactors<double> Result(double[] inner)
    {
        Tensor<double>[] factors = Split(inner);
        Tensor<double> b = InnerProduct(factors);
        double[] a = Last(b.Values).A;
        Tensor<double> last = _metric.Unweigh(new(_lastShape, a));
        return new(_format, Folding.None(_kernel.Shape), _ranks, [.. factors, last], Error(a, b.Values));
    }

    /// <summary>
    /// ‖(A B - W) Σ^½‖ / ‖W Σ^½‖ from the difference itself: what the ridge adds to the value, and what 1 - … loses to rounding, do not
    /// count.
    /// </summary>
    private double Error(double[] a, ReadOnlySpan<double> b)
    {
        if (_energy <= 0)
            return 0;
        double[] gap = [.. _target];
        MatrixProduct.Multiply<double>(_outputs, _columns, _rows, 1, a, _rows, 1, b, _columns, 1, -1, gap, _columns, _workers);
        return Math.Sqrt(Math.Max(0, TensorPrimitives.Dot<double>(gap, TimesCovariance(gap, _outputs)) / _energy));
    }

    /// <summary>The best last factor, B Σ, and W Σ Bᵀ.</summary>
    private (double[] A, double[] Weighted, double[] Cross) Last(Span<double> b)
    {
        double[] weighted = TimesCovariance(b, _rows),
            normal = new double[_rows * _rows],
            cross = new double[_outputs * _rows];
        MatrixProduct.Multiply<double>(_rows, _rows, _columns, 1, weighted, _columns, 1, b, 1, _columns, 0, normal, _rows, _workers);
        MatrixProduct.Multiply<double>(
            _outputs,
            _rows,
            _columns,
            1,
            _weightedTarget,
            _columns,
            1,
            b,
            1,
            _columns,
            0,
            cross,
            _rows,
            _workers
        );
        double[] a = [.. cross];
        for (int row = 0; row < _rows; row++)
            normal[row * _rows + row] *= 1 + _damping;
        Cholesky.OfRegularised<double>(normal, _rows, Ridge).SolveRows(a);
        return (a, weighted, cross);
    }

    /// <summary>The squared norm of each column of A.</summary>
    private double[] Energies(double[] a)
    {
        double[] energies = new double[_rows];
        for (int at = 0; at < a.Length; at++)
            energies[at % _rows] += a[at] * a[at];
        return energies;
    }

    private double[] TimesCovariance(ReadOnlySpan<double> rows, int count)
    {
        if (_metric.Covariance is not { } covariance)
            return rows.ToArray();
        double[] result = new double[count * _columns];
        MatrixProduct.Multiply<double>(
            count,
            _columns,
            _columns,
            1,
            rows,
            _columns,
            1,
            covariance.Values,
            _columns,
            1,
            0,
            result,
            _columns,
            _workers
        );
        return result;
    }

    private Tensor<double> InnerProduct(Tensor<double>[] factors) => Evaluate(_product, [.. factors, .. _identities]);

    /// <summary>The same equation with one factor and the product trading places.</summary>
    private Tensor<double> Gradient(Tensor<double> byB, Tensor<double>[] factors, int index) =>
        Evaluate(_gradients[index], [byB.As(_productShape), .. factors.Where((_, k) => k != index), .. _identities]);

    private Tensor<double> Evaluate(Equation equation, Tensor<double>[] operands) =>
        Contraction.Evaluate<double>(equation, operands, _workers);

    private Tensor<double>[] Split(ReadOnlySpan<double> inner) => [.. Fits.Split(_shapes, inner)];

    private static Tensor<double> Identity(int extent)
    {
        Tensor<double> identity = new([extent, extent]);
        for (int k = 0; k < extent; k++)
            identity.Values[k * extent + k] = 1;
        return identity;
    }
}
