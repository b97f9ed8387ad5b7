using System.Numerics.Tensors;

namespace Tensorial.Compression.Int8;

/// <summary>The values of an activation, counted: first their range, then how many lie where.</summary>
/// <param name="name">The value, for messages.</param>
internal sealed class ValueHistogram(string name)
{
    private const int Bins = 2048;

    /// <summary>Candidates for each end of a range.</summary>
    private const int Candidates = 64;

    /// <summary>The least part of the range that a candidate keeps of an end.</summary>
    private const double LeastKept = 0.1;

    private readonly long[] _counts = new long[Bins];

    public double Least { get; private set; } = double.PositiveInfinity;

    public double Most { get; private set; } = double.NegativeInfinity;

    /// <summary>Widens the range.</summary>
    /// <exception cref="NumericalException">A value is no finite number.</exception>
    public void Widen(ReadOnlySpan<float> values)
    {
        if (values.IsEmpty)
            return;
        (float least, float most) = (TensorPrimitives.Min(values), TensorPrimitives.Max(values));
        if (!float.IsFinite(least) || !float.IsFinite(most))
            throw new NumericalException($"The value '{name}' is not finite on a calibration sample, so that no 8 bits can stand for it.");
        (Least, Most) = (Math.Min(Least, least), Math.Max(Most, most));
    }

    /// <summary>Counts values within the range.</summary>
    public void Count(ReadOnlySpan<float> values)
    {
        if (Most <= Least)
            return;
        (float least, float perUnit) = ((float)Least, (float)(Bins / (Most - Least)));
        foreach (float value in values)
            _counts[Math.Clamp((int)((value - least) * perUnit), 0, Bins - 1)]++;
    }

    public ActivationScale Scale(RangeMethod method, double covered) =>
        method switch
        {
            _ when Most <= Least => ActivationScale.Over(Least, Most),
            RangeMethod.Percentile => Covering(covered),
            RangeMethod.Mse => Closest(),
            _ => ActivationScale.Over(Least, Most),
        };

    private double Width => (Most - Least) / Bins;

    private ActivationScale Covering(double covered)
    {
        double outside = (1 - covered) / 2 * _counts.Sum();
        int first = 0,
            last = Bins - 1;
        for (double below = _counts[0]; below <= outside && first < last; below += _counts[++first]) { }
        for (double above = _counts[last]; above <= outside && last > first; above += _counts[--last]) { }
        return ActivationScale.Over(Least + first * Width, Least + (last + 1) * Width);
    }

    /// <summary>One end after the other, as long as the error falls. An end at 0 stays there.</summary>
    private ActivationScale Closest()
    {
        (double least, double most) = (Math.Min(Least, 0), Math.Max(Most, 0));
        double error = Error(ActivationScale.Over(least, most));
        for (int pass = 0; pass < 2; pass++)
        {
            (double formerLeast, double formerMost) = (least, most);
            foreach (double part in Parts())
            {
                if (Error(ActivationScale.Over(least, part * formerMost)) is var upper && upper < error)
                    (most, error) = (part * formerMost, upper);
            }
            foreach (double part in Parts())
            {
                if (Error(ActivationScale.Over(part * formerLeast, most)) is var lower && lower < error)
                    (least, error) = (part * formerLeast, lower);
            }
        }
        return ActivationScale.Over(least, most);

        static IEnumerable<double> Parts() =>
            Enumerable.Range(0, Candidates).Select(static k => LeastKept + (1 - LeastKept) * k / Candidates);
    }

    /// <summary>The squared error of rounding, summed over the values.</summary>
    private double Error(ActivationScale scale)
    {
        (double least, double most) = (-scale.ZeroPoint * (double)scale.Scale, (byte.MaxValue - scale.ZeroPoint) * (double)scale.Scale);
        double within = (double)scale.Scale * scale.Scale / 12,
            sum = 0;
        for (int bin = 0; bin < Bins; bin++)
        {
            if (_counts[bin] == 0)
                continue;
            double middle = Least + (bin + 0.5) * Width,
                beyond = Math.Max(0, Math.Max(least - middle, middle - most));
            // Zeros, of which activations are full, are exact.
            bool isZero = Math.Abs(middle) <= Width / 2;
            sum += _counts[bin] * (isZero ? 0 : within + beyond * beyond);
        }
        return sum;
    }
}
