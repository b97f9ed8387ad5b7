using System.Runtime.ExceptionServices;

namespace Tensorial.Data;

/// <summary>Files that are read or written on all cores.</summary>
internal static class Tasks
{
    /// <summary>Runs work for 0, 1, … in any order. Of several failures one is thrown, as itself.</summary>
    public static void Run(int count, Action<int> work, CancellationToken cancel = default)
    {
        try
        {
            Parallel.For(0, count, new ParallelOptions { CancellationToken = cancel }, work);
        }
        catch (AggregateException several)
            when (several.InnerExceptions.FirstOrDefault(static e => e is BadInputException or IOException) is { } one)
        {
            ExceptionDispatchInfo.Throw(one);
        }
    }
}
