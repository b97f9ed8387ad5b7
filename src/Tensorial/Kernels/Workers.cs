namespace Tensorial.Kernels;

/// <summary>Splits a loop over threads. Kernels take one; they never start threads themselves.</summary>
public abstract class Workers
{
    /// <summary>Runs everything on the calling thread.</summary>
    public static Workers Serial { get; } = new SerialWorkers();

    /// <summary>Threads that take part, the caller included.</summary>
    public abstract int Count { get; }

    /// <summary>
    /// Calls <paramref name="body"/> once for every index below <paramref name="count"/>, in any order, and returns when all are done.
    /// </summary>
    public abstract void For(int count, Action<int> body);

    private sealed class SerialWorkers : Workers
    {
        public override int Count => 1;

        public override void For(int count, Action<int> body)
        {
            for (int index = 0; index < count; index++)
                body(index);
        }
    }
}
