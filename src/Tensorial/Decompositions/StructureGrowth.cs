using System.Collections.Immutable;
using FactorEquation = Tensorial.Equations.Equation;

namespace Tensorial.Decompositions;

/// <summary>
/// Grows networks whose bonds join more than two factors, or close loops, from the cuts of a kernel: a step at a time, each the one after
/// which the same number of parameters leaves the least error (M. Hashemizadeh et al., arXiv 2008.05437, grow ranks one bond at a time; here the
/// network itself grows). What singular values cannot bound is fitted.
/// </summary>
internal static class StructureGrowth
{
    /// <summary>Networks that go on to the next step.</summary>
    private const int Beam = 3;

    /// <summary>Steps at most: after three there are four factors and two bonds more than at the start, or the like.</summary>
    private const int MostSteps = 3;

    /// <summary>A step that leaves more than this part of the error so far is the last.</summary>
    private const double Worthwhile = 0.99;

    /// <summary>The rank with which a bond begins.</summary>
    private const int FirstRank = 2;

    /// <summary>Iterations of the fits that tell which network is best.</summary>
    private static readonly FitOptions Quick = new(Iterations: 25, Tolerance: 1e-3);

    private const string Modes = "oihw",
        Letters = "rstuvxyz";

    private const char None = '\0';

    /// <summary>A network: its factors as axes, the rank of every bond.</summary>
    /// <param name="Factors">Axes of each factor.</param>
    /// <param name="Ranks">By bond. How they compare counts: all but one are made larger or smaller together.</param>
    /// <param name="Settled">The bond whose rank stays, as a step has just set it; none where there is no such.</param>
    private sealed record Network(ImmutableArray<string> Factors, ImmutableDictionary<char, int> Ranks, char Settled = None)
    {
        public string Equation => $"{string.Join(',', Factors)}->{Modes}";
    }

    /// <summary>The best network found that is no tree; null where none leaves an error below 1, or the kernel is too large for its descent.</summary>
    /// <param name="starts">The kernel, and the measure.</param>
    /// <param name="rate">The part of its parameters that a network may take.</param>
    /// <param name="cancel">Ends it between fits.</param>
    public static FoundStructure? Of(KernelStarts starts, double rate, CancellationToken cancel = default)
    {
        Shape kernel = starts.Kernel.Shape;
        if (StructureSearch.Whole(kernel).Iterations == 0)
            return null;
        Dictionary<string, (Network Network, FoundStructure Found)> known = [];
        Network[] from = [.. Cuts(kernel).SelectMany(static cut => Chains(cut).Prepend(cut))];
        double best = double.PositiveInfinity;
        for (int step = 0; step < MostSteps; step++)
        {
            List<(Network Network, FoundStructure Found)> grown = [];
            foreach (Network next in from.SelectMany(Steps))
            {
                cancel.ThrowIfCancellationRequested();
                KernelFormat format = KernelFormat.FromEquation(next.Equation);
                // Trees have been searched, all of them.
                if (!format.IsIterative || Within(starts, format, next, rate) is not var (form, ranks, sized))
                    continue;
                string key = $"{KernelFormat.Canonical(FactorEquation.Parse(next.Equation))} {string.Join('×', ranks.Order())}";
                if (known.ContainsKey(key))
                    continue;
                double error = KernelFactorization.Fit(starts, form, ranks, Quick, cancel).RelativeError;
                known.Add(key, (sized, new(form, ranks, null, error)));
                grown.Add(known[key]);
            }
            from = [.. grown.OrderBy(static one => one.Found.Error).Take(Beam).Select(static one => one.Network)];
            double least = grown.Select(static one => one.Found.Error).DefaultIfEmpty(1).Min();
            if (least > Worthwhile * best)
                break;
            best = least;
        }
        // Quick fits rank networks that are close only roughly.
        return known
            .Values.OrderBy(static one => one.Found.Error)
            .Take(Beam)
            .Select(one =>
                one.Found with
                {
                    Error = KernelFactorization
                        .Climbed(starts, one.Found.Form, one.Found.Ranks, StructureSearch.Whole(kernel), cancel)
                        .RelativeError,
                }
            )
            .MinBy(static found => found.Error);
    }

    /// <summary>Every way to part the kernel's axes in two, joined by one bond.</summary>
    private static IEnumerable<Network> Cuts(Shape kernel)
    {
        string modes = string.Concat(Modes.Where((_, axis) => kernel[axis] > 1));
        string idle = string.Concat(Modes.Except(modes));
        foreach ((string one, string other) in Parts(modes))
            yield return new([$"{Letters[0]}{one}{idle}", $"{other}{Letters[0]}"], ImmutableDictionary<char, int>.Empty.Add(Letters[0], 1));
    }

