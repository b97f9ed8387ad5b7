namespace Tensorial.Training.Distributed;

/// <summary>
/// The ranks (processes) that train one network together, as MPI has them. Collective operations are begun on every rank in the same order and
/// done in that order, one after the other, while the rank goes on computing. A rank begins them from one thread at a time.
/// </summary>
public interface ICommunicator
{
    /// <summary>Which rank this is, from 0.</summary>
    int Rank { get; }

    /// <summary>How many ranks there are.</summary>
    int Size { get; }

    /// <summary>
    /// All-reduce: begins to add up values over all ranks, element by element, each in the order of the ranks, so that all ranks have the same
    /// bits, and the same at every run with as many ranks.
    /// </summary>
    /// <param name="values">This rank's values, equally many on every rank; the sums afterwards. Not to be touched before
    /// <see cref="ICollective.Wait"/> returns.</param>
    ICollective BeginSum(Memory<float> values);

    /// <inheritdoc cref="BeginSum(Memory{float})"/>
    ICollective BeginSum(Memory<double> values);

    /// <summary>Begins to copy one rank's bytes to all others.</summary>
    /// <param name="values">The bytes to copy, or room for as many.</param>
    /// <param name="root">The rank that has them.</param>
    ICollective BeginBroadcast(Memory<byte> values, int root);

    /// <summary>Waits until every rank has come here.</summary>
    /// <param name="cancel">Ends the waiting; the ranks are then no longer in step and can only end.</param>
    void Barrier(CancellationToken cancel = default);

    /// <summary>
    /// The same ranks once more: operations begun there have an order of their own, and need not wait for those begun here. Called on all ranks
    /// alike.
    /// </summary>
    ICommunicator Duplicate();

    /// <summary>Ends all ranks at once, this one included, because something failed here.</summary>
    /// <param name="exitCode">What the processes give back.</param>
    void Abort(int exitCode);
}

/// <summary>A collective operation that has been begun.</summary>
public interface ICollective
{
    /// <summary>Waits until its result is there.</summary>
    /// <param name="cancel">Ends the waiting; the ranks are then no longer in step and can only end.</param>
    /// <exception cref="CommunicationException">Another rank failed, or the network between them.</exception>
    void Wait(CancellationToken cancel = default);
}

/// <summary>Ranks that train together lost each other, or cannot find each other.</summary>
/// <param name="message">What happened.</param>
/// <param name="inner">What caused it.</param>
public sealed class CommunicationException(string message, Exception? inner = null) : IOException(message, inner);
