using System.Runtime.CompilerServices;

namespace Tensorial.Kernels;

/// <summary>
/// Checks every access of kernels against the buffers that they were given: a mode for tests, switched on for a process by the environment
/// variable <c>TENSORIAL_CHECK_BOUNDS=1</c>. Off, the compiler leaves nothing of it. See docs/decisions.
/// </summary>
internal static unsafe class Bounds
{
    /// <summary>Whether accesses are checked.</summary>
    public static readonly bool AreChecked = Environment.GetEnvironmentVariable("TENSORIAL_CHECK_BOUNDS") == "1";

    /// <summary>How far above the caller's variables the thread's stack may reach: scratch memory of fixed size lies there.</summary>
    private const ulong StackBytes = 8 << 20;

    private static readonly Lock Gate = new();

    private static readonly List<Array> Kept = [];

    /// <summary>Buffers by their start. Replaced as a whole, so that reading takes no lock.</summary>
    private static Block[] s_known = [];

    /// <summary>Changes with <see cref="s_known"/>, so that no thread goes by what it found before.</summary>
    private static int s_version;

    /// <summary>Buffers found last by this thread; kernels go to and fro between few.</summary>
    [ThreadStatic]
    private static Block t_first,
        t_second;

    [ThreadStatic]
    private static int t_version;

    private readonly record struct Block(nuint Start, nuint End)
    {
        public bool Holds(nuint start, nuint end) => start >= Start && end <= End;
    }

    /// <summary>Buffers that may be accessed until it is disposed.</summary>
    public readonly struct Scope : IDisposable
    {
        private readonly Block[]? _blocks;

        private Scope(Block[] blocks) => _blocks = blocks;

        internal static Scope From(ReadOnlySpan<(nuint Start, long Bytes)> buffers)
        {
            List<Block> blocks = [];
            foreach ((nuint start, long bytes) in buffers)
                if (start != 0 && bytes > 0)
                    blocks.Add(new(start, start + (nuint)bytes));
            lock (Gate)
                (s_known, s_version) = ([.. s_known, .. blocks], s_version + 1);
            return new([.. blocks]);
        }

        public void Dispose()
        {
            if (_blocks is null)
                return;
            lock (Gate)
            {
                List<Block> known = [.. s_known];
                foreach (Block block in _blocks)
                    known.RemoveAt(known.LastIndexOf(block));
                (s_known, s_version) = ([.. known], s_version + 1);
            }
        }
    }

    /// <summary>Allows pinned buffers to be accessed; lengths count numbers, and a null has none.</summary>
    public static Scope Know<T>(
        T* a,
        long aLength,
        T* b = null,
        long bLength = 0,
        T* c = null,
        long cLength = 0,
        T* d = null,
        long dLength = 0,
        T* e = null,
        long eLength = 0,
        T* f = null,
        long fLength = 0
    )
        where T : unmanaged
    {
        if (!AreChecked)
            return default;
        long size = sizeof(T);
        return Scope.From([
            ((nuint)a, aLength * size),
            ((nuint)b, bLength * size),
            ((nuint)c, cLength * size),
            ((nuint)d, dLength * size),
            ((nuint)e, eLength * size),
            ((nuint)f, fLength * size),
        ]);
    }

    /// <summary>
    /// Allows a buffer that a thread keeps for its next calls to be accessed. It is kept for good while accesses are checked: the memory of
    /// one that is collected may become another array's, of which more would then be allowed than it has.
    /// </summary>
    public static void Keep<T>(T[] buffer, T* start, long count)
        where T : unmanaged
    {
        if (!AreChecked)
            return;
        lock (Gate)
            Kept.Add(buffer);
        _ = Know(start, count);
    }

    /// <summary>Numbers from a pointer on, as a span whose place was checked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Span<T> Span<T>(T* start, int count)
        where T : unmanaged
    {
        Check(start, count);
        return new(start, count);
    }

    /// <summary>Checks some numbers from a pointer on, where checks are on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check<T>(T* start, long count)
        where T : unmanaged
    {
        if (AreChecked && count > 0)
            Check((nuint)start, (nuint)start + (nuint)(count * sizeof(T)));
    }

    /// <summary>Checks one value.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void CheckBytes(void* start, int bytes) => Check((nuint)start, (nuint)start + (nuint)bytes);

    private static void Check(nuint start, nuint end)
    {
        if (t_version != Volatile.Read(ref s_version))
            (t_first, t_second, t_version) = (default, default, s_version);
        if (t_first.Holds(start, end))
            return;
        if (!t_second.Holds(start, end))
            t_second = Find(start, end);
        (t_first, t_second) = (t_second, t_first);
    }

    private static Block Find(nuint start, nuint end)
    {
        foreach (Block block in s_known)
            if (block.Holds(start, end))
                return block;
        byte here = 0;
        nuint stack = (nuint)(&here);
        if (start >= stack && end <= stack + (nuint)StackBytes)
            return new(start, end);
        throw new InvalidOperationException(
            $"A kernel accesses {end - start} bytes at {start:x}, which lie in none of the {s_known.Length} buffers that it was given."
        );
    }
}
