using Tensorial.Training.Distributed;

namespace Tensorial.Mpi;

/// <summary>
/// The processes that mpirun, mpiexec or srun has started together, over the machine's own Open MPI or MPICH. Sums are exchanged as bytes and made
/// here, in the order of the ranks, so that their bits do not depend on the MPI in use. To be disposed on every rank when all is done.
/// </summary>
public sealed class MpiCommunicator : ICommunicator, IDisposable
{
    private readonly MpiThread _thread;
    private readonly MpiLane _lane;
    private readonly bool _isWorld;

    private MpiCommunicator(MpiThread thread, MpiLane lane, bool isWorld) => (_thread, _lane, _isWorld) = (thread, lane, isWorld);

    /// <inheritdoc/>
    public int Rank => _thread.Rank;

    /// <inheritdoc/>
    public int Size => _thread.Size;

    /// <summary>What the MPI library says of itself.</summary>
    public string Version => _thread.Version;

    /// <summary>Joins the processes that this one was started with.</summary>
    /// <returns>Null for a process that was started alone: nothing is loaded then.</returns>
    /// <exception cref="CommunicationException">There are others, and MPI does not begin.</exception>
    public static MpiCommunicator? Join() =>
        MpiLaunch.Read(Environment.GetEnvironmentVariable) is { } launch
            ? Join(launch, Environment.GetEnvironmentVariable(MpiLibrary.PathVariable))
            : null;

    /// <summary>Joins the processes that this one was started with.</summary>
    /// <param name="launch">What the environment says of them.</param>
    /// <param name="library">The MPI library, by name or path; null for the usual names.</param>
    /// <exception cref="CommunicationException">MPI does not begin, or finds other processes.</exception>
    public static MpiCommunicator Join(MpiLaunch launch, string? library = null)
    {
        MpiThread thread = new(() => MpiLibrary.Load(launch.IsOpenMpi, library is { Length: > 0 } ? library : null));
        if (launch.Size is { } size && size != thread.Size)
        {
            string version = thread.Version;
            thread.End();
            throw new CommunicationException(
                $"{size} processes were started together, and {version} knows of {thread.Size}: it is not the MPI that started them. Name that one's library by {MpiLibrary.PathVariable}."
            );
        }
        return new(thread, thread.World, isWorld: true);
    }

    /// <inheritdoc/>
    public ICollective BeginSum(Memory<float> values) => _thread.Begin(_lane, lane => lane.Sum(values));

    /// <inheritdoc/>
    public ICollective BeginSum(Memory<double> values) => _thread.Begin(_lane, lane => lane.Sum(values));

    /// <inheritdoc/>
    public ICollective BeginBroadcast(Memory<byte> values, int root) => _thread.Begin(_lane, lane => lane.Broadcast(values, root));

    /// <inheritdoc/>
    public void Barrier(CancellationToken cancel = default) => _thread.Begin(_lane, static lane => lane.Barrier()).Wait(cancel);

    /// <inheritdoc/>
    public ICommunicator Duplicate()
    {
        MpiLane? made = null;
        _thread.Begin(_lane, lane => lane.Duplicate(handle => made = _thread.Add(handle))).Wait();
        return new MpiCommunicator(_thread, made!, isWorld: false);
    }

    /// <inheritdoc/>
    public void Abort(int exitCode) => _thread.Abort(exitCode);

    /// <summary>
    /// Ends MPI, when all ranks have come here; where something failed, <see cref="Abort"/> comes first. Of a duplicate it does nothing.
    /// </summary>
    public void Dispose()
    {
        if (_isWorld)
            _thread.End();
    }
}
