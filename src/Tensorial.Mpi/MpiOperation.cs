using Tensorial.Training.Distributed;

namespace Tensorial.Mpi;

/// <summary>A collective operation: what MPI's thread is to do, and who waits for it.</summary>
/// <param name="thread">MPI's thread.</param>
/// <param name="exchanges">What is done, a lane given: an element for each exchange that has been begun.</param>
internal sealed class MpiOperation(MpiThread thread, Func<MpiLane, IEnumerable<bool>> exchanges) : ICollective
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IEnumerable<bool> Exchanges(MpiLane lane) => exchanges(lane);

    /// <summary>Ends the operation.</summary>
    /// <param name="error">What failed; null where nothing did.</param>
    public void Complete(Exception? error)
    {
        if (error is null)
            _done.TrySetResult();
        else
            _done.TrySetException(error);
    }

    public void Wait(CancellationToken cancel = default)
    {
        try
        {
            if (!_done.Task.IsCompleted)
                using (thread.Hurry())
                    Task.WaitAny([_done.Task], cancel);
        }
        catch (OperationCanceledException)
        {
            thread.Abandon();
            throw;
        }
        if (_done.Task.Exception?.InnerException is { } error)
            throw new CommunicationException($"The ranks lost each other: {error.Message}", error);
    }
}
