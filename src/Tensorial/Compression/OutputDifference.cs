using System.Numerics.Tensors;

namespace Tensorial.Compression;

/// <summary>How two networks' values of one output compare.</summary>
/// <param name="Name">The output.</param>
/// <param name="MaxDifference">The largest |b - a|.</param>
/// <param name="MeanDifference">The mean |b - a|.</param>
/// <param name="RelativeError">‖b - a‖ / ‖a‖ over all samples.</param>
/// <param name="MaxRelativeError">The largest ‖b - a‖ / ‖a‖ of a sample.</param>
/// <param name="KlDivergence">
/// Mean Σ p ln(p / q) in nats, p and q the predictions of a and b (softmax of the values, unless they are probabilities); null where the
/// output is no class scores.
/// </param>
/// <param name="Agreement">Fraction of samples, 0 to 1, to which both give the same class; null where the output is no class scores.</param>
public sealed record OutputDifference(
    string Name,
    double MaxDifference,
    double MeanDifference,
    double RelativeError,
    double MaxRelativeError,
    double? KlDivergence,
    double? Agreement
);

/// <summary>Collects the values of an output, batch by batch.</summary>
/// <param name="name">The output.</param>
/// <param name="scores">Null where it is no class scores; else whether they are probabilities.</param>
internal sealed class OutputComparison(string name, bool? scores)
{
    private double _largest,
        _sum,
        _squares,
        _reference,
        _largestError,
        _divergence;
    private long _values,
        _compared;
    private int _samples,
        _agreeing;

    public OutputDifference Result =>
        new(
            name,
            _largest,
            _sum / Math.Max(1, _values),
            Relative(_squares, _reference),
            _largestError,
            scores is null ? null : _divergence / Math.Max(1, _samples),
            scores is null ? null : (double)_agreeing / Math.Max(1, _samples)
        );

    /// <summary>Whether the reference had values, and none of them was a number: nothing was compared.</summary>
    public bool IsBlind => _values > 0 && _compared == 0;

    /// <param name="a">Values of the reference.</param>
    /// <param name="b">Values of the other.</param>
    /// <param name="batch">The first extent of the inputs; an output of another one is a single sample.</param>
    /// <param name="count">Samples among the batch.</param>
    /// <exception cref="ShapeException">The values have different shapes, though none depends on values.</exception>
    /// <exception cref="NumericalException">b is not finite where a is.</exception>
    public void Add(Tensor a, Tensor b, int batch, int count)
    {
        if (a.Shape.Rank != b.Shape.Rank)
            throw new ShapeException($"Output '{name}': the first network answers with {a.Shape}, the second with {b.Shape}.");
        Tensor<double> one = (Tensor<double>)a.To(ElementType.Float64),
            other = (Tensor<double>)b.To(ElementType.Float64);
        if (a.Shape != b.Shape)
        {
            // Extents that depend on values, such as the number of boxes found: nothing lies opposite anything.
            double size = TensorPrimitives.SumOfSquares<double>(one.Values);
            Count(size, size);
            return;
        }
        bool isBatched = a.Shape.Rank > 0 && a.Shape[0] == batch;
        int rows = isBatched ? count : 1,
            row = a.Shape.ElementCount / Math.Max(1, isBatched ? batch : 1);
        for (int sample = 0; sample < rows; sample++)
            Add(one.Values.Slice(sample * row, row), other.Values.Slice(sample * row, row));
    }

    private void Count(double squares, double reference)
    {
        _squares += squares;
        _reference += reference;
        _largestError = Math.Max(_largestError, Relative(squares, reference));
        _samples++;
    }

    /// <summary>Where the reference is nothing but zeros, an answer that is not is all error.</summary>
    private static double Relative(double squares, double reference) =>
        squares == 0 ? 0
        : reference == 0 ? 1
        : Math.Sqrt(squares / reference);

    private void Add(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double squares = 0,
            reference = 0;
        for (int k = 0; k < a.Length; k++)
        {
            // Equal infinities, and numbers that already the reference has none for, are no difference.
            if (a[k].Equals(b[k]) || double.IsNaN(a[k]))
                continue;
            double gap = Math.Abs(b[k] - a[k]);
            if (!double.IsFinite(gap))
                throw new NumericalException(
                    $"Sample {_samples:N0}: the values {a[k]:G6} and {b[k]:G6} of output '{name}' at place {k} are not both finite numbers."
                );
            _largest = Math.Max(_largest, gap);
            _sum += gap;
            squares += gap * gap;
        }
        foreach (double value in a)
        {
            reference += double.IsFinite(value) ? value * value : 0;
            _compared += double.IsNaN(value) ? 0 : 1;
        }
        _values += a.Length;
        if (scores is { } probabilities)
        {
            _agreeing += IndexOfMax(a) == IndexOfMax(b) ? 1 : 0;
            _divergence += Divergence(a, b, probabilities);
        }
        Count(squares, reference);
    }

    private static double Divergence(ReadOnlySpan<double> a, ReadOnlySpan<double> b, bool probabilities)
    {
        (double logA, double logB) = probabilities ? (0, 0) : (LogNormalizer(a), LogNormalizer(b));
        double sum = 0;
        for (int k = 0; k < a.Length; k++)
        {
            (double p, double q) = probabilities
                ? (Math.Log(Math.Max(a[k], float.Epsilon)), Math.Log(Math.Max(b[k], float.Epsilon)))
                : (a[k] - logA, b[k] - logB);
            sum += Math.Exp(p) * (p - q);
        }
        return sum;
    }

    private static double LogNormalizer(ReadOnlySpan<double> values)
    {
        double largest = double.NegativeInfinity,
            sum = 0;
        foreach (double value in values)
            largest = Math.Max(largest, value);
        foreach (double value in values)
            sum += Math.Exp(value - largest);
        return largest + Math.Log(sum);
    }

    private static int IndexOfMax(ReadOnlySpan<double> values)
    {
        int best = 0;
        for (int k = 1; k < values.Length; k++)
            if (values[k] > values[best])
                best = k;
        return best;
    }
}
