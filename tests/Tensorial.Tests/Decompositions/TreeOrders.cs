using System.Collections.Immutable;
using Tensorial.Decompositions.Trees;

namespace Tensorial.Tests.Decompositions;

/// <summary>
/// Orders in which the factors of a tree can meet what a layer reads: those on the way from i to o one after another, each branch beside it
/// before its neighbour there, behind it, or multiplied with it.
/// </summary>
internal static class TreeOrders
{
    /// <param name="factors">Factors of the equation over oihw, the one with o last.</param>
    public static IEnumerable<ImmutableArray<ImmutableArray<int>>> Of(ImmutableArray<string> factors)
    {
        List<int> way = [];
        for (int place = Enumerable.Range(0, factors.Length).First(k => factors[k].Contains('i')); place >= 0; )
        {
            way.Add(place);
            place = place == factors.Length - 1 ? -1 : TreeFormats.Above(factors, place);
        }
        List<(int Neighbour, ImmutableArray<int> Factors)> branches = [];
        foreach (int start in Enumerable.Range(0, factors.Length).Except(way))
            if (way.Contains(TreeFormats.Above(factors, start)))
                branches.Add((TreeFormats.Above(factors, start), [.. Branch(factors, start).Order()]));
        IEnumerable<ImmutableArray<ImmutableArray<int>>> orders =
        [
            [.. way.Select(ImmutableArray<int> (place) => [place])],
        ];
        foreach ((int neighbour, ImmutableArray<int> own) in branches)
            orders = [.. orders.SelectMany(order => With(order, neighbour, own))];
        return orders;
    }

    private static IEnumerable<ImmutableArray<ImmutableArray<int>>> With(
        ImmutableArray<ImmutableArray<int>> order,
        int neighbour,
        ImmutableArray<int> branch
    )
    {
        int at = Enumerable.Range(0, order.Length).First(stage => order[stage].Contains(neighbour));
        yield return order.Insert(at, branch);
        yield return order.Insert(at + 1, branch);
        yield return order.SetItem(at, [.. order[at].Concat(branch).Order()]);
    }

    /// <summary>A factor and all below it.</summary>
    private static IEnumerable<int> Branch(ImmutableArray<string> factors, int top) =>
        Enumerable
            .Range(0, top)
            .Where(place => TreeFormats.Above(factors, place) == top)
            .SelectMany(place => Branch(factors, place))
            .Prepend(top);
}
