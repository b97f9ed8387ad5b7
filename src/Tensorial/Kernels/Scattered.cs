namespace Tensorial.Kernels;

/// <summary>A matrix given by tables: vector v at depth p is at vectors[v] + depths[p].</summary>
internal readonly unsafe struct Scattered<T>(T* start, int* vectors, int* runs, int* depths) : IOperand<T>
    where T : unmanaged
{
    /// <summary>Vectors side by side from which copying them together is faster than one by one.</summary>
    private const int WorthCopying = 4;

    public T* SideBySide(int first, int depth, out nint step)
    {
        step = 0;
        return null;
    }

    public void Pack(int first, int count, int depth, int levels, int group, T* packed)
    {
        for (; count > 0; count -= group, first += group, packed += (nint)group * levels)
        {
            int own = Math.Min(group, count);
            if (own < group)
                Bounds.Span(packed, group * levels).Clear();
            for (int vector = 0; vector < own; )
            {
                int run = Math.Min(runs[first + vector], own - vector);
                T* source = start + vectors[first + vector];
                if (run < WorthCopying)
                    run = 1;
                if (run > 1)
                    PackRun(source, run, depths + depth, levels, group, packed + vector);
                else
                    PackOne(source, depths + depth, levels, group, packed + vector);
                vector += run;
            }
        }
    }

    private static void PackRun(T* source, int run, int* depths, int count, int group, T* to)
    {
        for (int p = 0; p < count; p++, to += group)
            Bounds.Span(source + depths[p], run).CopyTo(Bounds.Span(to, run));
    }

    private static void PackOne(T* source, int* depths, int count, int group, T* to)
    {
        for (int p = 0; p < count; p++, to += group)
            *to = source[depths[p]];
    }
}
