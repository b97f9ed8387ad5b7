namespace Tensorial.Reports.Charts;

/// <summary>Leaves out the points of a line that nobody would miss.</summary>
internal static class Thinning
{
    /// <summary>
    /// The fewest points, found greedily, whose line passes within <paramref name="tolerance"/> of every point (Douglas and Peucker, 1973);
    /// the first and the last stay. A spectrum of 1,536 values needs about twenty.
    /// </summary>
    public static List<(double X, double Y)> Simplify(IReadOnlyList<(double X, double Y)> line, double tolerance)
    {
        if (line.Count <= 2)
            return [.. line];
        bool[] keep = new bool[line.Count];
        keep[0] = keep[^1] = true;
        // A stack of our own: a line of n points may nest n deep.
        Stack<(int First, int Last)> spans = new([(0, line.Count - 1)]);
        while (spans.TryPop(out (int First, int Last) span))
        {
            (int farthest, double distance) = (-1, tolerance);
            for (int k = span.First + 1; k < span.Last; k++)
            {
                if (Distance(line[k], line[span.First], line[span.Last]) is double d && d > distance)
                    (farthest, distance) = (k, d);
            }
            if (farthest < 0)
                continue;
            keep[farthest] = true;
            spans.Push((span.First, farthest));
            spans.Push((farthest, span.Last));
        }
        return [.. line.Where((_, k) => keep[k])];
    }

    /// <summary>From a point to a segment.</summary>
    private static double Distance((double X, double Y) p, (double X, double Y) a, (double X, double Y) b)
    {
        double dx = b.X - a.X,
            dy = b.Y - a.Y,
            square = (dx * dx) + (dy * dy);
        double t = square == 0 ? 0 : Math.Clamp((((p.X - a.X) * dx) + ((p.Y - a.Y) * dy)) / square, 0, 1);
        return Math.Sqrt(Math.Pow(p.X - a.X - (t * dx), 2) + Math.Pow(p.Y - a.Y - (t * dy), 2));
    }
}
