using Tensorial.Analysis;
using Tensorial.Data;

namespace Tensorial.Compression;

/// <summary>How the answers of two networks to the same images compare.</summary>
/// <param name="Samples">Images compared.</param>
/// <param name="MaxDifference">The largest |b - a| of an output.</param>
/// <param name="MeanDifference">The mean |b - a| of the outputs.</param>
/// <param name="RelativeError">‖b - a‖ / ‖a‖ over all outputs.</param>
/// <param name="KlDivergence">Mean Σ p ln(p / q) in nats, p and q the predictions of a and b (softmax of the outputs, unless they are
/// probabilities); null where the outputs are no class scores.</param>
/// <param name="Agreement">Fraction of images, 0 to 1, to which both give the same class; null where the outputs are no class
/// scores.</param>
/// <param name="First">How well a does; null where the images have no labels, or none that the outputs could be scores of.</param>
/// <param name="Second">How well b does.</param>
public sealed record Verification(
    int Samples,
    double MaxDifference,
    double MeanDifference,
    double RelativeError,
    double? KlDivergence,
    double? Agreement,
    Evaluation? First,
    Evaluation? Second
)
{
    /// <summary>Accuracy points b gives up against a; null without labels.</summary>
    public double? Drop => First is { } first && Second is { } second ? 100 * (first.Top1 - second.Top1) : null;

    /// <summary>The one number of how far b is from a: the KL divergence of class scores, else the squared relative error.</summary>
    public double Divergence => KlDivergence ?? RelativeError * RelativeError;

    /// <summary>Compares two networks on images, and what they get right where these have labels for their outputs.</summary>
    /// <param name="first">Outputs of a for a batch.</param>
    /// <param name="second">Outputs of b.</param>
    /// <param name="images">The images.</param>
    /// <param name="probabilities">Whether outputs are probabilities already.</param>
    /// <param name="batch">Images at a time.</param>
    /// <param name="progress">Told after each batch.</param>
    /// <param name="cancel">Ends it between batches.</param>
    /// <exception cref="BadInputException">The networks answer in different shapes.</exception>
    /// <exception cref="NumericalException">An output is not a finite number.</exception>
    public static Verification Of(
        Func<Tensor<float>, Tensor<float>> first,
        Func<Tensor<float>, Tensor<float>> second,
        ImageSet images,
        bool probabilities,
        int batch = 64,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        Scoring one = new(probabilities),
            other = new(probabilities);
        Difference difference = new(probabilities);
        bool isScored = false;
        foreach (ImageBatch some in images.Batches(batch, cancel))
        {
            Tensor<float> a = first(some.Images),
                b = second(some.Images);
            difference.Add(a, b);
            isScored = images.CanBeScored(a.Shape);
            if (isScored)
            {
                one.Add(a, some.Labels.Span);
                other.Add(b, some.Labels.Span);
            }
            progress?.Report(new("verify", some.First + some.Count, images.Count, "images"));
        }
        return isScored ? difference.Result with { First = one.Result, Second = other.Result } : difference.Result;
    }

    /// <summary>Compares two networks on batches without labels.</summary>
    public static Verification Of(
        Func<Tensor<float>, Tensor<float>> first,
        Func<Tensor<float>, Tensor<float>> second,
        IEnumerable<Tensor<float>> batches,
        bool probabilities
    )
    {
        Difference difference = new(probabilities);
        foreach (Tensor<float> x in batches)
            difference.Add(first(x), second(x));
        return difference.Result;
    }

    private sealed class Difference(bool probabilities)
    {
        private double _largest,
            _sum,
            _squares,
            _reference,
            _divergence;
        private bool _areScores = true;
        private long _values;
        private int _samples,
            _agreeing;

        public Verification Result =>
            new(
                _samples,
                _largest,
                _sum / Math.Max(1, _values),
                _squares == 0 ? 0 : Math.Sqrt(_squares / Math.Max(_reference, double.Epsilon)),
                _areScores ? _divergence / Math.Max(1, _samples) : null,
                _areScores ? (double)_agreeing / Math.Max(1, _samples) : null,
                null,
                null
            );

        public void Add(Tensor<float> a, Tensor<float> b)
        {
            if (a.Shape != b.Shape)
                throw new ShapeException($"The first network answers with {a.Shape}, the second with {b.Shape}.");
            _areScores = ClassScores.Are(a.Shape);
            int count = a.Shape[0],
                row = a.Shape.Count / Math.Max(1, count);
            for (int image = 0; image < count; image++)
                Add(a.Values.Slice(image * row, row), b.Values.Slice(image * row, row));
        }

        private void Add(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
        {
            for (int k = 0; k < a.Length; k++)
            {
                double gap = Math.Abs((double)b[k] - a[k]);
                if (!double.IsFinite(gap))
                    throw new NumericalException(
                        $"Image {_samples:N0}: the outputs {a[k]} and {b[k]} at place {k} are not both finite numbers."
                    );
                _largest = Math.Max(_largest, gap);
                _sum += gap;
                _squares += gap * gap;
                _reference += (double)a[k] * a[k];
            }
            _values += a.Length;
            _samples++;
            if (!_areScores)
                return;
            if (IndexOfMax(a) == IndexOfMax(b))
                _agreeing++;
            double logA = LogNormalizer(a),
                logB = LogNormalizer(b);
            for (int k = 0; k < a.Length; k++)
            {
                (double p, double q) = (LogOf(a[k], logA), LogOf(b[k], logB));
                _divergence += Math.Exp(p) * (p - q);
            }
        }

        private double LogOf(float value, double normalizer) =>
            probabilities ? Math.Log(Math.Max(value, float.Epsilon)) : value - normalizer;

        private static double LogNormalizer(ReadOnlySpan<float> values)
        {
            double largest = double.NegativeInfinity,
                sum = 0;
            foreach (float value in values)
                largest = Math.Max(largest, value);
            foreach (float value in values)
                sum += Math.Exp(value - largest);
            return largest + Math.Log(sum);
        }

        private static int IndexOfMax(ReadOnlySpan<float> values)
        {
            int best = 0;
            for (int k = 1; k < values.Length; k++)
                if (values[k] > values[best])
                    best = k;
            return best;
        }
    }
}
