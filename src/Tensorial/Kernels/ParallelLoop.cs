namespace Tensorial.Kernels;

/// <summary>The body of a loop: a struct, so that a loop on one thread allocates nothing and the body is inlined.</summary>
internal interface ILoopBody
{
    void Run(int index);
}

internal static class ParallelLoop
{
    /// <summary>Runs the body for every index below <paramref name="count"/>, in any order.</summary>
    public static void Run<TBody>(this Workers workers, int count, TBody body)
        where TBody : struct, ILoopBody
    {
        if (workers.Count > 1 && count > 1)
            Fork(workers, count, body);
        else
            for (int index = 0; index < count; index++)
                body.Run(index);
    }

    private static void Fork<TBody>(Workers workers, int count, TBody body)
        where TBody : struct, ILoopBody
    {
        ILoopBody boxed = body;
        workers.For(count, boxed.Run);
    }
}
