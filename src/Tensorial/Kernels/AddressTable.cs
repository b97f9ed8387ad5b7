namespace Tensorial.Kernels;

/// <summary>
/// Where the rows or the columns of a matrix lie that is a tensor: entry (i, j) is at rows[i] + columns[j] (Matthews, SIAM J. Sci. Comput.
/// 40, C1, 2018). Evenly spaced ones need no table.
/// </summary>
internal sealed class AddressTable
{
    private readonly int[]? _offsets,
        _runs;

    private AddressTable(int count, int stride, int[]? offsets, int[]? runs, int last) =>
        (Count, Stride, _offsets, _runs, Last) = (count, stride, offsets, runs, last);

    public int Count { get; }

    /// <summary>Distance between neighbours; -1 where it varies.</summary>
    public int Stride { get; }

    /// <summary>The largest offset.</summary>
    public int Last { get; }

    public bool IsEven => Stride >= 0;

    /// <summary>How many entries lie side by side, on average.</summary>
    public double MeanRun { get; private init; } = 1;

    /// <summary>The table; only where spacing varies.</summary>
    public ReadOnlySpan<int> Offsets => _offsets;

    /// <summary>How many entries from each one on lie side by side; only where spacing varies.</summary>
    public ReadOnlySpan<int> Runs => _runs;

    public int this[int index] => _offsets is null ? index * Stride : _offsets[index];

    /// <summary>Entries from <paramref name="index"/> on that lie side by side.</summary>
    public int RunAt(int index) =>
        _runs is not null ? _runs[index]
        : Stride == 1 ? Count - index
        : 1;

    public static AddressTable Even(int count, int stride) =>
        new(count, count <= 1 ? 1 : stride, null, null, Math.Max(0, count - 1) * stride) { MeanRun = count > 1 && stride != 1 ? 1 : count };

    public static AddressTable From(int[] offsets)
    {
        int stride = offsets.Length > 1 ? offsets[1] - offsets[0] : 1;
        bool isEven = offsets.Length > 0 && offsets[0] == 0 && stride >= 0;
        for (int k = 1; isEven && k < offsets.Length; k++)
            isEven = offsets[k] == k * stride;
        if (isEven)
            return Even(offsets.Length, stride);
        int[] runs = new int[offsets.Length];
        for (int k = offsets.Length - 1; k >= 0; k--)
            runs[k] = k + 1 < offsets.Length && offsets[k + 1] == offsets[k] + 1 ? runs[k + 1] + 1 : 1;
        int segments = 0;
        for (int k = 0; k < offsets.Length; k += runs[k])
            segments++;
        return new(offsets.Length, -1, offsets, runs, offsets.Max()) { MeanRun = (double)offsets.Length / segments };
    }

    /// <summary>The table itself, also of evenly spaced entries.</summary>
    public AddressTable WithOffsets() =>
        _offsets is not null ? this : Listed([.. Enumerable.Range(0, Count).Select(index => index * Stride)]);

    private AddressTable Listed(int[] offsets)
    {
        int[] runs = [.. Enumerable.Range(0, Count).Select(RunAt)];
        return new(Count, -1, offsets, runs, Last) { MeanRun = MeanRun };
    }
}
