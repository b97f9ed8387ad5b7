using System.Numerics;

namespace Tensorial.Equations;

/// <summary>
/// A convolved axis of an operand, repacked so that the two entries that decide its entry address it by adding: with zeros (or the
/// other end of a circular axis) where they reach beyond it, and, where the longer of the two strides over it, its phases one after
/// another, so that its neighbours lie side by side.
/// </summary>
internal sealed class UnfoldedAxis
{
    private readonly int[] _first,
        _second;
    private readonly int _firstPlace;

    /// <param name="incidence">Which entries meet.</param>
    /// <param name="own">The operand's place.</param>
    public UnfoldedAxis(IndexRelation incidence, int own)
    {
        (int p, int q) = ((own + 1) % 3, (own + 2) % 3);
        if (incidence.Extent(q) > incidence.Extent(p))
            (p, q) = (q, p);
        int count1 = incidence.Extent(p),
            count2 = incidence.Extent(q);
        long c1 = count1 > 1 ? -incidence.Scale(p) : 0,
            c2 = count2 > 1 ? -incidence.Scale(q) : 0;
        long step = Math.Max(1, (long)BigInteger.GreatestCommonDivisor(c1, c2)),
            a1 = c1 / step,
            a2 = c2 / step;
        long low1 = Math.Min(0, a1 * (count1 - 1)),
            low2 = Math.Min(0, a2 * (count2 - 1));
        int positions = checked((int)(Math.Abs(a1) * (count1 - 1) + Math.Abs(a2) * (count2 - 1)) + 1);
        int phases = (int)Math.Max(1, Math.Abs(a1)),
            length = (positions + phases - 1) / phases;
        long Place(long position) => position % phases * length + position / phases;

        _firstPlace = p;
        int back = a1 < 0 ? count1 - 1 : 0;
        _first =
        [
            .. Enumerable
                .Range(0, count1)
                .Select(j =>
                    a1 < 0 ? back - j
                    : a1 == 0 ? 0
                    : j
                ),
        ];
        _second = [.. Enumerable.Range(0, count2).Select(k => (int)Place(a2 * k - low1 - low2) - back)];

        Extent = phases * length;
        Source = new int[Extent];
        Array.Fill(Source, -1);
        for (int position = 0; position < positions; position++)
            Source[Place(position)] = incidence.Solve(own, incidence.Total + step * (position + low1 + low2));
    }

    /// <summary>Its extent as laid out.</summary>
    public int Extent { get; }

    /// <summary>The entry of the operand at each place, -1 for a zero.</summary>
    public int[] Source { get; }

    /// <summary>The operand's own order already is as wanted.</summary>
    public bool IsOwn(int extent) => extent == Extent && Source.Select(static (entry, place) => entry == place).All(static same => same);

    /// <summary>What an entry of one of the two others contributes to the address.</summary>
    public int Offset(int place, int entry) => (place == _firstPlace ? _first : _second)[entry];

    /// <summary>The copies that lay it out.</summary>
    public StridedRun[] Copies()
    {
        List<StridedRun> runs = [];
        for (int place = 0; place < Extent; )
        {
            int first = Source[place],
                step = place + 1 < Extent && Source[place + 1] >= 0 ? Source[place + 1] - first : 1,
                count = 1;
            while (first >= 0 && place + count < Extent && Source[place + count] >= 0 && Source[place + count] == first + count * step)
                count++;
            if (first >= 0)
                runs.Add(new(first, step, place, 1, count));
            place += count;
        }
        return [.. runs];
    }
}
