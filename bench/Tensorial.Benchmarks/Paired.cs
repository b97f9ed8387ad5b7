using System.Diagnostics;
using System.Globalization;

namespace Tensorial.Benchmarks;

/// <summary>Ours and a peer's, measured in turn so that what else the machine does meets both; medians, ranges and their ratio.</summary>
internal static class Paired
{
    /// <summary>
    /// Prints one line and returns the ratio. <paramref name="amount"/> is what one run gets through, in <paramref name="unit"/>s: images, GFLOP.
    /// </summary>
    public static double Report(string name, double amount, string unit, Action ours, Peer? peer, int runs = 1, int rounds = 9) =>
        Report(name, amount, unit, ours, peer is null ? null : peer.Seconds, runs, rounds);

    /// <inheritdoc cref="Report(string, double, string, Action, Peer, int, int)"/>
    /// <param name="theirs">A peer in this process.</param>
    public static double Report(string name, double amount, string unit, Action ours, Action theirs, int runs = 1, int rounds = 9) =>
        Report(name, amount, unit, ours, count => SecondsOf(theirs, count), runs, rounds);

    private static double Report(string name, double amount, string unit, Action ours, Func<int, double>? peer, int runs, int rounds)
    {
        double[] mine = new double[rounds],
            theirs = new double[rounds];
        // Code is compiled anew, and better, while it runs; short ones need more runs until it has settled.
        long warmed = Stopwatch.GetTimestamp();
        for (int warm = 0; warm < Math.Min(3, rounds) || (runs > 1 && Stopwatch.GetElapsedTime(warmed).TotalSeconds < 2); warm++)
            ours();
        peer?.Invoke(1);
        for (int round = 0; round < rounds; round++)
        {
            if (peer is not null)
                theirs[round] = peer(runs);
            mine[round] = SecondsOf(ours, runs);
        }
        Array.Sort(mine);
        Array.Sort(theirs);
        string line = string.Create(CultureInfo.InvariantCulture, $"{name, -44} ours {Rate(mine)} {unit}/s");
        if (peer is not null)
            line += string.Create(
                CultureInfo.InvariantCulture,
                $"   peer {Rate(theirs)} {unit}/s   ours/peer {theirs[rounds / 2] / mine[rounds / 2]:F2}"
            );
        Console.WriteLine(line);
        return theirs[rounds / 2] / mine[rounds / 2];

        string Rate(double[] seconds) =>
            string.Create(
                CultureInfo.InvariantCulture,
                $"{amount / seconds[rounds / 2], 8:G4} ({amount / seconds[^1]:G4} to {amount / seconds[0]:G4})"
            );
    }

    private static double SecondsOf(Action action, int runs)
    {
        long start = Stopwatch.GetTimestamp();
        for (int run = 0; run < runs; run++)
            action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds / runs;
    }
}
