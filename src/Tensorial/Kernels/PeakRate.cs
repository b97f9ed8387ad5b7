using System.Diagnostics;

namespace Tensorial.Kernels;

/// <summary>What one core can do at most: the floor under the time of everything that multiplies.</summary>
internal static class PeakRate
{
    private const int Rounds = 200_000,
        Trials = 9;

    private static readonly Lazy<double> Measured = new(Measure);

    /// <summary>
    /// Multiply-accumulates of float32 in a second on one core, from registers alone; measured once, in some milliseconds, the best of a few
    /// trials.
    /// </summary>
    public static double MacsPerSecond => Measured.Value;

    private static double Measure() => Enumerable.Range(0, Trials).Max(static _ => Sample());

    /// <summary>One trial: the peak as the clock is now.</summary>
    public static unsafe double Sample()
    {
        float* result = stackalloc float[64];
        int lanes = 0;
        long start = Stopwatch.GetTimestamp();
        VectorWidths.Best.Run<Chains, float>(new(result, &lanes));
        return (double)Rounds * Chains.Count * lanes / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>
    /// Sums that do not wait for each other: an instruction's latency of four or five cycles, two of them in a cycle, asks for ten.
    /// </summary>
    private readonly unsafe struct Chains(float* result, int* lanes) : IVectorKernel<float>
    {
        public const int Count = 12;

        public void Run<TWidth, TVector>()
            where TWidth : struct, IVectorWidth<TVector, float>
            where TVector : struct
        {
            TVector a = TWidth.Broadcast(0.75f),
                b = TWidth.Broadcast(0.25f);
            TVector s0 = b,
                s1 = b,
                s2 = b,
                s3 = b,
                s4 = b,
                s5 = b,
                s6 = b,
                s7 = b,
                s8 = b,
                s9 = b,
                s10 = b,
                s11 = b;
            for (int round = 0; round < Rounds; round++)
            {
                s0 = TWidth.MultiplyAdd(s0, a, b);
                s1 = TWidth.MultiplyAdd(s1, a, b);
                s2 = TWidth.MultiplyAdd(s2, a, b);
                s3 = TWidth.MultiplyAdd(s3, a, b);
                s4 = TWidth.MultiplyAdd(s4, a, b);
                s5 = TWidth.MultiplyAdd(s5, a, b);
                s6 = TWidth.MultiplyAdd(s6, a, b);
                s7 = TWidth.MultiplyAdd(s7, a, b);
                s8 = TWidth.MultiplyAdd(s8, a, b);
                s9 = TWidth.MultiplyAdd(s9, a, b);
                s10 = TWidth.MultiplyAdd(s10, a, b);
                s11 = TWidth.MultiplyAdd(s11, a, b);
            }
            // Stored, so that no chain is dropped as unused.
            TVector all = TWidth.Add(
                TWidth.Add(TWidth.Add(TWidth.Add(s0, s1), TWidth.Add(s2, s3)), TWidth.Add(TWidth.Add(s4, s5), TWidth.Add(s6, s7))),
                TWidth.Add(TWidth.Add(s8, s9), TWidth.Add(s10, s11))
            );
            TWidth.Store(all, result);
            *lanes = TWidth.Count;
        }
    }
}
