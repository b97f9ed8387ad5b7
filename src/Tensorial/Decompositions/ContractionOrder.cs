using Tensorial.Einsum;

namespace Tensorial.Decompositions;

/// <summary>The order of operands in which contracting from left to right takes the fewest multiplications.</summary>
internal static class ContractionOrder
{
    /// <summary>Operands beyond which not all orders are tried.</summary>
    private const int Most = 5;

    /// <summary>Places of the operands in the cheapest order; as they are where there are too many to try.</summary>
    public static int[] Of(Equation equation, params ReadOnlySpan<Shape> shapes)
    {
        int count = shapes.Length;
        Shape[] all = shapes.ToArray();
        IEnumerable<int[]> orders = [[]];
        for (int k = 0; k < count && count <= Most; k++)
            orders = orders.SelectMany(taken => Enumerable.Range(0, count).Except(taken).Select(int[] (next) => [.. taken, next]));
        return count > Most ? [.. Enumerable.Range(0, count)]
            : orders.MinBy(order => Contraction.Macs(Arranged(equation, order), [.. order.Select(k => all[k])]))!;
    }

    /// <summary>The equation with its operands in another order.</summary>
    public static Equation Arranged(Equation equation, int[] order) => equation with { Inputs = [.. order.Select(k => equation.Inputs[k])] };
}
