using System.Collections.Immutable;

namespace Tensorial.Einsum;

/// <summary>From text to equation; all errors of syntax are born here.</summary>
internal static class EquationParser
{
    public static Equation Parse(string text)
    {
        string[] sides = text.Replace(" ", "", StringComparison.Ordinal).Split("->");
        if (sides.Length > 2) throw Error(text, "it has more than one arrow");
        ImmutableArray<string> inputs = [.. sides[0].Split(',').Select(term => Term(text, term))];
        string output = sides.Length == 2 ? Term(text, sides[1]) : Implied(inputs);
        string letters = string.Concat(inputs);
        foreach (char letter in output)
        {
            string shown = letter == Equation.Ellipsis ? "..." : letter.ToString();
            if (!letters.Contains(letter)) throw Error(text, $"no operand has the output's '{shown}'");
            if (output.Count(c => c == letter) > 1) throw Error(text, $"the output names '{shown}' twice");
        }
        return new(inputs, output);
    }

    private static string Term(string text, string term)
    {
        string axes = term.Replace("...", Equation.Ellipsis.ToString(), StringComparison.Ordinal);
        if (axes.Count(static c => c == Equation.Ellipsis) > 1) throw Error(text, $"'{term}' has more than one '...'");
        foreach (char letter in axes)
        {
            bool isAxis = char.IsAsciiLetter(letter) || letter == Equation.Ellipsis;
            if (!isAxis) throw Error(text, $"'{letter}' is no axis; axes are single letters");
        }
        return axes;
    }

    /// <summary>The stretched axes, then every letter that occurs exactly once, in alphabetical order (NumPy's rule).</summary>
    private static string Implied(ImmutableArray<string> inputs)
    {
        string letters = string.Concat(inputs);
        IEnumerable<char> once = letters.Where(letter => letter != Equation.Ellipsis && letters.Count(c => c == letter) == 1).Order();
        return new([.. letters.Contains(Equation.Ellipsis) ? [Equation.Ellipsis] : Array.Empty<char>(), .. once]);
    }

    private static BadInputException Error(string text, string reason) => new($"'{text}' is no einsum equation: {reason}.");
}
