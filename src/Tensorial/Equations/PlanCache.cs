using System.Collections.Concurrent;

namespace Tensorial.Equations;

/// <summary>
/// Plans made so far. When there are very many of them, all are forgotten: whoever goes through so many shapes will not come back to them.
/// </summary>
internal static class PlanCache
{
    private const int Most = 4096;

    private static readonly ConcurrentDictionary<Key, Plan> Plans = new();

    public static Plan Get(Equation equation, PlanOptions options, ReadOnlySpan<Shape> shapes)
    {
        Key key = new(equation, options, shapes.ToArray());
        if (Plans.TryGetValue(key, out Plan? known))
            return known;
        if (Plans.Count >= Most)
            Plans.Clear();
        return Plans.GetOrAdd(key, new Plan(Problem.From(equation, shapes), options));
    }

    private readonly record struct Key(Equation Equation, PlanOptions Options, Shape[] Shapes)
    {
        public bool Equals(Key other) =>
            Equation.Equals(other.Equation) && Options.Equals(other.Options) && Shapes.AsSpan().SequenceEqual(other.Shapes);

        public override int GetHashCode()
        {
            HashCode hash = default;
            hash.Add(Equation);
            foreach (Shape shape in Shapes)
                hash.Add(shape);
            return hash.ToHashCode();
        }
    }
}
