using System.Diagnostics;

namespace Tensorial.Kernels;

/// <summary>A wait of at most 50 microseconds that does not give up the core.</summary>
/// <example><c>Spin spin = new(); while (!done &amp;&amp; spin.Once()) { }</c></example>
internal readonly struct Spin()
{
    /// <summary>
    /// About as long as it takes to wake a sleeping thread: a longer wait never costs more than twice the best choice, and the
    /// pauses between the layers of a network, a few microseconds, are bridged.
    /// </summary>
    private static readonly long Patience = Stopwatch.Frequency / 20_000;

    private readonly long _end = Stopwatch.GetTimestamp() + Patience;

    /// <summary>Waits some hundred nanoseconds; false when the time is up.</summary>
    public bool Once()
    {
        Thread.SpinWait(8);
        return Stopwatch.GetTimestamp() < _end;
    }
}
