namespace Tensorial.Kernels;

/// <summary>An operand of a matrix product as vectors along the summed axis: rows of A, columns of B.</summary>
internal unsafe interface IOperand<T>
    where T : unmanaged
{
    /// <summary>
    /// Where vectors from <paramref name="first"/> on lie side by side at depth <paramref name="depth"/>, one depth every
    /// <paramref name="step"/> numbers; null where they do not and have to be packed.
    /// </summary>
    T* SideBySide(int first, int depth, out nint step);

    /// <summary>
    /// Packs <paramref name="count"/> vectors, in groups: [group][depth][vector of the group]. A last group that is not full is filled with
    /// zeros.
    /// </summary>
    void Pack(int first, int count, int depth, int depths, int group, T* packed);
}

/// <summary>A matrix with free strides: vector v at depth p is at v · vectorStride + p · depthStride.</summary>
internal readonly unsafe struct Strided<T>(T* start, nint vectorStride, nint depthStride) : IOperand<T>
    where T : unmanaged
{
    public T* SideBySide(int first, int depth, out nint step)
    {
        step = depthStride;
        return vectorStride == 1 ? start + first + depth * depthStride : null;
    }

    public void Pack(int first, int count, int depth, int depths, int group, T* packed)
    {
        T* source = start + first * vectorStride + depth * depthStride;
        Bounds.Check(source, (count - 1) * vectorStride + (depths - 1) * depthStride + 1);
        Bounds.Check(packed, (long)(count + group - 1) / group * group * depths);
        if (vectorStride == 1)
        {
            PackRows(source, count, depths, group, packed);
            return;
        }
        for (; count > 0; count -= group, source += group * vectorStride, packed += (nint)group * depths)
            PackGroup(source, Math.Min(group, count), depths, group, packed);
    }

    /// <summary>Vectors lie side by side: whole rows of the source are read in order, which memory likes best.</summary>
    private void PackRows(T* source, int count, int depths, int group, T* packed)
    {
        for (int p = 0; p < depths; p++, source += depthStride, packed += group)
        {
            T* from = source,
                to = packed;
            int rest = count;
            for (; rest >= group; rest -= group, from += group, to += (nint)group * depths)
                Bounds.Span(from, group).CopyTo(Bounds.Span(to, group));
            if (rest == 0)
                continue;
            Bounds.Span(from, rest).CopyTo(Bounds.Span(to, rest));
            Bounds.Span(to + rest, group - rest).Clear();
        }
    }

    private void PackGroup(T* source, int count, int depths, int group, T* packed)
    {
        if (count < group)
            Bounds.Span(packed, group * depths).Clear();
        int vector = 0;
        for (; vector + 4 <= count; vector += 4)
        {
            T* x0 = source + vector * vectorStride,
                x1 = x0 + vectorStride,
                x2 = x1 + vectorStride,
                x3 = x2 + vectorStride,
                to = packed + vector;
            nint p = 0;
            for (int rest = depths; rest > 0; rest--, p += depthStride, to += group)
                (to[0], to[1], to[2], to[3]) = (x0[p], x1[p], x2[p], x3[p]);
        }
        for (; vector < count; vector++)
        {
            T* x = source + vector * vectorStride,
                to = packed + vector;
            for (int rest = depths; rest > 0; rest--, x += depthStride, to += group)
                *to = *x;
        }
    }
}
