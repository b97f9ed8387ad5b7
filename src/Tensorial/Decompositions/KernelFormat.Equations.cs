using System.Collections.Immutable;
using FactorEquation = Tensorial.Equations.Equation;

namespace Tensorial.Decompositions;

/// <content>Formats that are given as equations.</content>
public sealed partial record KernelFormat
{
    private const string Modes = "oihw";

    /// <summary>
    /// A format of your own, as the equation that its factors follow: <c>ri,srhw,os->oihw</c>. The axes o, i, h and w are the kernel's output
    /// channels, input channels, height and width and stand in one factor each; every other axis is a bond, whose extent is a rank, and
    /// stands in two factors or more. Ranks are given in the order in which bonds first appear. An equation that a named format has, whatever
    /// its bonds are called and however its factors are ordered, is that format.
    /// <para>Factors are fitted as those of named formats are: the one that holds o is solved for, the others go downhill, from singular
    /// vectors where the factors make a tree, otherwise from the best of a few random starts.</para>
    /// </summary>
    /// <param name="equation">Factors between commas, and the kernel behind an arrow.</param>
    /// <exception cref="BadInputException">It is no such equation; says what is wrong.</exception>
    public static KernelFormat FromEquation(string equation)
    {
        FactorEquation parsed = FactorEquation.Parse(equation);
        if (Fault(parsed) is { } fault)
            throw new BadInputException($"The equation '{equation}' is no format of a kernel: {fault}.");
        string last = parsed.Inputs.First(static axes => axes.Contains('o'));
        ImmutableArray<string> inner = [.. parsed.Inputs.Where(axes => !ReferenceEquals(axes, last))];
        // The factor that is solved for stands last, its output channels first.
        FactorEquation own = new([.. inner, $"o{last.Replace("o", "", StringComparison.Ordinal)}"], Modes);
        string key = Canonical(own);
        if (
            All.FirstOrDefault(known => known.Equation is { } text && known.Number == 1 && Canonical(FactorEquation.Parse(text)) == key) is
            { } named
        )
            return named;
        // A tree's bonds are cuts of the kernel, whose singular values bound its error.
        if (Trees.TreeFormats.Find(own) is { } tree)
            return tree;
        bool isTree = IsTree(own.Inputs);
        return new(own.ToString())
        {
            Equation = own.ToString(),
            Start = isTree ? FitStarts.ByCuts : FitStarts.ByTrial,
            IsIterative = !isTree,
        };
    }

    private static string? Fault(FactorEquation equation)
    {
        if (!equation.IsPlain || equation.HasEllipsis)
            return "it has convolved axes, names or an ellipsis, and only single letters are axes of factors";
        if (!equation.Output.Order().SequenceEqual(Modes.Order()))
            return $"it makes '{equation.Output}', and a kernel has the axes {Modes}";
        if (equation.Inputs.Length < 2)
            return "it has one factor, which is the kernel itself";
        if (equation.Inputs.FirstOrDefault(static axes => axes.Distinct().Count() < axes.Length) is { } twice)
            return $"the factor '{twice}' names an axis twice";
        foreach (char axis in equation.Inputs.SelectMany(static axes => axes).Concat(Modes).Distinct())
        {
            int holders = equation.Inputs.Count(axes => axes.Contains(axis));
            bool isMode = Modes.Contains(axis);
            if (isMode && holders != 1)
                return $"{axis} stands in {holders} factors, and each of {string.Join(", ", (IEnumerable<char>)Modes)} stands in one";
            if (!isMode && holders < 2)
                return $"the bond {axis} stands in one factor, and bonds join two or more";
            if (axis == KernelForm.Group)
                return $"{axis} is the axis of a convolution's groups; call the bond otherwise";
        }
        return null;
    }

    /// <summary>The same text for equations that differ in the names of bonds and the order of factors and axes.</summary>
    internal static string Canonical(FactorEquation equation)
    {
        // Bonds by what they join; renamed until no name says more.
        Dictionary<char, string> names = equation
            .Inputs.SelectMany(static axes => axes)
            .Distinct()
            .ToDictionary(static axis => axis, static axis => Modes.Contains(axis) ? axis.ToString() : "*");
        for (int round = 0; round < equation.Inputs.Length + 1; round++)
        {
            string[] factors = [.. equation.Inputs.Select(Named)];
            names = names.ToDictionary(
                static pair => pair.Key,
                pair =>
                    Modes.Contains(pair.Key)
                        ? pair.Key.ToString()
                        : $"({string.Join('+', factors.Where((_, k) => equation.Inputs[k].Contains(pair.Key)).Order(StringComparer.Ordinal))})"
            );
        }
        return string.Join(',', equation.Inputs.Select(Named).Order(StringComparer.Ordinal));

        string Named(string axes) => string.Concat(axes.Select(axis => names[axis]).Order(StringComparer.Ordinal));
    }

    /// <summary>Whether <see cref="FitStarts.ByCuts"/> finds all factors: one after another each takes modes and bonds of its own into one bond.</summary>
    private static bool IsTree(ImmutableArray<string> factors)
    {
        List<string> left = [.. factors];
        string axes = Modes;
        while (left.Count > 1)
        {
            int next = left.FindIndex(0, left.Count - 1, factor => factor.Count(axis => !axes.Contains(axis)) == 1);
            if (next < 0)
                return false;
            string rows = string.Concat(axes.Where(left[next].Contains));
            char bond = left[next].First(axis => !axes.Contains(axis));
            left.RemoveAt(next);
            if (rows.Length == 0 || left.Any(other => other.Any(rows.Contains)))
                return false;
            axes = string.Concat(axes.Except(rows)) + bond;
        }
        return left[0].Order().SequenceEqual(axes.Order());
    }
}
