namespace Tensorial.Equations;

/// <summary>
/// Entries of two axes that belong together while the third stands still: derived + t·DerivedStep with other + t·OtherStep, for t below
/// Count.
/// </summary>
internal readonly record struct StridedRun(int Derived, int DerivedStep, int Other, int OtherStep, int Count);

/// <summary>
/// Which entries of a convolved axis meet in a step: those of the left operand, the right one and the result whose sums fit,
/// Scales[0]·a + Scales[1]·b + Scales[2]·c = Total, or up to multiples of Modulus. Any two decide the third.
/// </summary>
internal sealed class IndexRelation
{
    private readonly long[] _scales;
    private readonly int[] _extents;
    private readonly long _total;
    private readonly int _modulus;

    public IndexRelation(AxisIndex left, AxisIndex right, AxisIndex result, int modulus)
    {
        _scales = [left.Scale, right.Scale, -result.Scale];
        _extents = [left.Extent, right.Extent, result.Extent];
        _total = result.Start - left.Start - right.Start;
        _modulus = modulus;
    }

    public int Extent(int place) => _extents[place];

    public long Scale(int place) => _scales[place];

    public long Total => _total;

    /// <summary>The entry of an axis whose share of the sum is given, up to the modulus; -1 where there is none.</summary>
    public int Solve(int place, long share)
    {
        long scale = _scales[place],
            extent = _extents[place];
        if (_modulus == 0)
            return share % scale == 0 && share / scale >= 0 && share / scale < extent ? (int)(share / scale) : -1;
        if (Math.Abs(scale) == 1)
            return ((share * scale % _modulus) + _modulus) % _modulus is long only && only < extent ? (int)only : -1;
        for (int k = 0; k < extent; k++)
            if ((scale * k - share) % _modulus == 0)
                return k;
        return -1;
    }

    /// <summary>For every entry of the axis that stands still, what the two others pair up.</summary>
    public StridedRun[][] Runs(int derived, int still)
    {
        int other = 3 - derived - still;
        StridedRun[][] runs = new StridedRun[_extents[still]][];
        for (int j = 0; j < runs.Length; j++)
            runs[j] = [.. Runs(derived, other, _total - _scales[still] * j)];
        return runs;
    }

    private IEnumerable<StridedRun> Runs(int derived, int other, long rest)
    {
        if (_modulus == 0)
        {
            if (Solutions(derived, other, rest) is { } only)
                yield return only;
            yield break;
        }
        (long Least, long Most) d = Range(derived),
            o = Range(other);
        for (long turn = CeilingDivide(d.Least + o.Least - rest, _modulus); rest + turn * _modulus <= d.Most + o.Most; turn++)
            if (Solutions(derived, other, rest + turn * _modulus) is { } part)
                yield return part;
    }

    private (long Least, long Most) Range(int place)
    {
        long last = _scales[place] * (_extents[place] - 1);
        return (Math.Min(0, last), Math.Max(0, last));
    }

    /// <summary>All solutions of p·x + q·y = rest within the extents of both axes; they lie on a line.</summary>
    private StridedRun? Solutions(int derived, int other, long rest)
    {
        (long g, long u, long v) = Bezout(_scales[derived], _scales[other]);
        if (rest % g != 0)
            return null;
        long dx = _scales[other] / g,
            dy = -_scales[derived] / g;
        if (dy < 0)
            (dx, dy) = (-dx, -dy);
        // The solution with the least y that is not negative, in 128 bits as u and rest may both be large.
        Int128 y0 = (Int128)v * (rest / g);
        Int128 shift = y0 >= 0 ? -(y0 / dy) : (-y0 + dy - 1) / dy;
        long x = (long)((Int128)u * (rest / g) + shift * dx),
            y = (long)(y0 + shift * dy);

        long last = _extents[derived] - 1;
        long first = dx > 0 ? CeilingDivide(-x, dx) : CeilingDivide(x - last, -dx);
        long past = Math.Min(FloorDivide(dx > 0 ? last - x : x, Math.Abs(dx)), FloorDivide(_extents[other] - 1 - y, dy)) + 1;
        first = Math.Max(0, first);
        return past <= first ? null : new((int)(x + first * dx), (int)dx, (int)(y + first * dy), (int)dy, (int)(past - first));
    }

    /// <summary>g = gcd(a, b) &gt; 0 and numbers with u·a + v·b = g; a and b are not 0.</summary>
    private static (long G, long U, long V) Bezout(long a, long b)
    {
        (long r0, long r1, long u0, long u1, long v0, long v1) = (a, b, 1, 0, 0, 1);
        while (r1 != 0)
        {
            long q = r0 / r1;
            (r0, r1, u0, u1, v0, v1) = (r1, r0 - q * r1, u1, u0 - q * u1, v1, v0 - q * v1);
        }
        return r0 > 0 ? (r0, u0, v0) : (-r0, -u0, -v0);
    }

    private static long FloorDivide(long value, long by) => value >= 0 ? value / by : -((-value + by - 1) / by);

    private static long CeilingDivide(long value, long by) => -FloorDivide(-value, by);
}
