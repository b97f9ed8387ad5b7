using System.Numerics;

namespace Tensorial.Operations;

internal static class Extremes
{
    /// <summary>The gradient of a largest or smallest value: one, shared evenly by the values that equal it.</summary>
    public static void Share<T>(ReadOnlySpan<T> x, T extreme, Span<T> share)
        where T : IFloatingPoint<T>
    {
        int winners = x.Count(extreme);
        for (int i = 0; i < x.Length; i++)
            share[i] = x[i] == extreme ? T.One / T.CreateChecked(winners) : T.Zero;
    }
}
