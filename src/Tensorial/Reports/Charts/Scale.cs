using Tensorial.Analysis;

namespace Tensorial.Reports.Charts;

/// <summary>Where a value lies between the ends of an axis, 0 to 1, and which values get a tick.</summary>
internal abstract record Scale(double Low, double High)
{
    /// <summary>0 at <see cref="Low"/>, 1 at <see cref="High"/>; values beyond an end lie on it.</summary>
    public double Position(double value) => Math.Clamp(Place(value), 0, 1);

    /// <summary>About as many values as asked for, round ones, within the ends.</summary>
    public abstract ValueList<double> Ticks(int about);

    protected abstract double Place(double value);
}

internal sealed record LinearScale(double Low, double High) : Scale(Low, High)
{
    /// <summary>The narrowest with round ends that holds all values; 0 to 1 where there are none.</summary>
    public static LinearScale Around(IEnumerable<double> values, int ticks = 5)
    {
        double low = double.PositiveInfinity,
            high = double.NegativeInfinity;
        foreach (double value in values.Where(double.IsFinite))
            (low, high) = (Math.Min(low, value), Math.Max(high, value));
        if (low > high)
            return new(0, 1);
        if (high - low < 1e-9 * Math.Max(1, Math.Abs(high)))
            (low, high) = (low - 0.01, high + 0.01);
        double step = Step(high - low, ticks);
        return new(step * Math.Floor((low / step) + 1e-9), step * Math.Ceiling((high / step) - 1e-9));
    }

    public override ValueList<double> Ticks(int about)
    {
        double step = Step(High - Low, about);
        List<double> ticks = [];
        // Counted, not summed: 0.1 + 0.1 + 0.1 is not 0.3.
        for (long k = (long)Math.Ceiling((Low / step) - 1e-9); k * step <= High + (1e-9 * step); k++)
            ticks.Add(k * step);
        return [.. ticks];
    }

    protected override double Place(double value) => High > Low ? (value - Low) / (High - Low) : 0.5;

    /// <summary>1, 2 or 5 times a power of ten.</summary>
    private static double Step(double span, int about)
    {
        double raw = span / Math.Max(1, about),
            power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        return power
            * (raw / power) switch
            {
                < 1.5 => 1,
                < 3 => 2,
                < 7 => 5,
                _ => 10,
            };
    }
}

/// <summary>Decades; within one decade its 1, 2 and 5. Zero and below lie on the low end.</summary>
internal sealed record LogScale(double Low, double High) : Scale(Low, High)
{
    /// <summary>The fewest whole decades that hold all positive values.</summary>
    public static LogScale Around(IReadOnlyCollection<double> values)
    {
        double[] positive = [.. values.Where(static value => value > 0 && double.IsFinite(value)).DefaultIfEmpty(1)];
        double low = Math.Pow(10, Math.Floor(Math.Log10(positive.Min())));
        return new(low, Math.Max(10 * low, Math.Pow(10, Math.Ceiling(Math.Log10(positive.Max()) - 1e-9))));
    }

    public override ValueList<double> Ticks(int about)
    {
        int first = (int)Math.Round(Math.Log10(Low)),
            last = (int)Math.Round(Math.Log10(High));
        int every = Math.Max(1, (int)Math.Ceiling((last - first) / (double)Math.Max(1, about)));
        List<double> ticks = [];
        if (last - first <= 1)
        {
            foreach (double multiple in (ReadOnlySpan<double>)[1, 2, 5])
                ticks.Add(multiple * Math.Pow(10, first));
            ticks.Add(High);
            return [.. ticks];
        }
        for (int power = last; power >= first; power -= every)
            ticks.Insert(0, Math.Pow(10, power));
        return [.. ticks];
    }

    protected override double Place(double value) => value > 0 ? Math.Log(value / Low) / Math.Log(High / Low) : 0;
}

/// <summary>Things in order, at 1, 2, 3, …; each has a name.</summary>
internal sealed record OrdinalScale(ValueList<string> Names) : Scale(1, Math.Max(1, Names.Count))
{
    public override ValueList<double> Ticks(int about)
    {
        int step = 1;
        foreach (int candidate in (ReadOnlySpan<int>)[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000])
        {
            step = candidate;
            if (Names.Count <= about * candidate)
                break;
        }
        List<double> ticks = [];
        for (int k = step; k <= Names.Count; k += step)
            ticks.Add(k);
        if (step > 1)
            ticks.Insert(0, 1);
        return [.. ticks];
    }

    protected override double Place(double value) => High > 1 ? (value - 1) / (High - 1) : 0.5;
}
