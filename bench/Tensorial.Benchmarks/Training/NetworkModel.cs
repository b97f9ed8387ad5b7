namespace Tensorial.Benchmarks.Training;

/// <summary>What exchanging gradients takes between ranks of one process a node.</summary>
/// <param name="Latency">Seconds of a message without bytes.</param>
/// <param name="Bandwidth">Bytes a second in each direction of a node.</param>
/// <param name="Adding">Bytes of received values that are added up a second.</param>
internal readonly record struct NetworkModel(double Latency, double Bandwidth, double Adding)
{
    /// <summary>
    /// Seconds of an all-reduce as Tensorial.Mpi makes it: N - 1 messages each with a part to all others, the sum, and N - 1 messages with the sums.
    /// Messages to several ranks are counted one after another, which MPI does better.
    /// </summary>
    public double Exchange(int ranks, long bytes)
    {
        double moved = (double)bytes * (ranks - 1) / ranks;
        return 2 * (ranks - 1) * Latency + 2 * moved / Bandwidth + moved / Adding;
    }

    /// <summary>
    /// Seconds of a step: buckets are exchanged one after the other, each when it is ready and the one before is through, while the backward
    /// pass goes on.
    /// </summary>
    /// <param name="alone">The step without exchange.</param>
    /// <param name="ranks">Ranks.</param>
    /// <param name="hidden">The part of the exchange that the backward pass covers, 0 to 1.</param>
    public double Step(StepTimes alone, int ranks, out double hidden)
    {
        double through = 0,
            busy = 0;
        foreach (BucketTime bucket in alone.Buckets)
        {
            double seconds = Exchange(ranks, bucket.Bytes);
            through = Math.Max(through, bucket.Ready) + seconds;
            busy += seconds;
        }
        double exposed = Math.Max(0, through - alone.Backward);
        hidden = busy > 0 ? Math.Max(0, 1 - exposed / busy) : 1;
        return alone.Forward + Math.Max(alone.Backward, through) + alone.Update;
    }
}
