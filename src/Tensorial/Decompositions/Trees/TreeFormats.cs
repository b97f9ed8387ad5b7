using System.Collections.Immutable;
using Tensorial.Equations;

namespace Tensorial.Decompositions.Trees;

/// <summary>Trees over a kernel's axes as formats: by their name where they have one, else by their equation.</summary>
internal static class TreeFormats
{
    /// <summary>The axes of a kernel.</summary>
    public const string Axes = "oihw";

    /// <summary>A tree over the axes o, i, h, w as a format, and its ranks.</summary>
    public static (KernelFormat Format, ImmutableArray<int> Ranks) Of(TreeNetwork tree)
    {
        // An axis of extent 1 says nothing wherever it is held: by the root.
        int trivial = Enumerable.Range(1, 3).Where(axis => tree.Extents[axis] == 1).Sum(static axis => 1 << (axis - 1));
        TreeBond[] bonds =
        [
            .. tree
                .Bonds.Select(bond => bond with { Cut = bond.Cut & ~trivial })
                .Where(static bond => bond.Cut != 0)
                .DistinctBy(static b => b.Cut),
        ];
        foreach (KernelFormat known in KernelFormat.All.Where(static format => !format.Cuts.IsEmpty))
        {
            int[] cuts = [.. known.Cuts.Select(rows => SideOf(rows) & ~trivial)];
            if (cuts.Length == bonds.Length && cuts.Distinct().Count() == cuts.Length && bonds.All(bond => cuts.Contains(bond.Cut)))
                return (known, [.. cuts.Select(cut => bonds.Single(bond => bond.Cut == cut).Rank)]);
        }
        (Equation equation, ImmutableArray<int> ranks) = new TreeNetwork(tree.Extents, bonds).Written(Axes);
        return (Parse(equation.ToString()), ranks);
    }

    /// <summary>The format of an equation such as <c>rih,orw->oihw</c>.</summary>
    /// <exception cref="BadInputException">It is no tree over o, i, h and w, or its factors stand in another order: says which.</exception>
    public static KernelFormat Parse(string text) => From(Equation.Parse(text), text);

    /// <summary>The tree that an equation is, its factors in an order in which they can be fitted one after another; null where it is none.</summary>
    public static KernelFormat? Find(Equation equation)
    {
        try
        {
            return From(equation, equation.ToString());
        }
        catch (BadInputException)
        {
            return null;
        }
    }

    private static KernelFormat From(Equation equation, string text)
    {
        ImmutableArray<string> factors = equation.Inputs;
        string letters = string.Concat(factors),
            bonds = string.Concat(letters.Distinct().Where(static axis => !Axes.Contains(axis)).Order());
        if (!equation.IsPlain || equation.Output != Axes)
            throw Refused(text, $"a kernel's axes are {Axes}, in this order");
        if (Axes.Any(axis => letters.Count(other => other == axis) != 1))
            throw Refused(text, "each of o, i, h and w stands in one factor");
        if (!factors[^1].StartsWith('o'))
            throw Refused(text, "o is the first axis of the last factor");
        if (bonds.Any(bond => factors.Count(factor => factor.Contains(bond)) != 2 || letters.Count(other => other == bond) != 2))
            throw Refused(text, "each bond joins two factors");
        if (bonds.Contains(KernelForm.Group))
            throw Refused(text, $"{KernelForm.Group} stands for groups");
        int[] above = [.. factors.Select((_, place) => Above(factors, place))];
        if (bonds.Length != factors.Length - 1 || factors.Length < 2 || above[..^1].Contains(-1))
            throw Refused(text, "every factor but the last has one bond to a factor behind it");
        return new(equation.ToString())
        {
            Equation = equation.ToString(),
            Cuts = [.. bonds.Select(bond => Below(factors, above, bond))],
            Descent = bonds.Length == 1 ? Descent.WithCovariance : Descent.Always,
        };
    }

    /// <summary>The factor behind one that it has its only bond with; -1 where there is none, or several.</summary>
    internal static int Above(ImmutableArray<string> factors, int place)
    {
        int[] behind =
        [
            .. Enumerable.Range(place + 1, factors.Length - place - 1).Where(other => factors[other].Any(factors[place].Contains)),
        ];
        return behind.Length == 1 ? behind[0] : -1;
    }

    /// <summary>Axes of the kernel on the side of a bond that the last factor is not on.</summary>
    private static string Below(ImmutableArray<string> factors, int[] above, char bond)
    {
        HashSet<int> side = [Enumerable.Range(0, factors.Length).First(place => factors[place].Contains(bond))];
        for (int place = factors.Length - 2; place >= 0; place--)
            if (side.Contains(above[place]))
                side.Add(place);
        return string.Concat(Axes.Where(axis => side.Any(place => factors[place].Contains(axis))));
    }

    private static int SideOf(string rows)
    {
        int side = rows.Where(static axis => axis != 'o').Sum(static axis => 1 << ("ihw".IndexOf(axis, StringComparison.Ordinal)));
        return rows.Contains('o') ? 7 & ~side : side;
    }

    private static BadInputException Refused(string text, string rule) => new($"'{text}' is no format: {rule}.");
}
