using System.Diagnostics;

namespace Tensorial.Compression;

/// <summary>
/// Two ways of doing the same, timed in turn so that whatever else the machine does meets both. What counts is the median of the ratios of
/// pairs.
/// </summary>
/// <param name="First">Seconds of each measurement, rising.</param>
/// <param name="Second">The same of the other way.</param>
/// <param name="Ratios">Second over first, pair by pair, rising.</param>
internal sealed record PairedTiming(IReadOnlyList<double> First, IReadOnlyList<double> Second, IReadOnlyList<double> Ratios)
{
    /// <summary>
    /// A shorter measurement repeats its work until it takes so long: the clock and a passing interruption then weigh little. Tests, to which
    /// no time matters, want less.
    /// </summary>
    public static double SecondsPerMeasurement { get; set; } = 0.02;

    /// <summary>
    /// Measurements in a row that are no faster than those before them, until an action has settled: code that runs for the first time is
    /// compiled again, better, while it runs, and a network of many small steps takes up to five times as long until then.
    /// </summary>
    public const int Settled = 10;

    /// <summary>
    /// The same where nothing but times is wanted: code is compiled again in the background, a tenth of a second after no other has become due and twice
    /// over, so that a second may pass without any progress.
    /// </summary>
    public const int WellSettled = 60;

    private const double Faster = 0.95;

    private const int MostMeasurementsToSettle = 200;

    /// <summary>How often the second is faster than the first: 1.25 is a quarter more work in the same time.</summary>
    public double Speedup => 1 / MedianRatio;

    /// <summary>Time of the second over that of the first.</summary>
    public double MedianRatio => Median(Ratios);

    /// <summary>
    /// The ratio nearest to 1 among the middle half of the pairs: 1 where these do not agree which is faster. What else the machine does makes
    /// no difference then, whichever way it falls.
    /// </summary>
    public double CautiousRatio
    {
        get
        {
            (double lower, double upper) = (Ratios[Ratios.Count / 4], Ratios[^(Ratios.Count / 4 + 1)]);
            return lower > 1 ? lower
                : upper < 1 ? upper
                : 1;
        }
    }

    /// <summary>The middle one of rising values.</summary>
    public static double Median(IReadOnlyList<double> rising) => rising[rising.Count / 2];

    /// <summary>Times two actions once they have settled.</summary>
    /// <param name="first">One way.</param>
    /// <param name="second">The other.</param>
    /// <param name="pairs">Measurements of each.</param>
    /// <param name="settled">Measurements that are no faster than those before, until times count.</param>
    /// <param name="progress">Told after each pair.</param>
    /// <param name="cancel">Ends it between measurements.</param>
    public static PairedTiming From(
        Action first,
        Action second,
        int pairs = 15,
        int settled = Settled,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        int firstRuns = Settle(first, settled, cancel),
            secondRuns = Settle(second, settled, cancel);
        double[] one = new double[pairs],
            other = new double[pairs];
        for (int pair = 0; pair < pairs; pair++)
        {
            cancel.ThrowIfCancellationRequested();
            // Which goes first changes from pair to pair: the second finds the caches and the clock rate that the first left.
            if (pair % 2 == 0)
                one[pair] = TimeOf(first, firstRuns);
            other[pair] = TimeOf(second, secondRuns);
            if (pair % 2 == 1)
                one[pair] = TimeOf(first, firstRuns);
            progress?.Report(new("bench", pair + 1, pairs, "pairs"));
        }
        return new([.. one.Order()], [.. other.Order()], [.. one.Zip(other, static (a, b) => b / a).Order()]);
    }

    /// <summary>Seconds of one way alone: the median of some measurements.</summary>
    public static double Seconds(Action action, int measurements, int settled = Settled)
    {
        int runs = Settle(action, settled, default);
        double[] seconds = new double[measurements];
        for (int k = 0; k < measurements; k++)
            seconds[k] = TimeOf(action, runs);
        Array.Sort(seconds);
        return Median(seconds);
    }

    /// <summary>Runs an action until it gets no faster.</summary>
    /// <returns>How often it runs in a measurement.</returns>
    private static int Settle(Action action, int settled, CancellationToken cancel)
    {
        double best = double.PositiveInfinity;
        int runs = 1;
        Stopwatch clock = Stopwatch.StartNew();
        for (int slower = 0; slower < settled && clock.Elapsed.TotalSeconds < MostMeasurementsToSettle * SecondsPerMeasurement; )
        {
            cancel.ThrowIfCancellationRequested();
            double seconds = TimeOf(action, runs);
            slower = seconds < Faster * best ? 0 : slower + 1;
            best = Math.Min(best, seconds);
            runs = Math.Max(1, (int)(SecondsPerMeasurement / Math.Max(1e-7, best)));
        }
        return runs;
    }

    private static double TimeOf(Action action, int runs)
    {
        long start = Stopwatch.GetTimestamp();
        for (int run = 0; run < runs; run++)
            action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds / runs;
    }
}