    /// <summary>Trees of three factors in a row: one of two parted, with a new bond between its halves.</summary>
    private static IEnumerable<Network> Chains(Network cut)
    {
        for (int f = 0; f < 2; f++)
        {
            string modes = string.Concat(cut.Factors[f].Intersect(Modes));
            foreach ((string one, string other) in Parts(modes))
            foreach ((string near, string far) in ((string, string)[])[(one, other), (other, one)])
                yield return new([$"{far}{Letters[1]}", $"{near}{Letters[..2]}", cut.Factors[1 - f]], cut.Ranks.Add(Letters[1], 1));
        }
    }

    /// <summary>Axes in two groups, neither empty.</summary>
    private static IEnumerable<(string One, string Other)> Parts(string axes)
    {
        for (int chosen = 1; chosen < (1 << axes.Length) - 1; chosen += 2)
            yield return (
                string.Concat(axes.Where((_, k) => (chosen >> k & 1) == 1)),
                string.Concat(axes.Where((_, k) => (chosen >> k & 1) == 0))
            );
    }

    /// <summary>
    /// What one step makes of a network: a factor parted in two that keep its bonds, a bond that one more factor shares, a bond between two
    /// factors that have none of their own, and one bond wider while the others become narrower.
    /// </summary>
    private static IEnumerable<Network> Steps(Network network)
    {
        ImmutableArray<string> factors = network.Factors;
        Network Changed(ImmutableArray<string> changed) => network with { Factors = changed, Settled = None };
        for (int f = 0; f < factors.Length; f++)
        {
            string bonds = string.Concat(factors[f].Except(Modes));
            foreach ((string one, string other) in Parts(string.Concat(factors[f].Intersect(Modes))))
                yield return Changed(factors.SetItem(f, one + bonds).Insert(f, other + bonds));
            foreach (char bond in network.Ranks.Keys.Except(factors[f]))
                yield return Changed(factors.SetItem(f, factors[f] + bond));
            for (int g = f + 1; g < factors.Length; g++)
            {
                bool isJoined = factors[f].Intersect(factors[g]).Any(bond => factors.Count(factor => factor.Contains(bond)) == 2);
                if (isJoined || network.Ranks.Count == Letters.Length)
                    continue;
                char bond = Letters.First(letter => !network.Ranks.ContainsKey(letter));
                yield return new(
                    factors.SetItem(f, factors[f] + bond).SetItem(g, factors[g] + bond),
                    network.Ranks.Add(bond, FirstRank),
                    bond
                );
            }
        }
        if (network.Ranks.Count > 1)
            foreach ((char bond, int rank) in network.Ranks)
                yield return network with
                {
                    Ranks = network.Ranks.SetItem(bond, rank + Math.Max(1, rank / 2)),
                    Settled = bond,
                };
    }

    /// <summary>The network with all ranks larger or smaller by one factor, as large as the rate allows; null where it is too large in any case.</summary>
    private static (KernelForm Form, ImmutableArray<int> Ranks, Network Network)? Within(
        KernelStarts starts,
        KernelFormat format,
        Network network,
        double rate
    )
    {
        KernelForm form = KernelForm.From(format, starts.Kernel.Shape);
        ImmutableArray<int> most = form.MaxRanks;
        // Named formats call their bonds otherwise; of those that are no trees each has one, or ranks that are alike.
        char[] bonds = [.. (format.Equation ?? "").TakeWhile(static c => c != '-').Where(network.Ranks.ContainsKey).Distinct()];
        bool isOwn = format.ToString() == format.Equation && bonds.Length == most.Length && bonds.Length == network.Ranks.Count;
        double budget = rate * starts.Kernel.Shape.ElementCount;
        (double low, double high) = (0, starts.Kernel.Shape.ElementCount);
        for (int halving = 0; halving < 40; halving++)
        {
            double middle = low == 0 && halving == 0 ? 1 : (low + high) / 2;
            if (form.Parameters(Scaled(middle).AsSpan()) <= budget)
                low = middle;
            else
                high = middle;
        }
        ImmutableArray<int> ranks = Scaled(low);
        if (form.Parameters(ranks.AsSpan()) > budget)
            return null;
        return (
            form,
            ranks,
            isOwn
                ? network with
                {
                    Ranks = bonds.Zip(ranks).ToImmutableDictionary(static b => b.First, static b => b.Second),
                }
                : Uniform(ranks)
        );

        ImmutableArray<int> Scaled(double factor) =>
            [
                .. most.Select(
                    (largest, k) =>
                        isOwn && bonds[k] == network.Settled
                            ? Math.Min(network.Ranks[bonds[k]], largest)
                            : (int)Math.Clamp(Math.Round(factor * (isOwn ? network.Ranks[bonds[k]] : 1)), 1, largest)
                ),
            ];

        Network Uniform(ImmutableArray<int> found) =>
            network with
            {
                Ranks = network.Ranks.Keys.ToImmutableDictionary(static bond => bond, _ => found.Max()),
            };
    }
}
