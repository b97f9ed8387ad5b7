namespace Tensorial.Analysis;

/// <summary>
/// A bipartition of a kernel's axes into rows and columns of a matrix, written <c>o|ihw</c>. Axes are single letters and each
/// side lists them in the order o, i, d, h, w; the smaller side stands left, and of two equal ones that with the first axis. So
/// two cuts that mean the same are equal.
/// </summary>
public readonly record struct Cut
{
    private const string AxisOrder = "oidhw";

    private Cut(string left, string right) => (Left, Right) = (left, right);

    /// <summary>Axes that make the rows.</summary>
    public string Left { get; }

    /// <summary>Axes that make the columns.</summary>
    public string Right { get; }

    /// <summary>Reads a cut with its sides and axes in any order.</summary>
    /// <exception cref="BadInputException">There is not one bar, a side is empty, or an axis appears twice.</exception>
    public static Cut Parse(string text)
    {
        string[] sides = text.Split('|', StringSplitOptions.TrimEntries);
        if (sides.Length != 2 || sides[0].Length == 0 || sides[1].Length == 0)
            throw new BadInputException(
                $"\"{text}\" is an invalid cut: two sets of axes with one bar between them are needed, such as o|ihw."
            );
        if (!(sides[0] + sides[1]).All(char.IsAsciiLetterLower))
            throw new BadInputException($"\"{text}\" is an invalid cut: axes are small letters, o and i for channels, d, h, w for space.");
        foreach (char axis in sides[0])
        {
            if (sides[1].Contains(axis))
                throw new BadInputException($"The cut \"{text}\" has the axis {axis} on both sides.");
        }
        if (sides.FirstOrDefault(static s => s.Distinct().Count() < s.Length) is { } side)
            throw new BadInputException($"The cut \"{text}\" names an axis twice in \"{side}\".");
        return From(sides[0], sides[1]);
    }

    /// <summary>All 2^(n-1) - 1 cuts of a kernel with these n axes, those with the fewest rows' axes first.</summary>
    public static IReadOnlyList<Cut> All(string axes)
    {
        string sorted = Sorted(axes);
        return
        [
            .. from subset in Enumerable.Range(1, (1 << sorted.Length) - 2)
            let left = Pick(sorted, subset)
            let cut = From(left, Except(sorted, left))
            where cut.Left == left
            orderby left.Length, Position(sorted, left)
            select cut,
        ];
    }

    /// <summary>
    /// The cut of a kernel that has only these axes: the others count as axes of extent 1. Null where a side is left empty.
    /// </summary>
    public Cut? Among(string axes)
    {
        string left = string.Concat(Left.Where(axes.Contains)),
            right = string.Concat(Right.Where(axes.Contains));
        return left.Length > 0 && right.Length > 0 ? From(left, right) : null;
    }

    /// <summary>Whether this cut divides exactly these axes.</summary>
    public bool Divides(string axes) => Sorted(axes) == Sorted(Left + Right);

    /// <summary>
    /// Whether both sides of either cut meet both sides of the other. Cuts that do not cross are nested or disjoint: a truncation
    /// along one never raises the rank along the other, and together they make a tree tensor.
    /// </summary>
    public bool Crosses(Cut other) =>
        Meet(Left, other.Left) && Meet(Left, other.Right) && Meet(Right, other.Left) && Meet(Right, other.Right);

    /// <inheritdoc/>
    public override string ToString() => $"{Left}|{Right}";

    private static bool Meet(string one, string other) => one.Any(other.Contains);

    /// <summary>The cut between these two sets of axes.</summary>
    internal static Cut From(string one, string other)
    {
        (one, other) = (Sorted(one), Sorted(other));
        bool swap = one.Length > other.Length || (one.Length == other.Length && Place(one[0]) > Place(other[0]));
        return swap ? new(other, one) : new(one, other);
    }

    private static string Sorted(string axes) => string.Concat(axes.OrderBy(Place));

    private static string Pick(string axes, int subset) => string.Concat(axes.Where((_, index) => (subset >> index & 1) != 0));

    private static string Except(string axes, string taken) => string.Concat(axes.Where(axis => !taken.Contains(axis)));

    /// <summary>Compares sets of equal size by their axes' places: oi before oh before ow before ih.</summary>
    private static int Position(string axes, string set) => set.Aggregate(0, (sum, axis) => sum * axes.Length + axes.IndexOf(axis));

    /// <summary>Known axes in their order, then all others by letter.</summary>
    private static int Place(char axis) => AxisOrder.IndexOf(axis) is >= 0 and int place ? place : axis;
}
