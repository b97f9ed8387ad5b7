using System.Collections.Immutable;

namespace Tensorial.Einsum;

/// <summary>
/// A sum of products over named axes: <c>bik,bkj->bij</c> is Σₖ A[b,i,k] B[b,k,j]. An axis is one letter; axes that the output lacks
/// are summed; a letter that one operand names twice means its diagonal. <c>...</c> stands for any further axes, which stretch.
/// </summary>
/// <param name="Inputs">The axes of each operand.</param>
/// <param name="Output">The axes of the result.</param>
public sealed record Equation(ImmutableArray<string> Inputs, string Output)
{
    /// <summary>The letter that stands for <c>...</c> in the axes of an operand.</summary>
    public const char Ellipsis = '…';

    /// <summary>
    /// Reads an equation such as <c>ij,jk->ik</c>; without an arrow the output has all letters that occur once, in alphabetical order.
    /// </summary>
    /// <exception cref="BadInputException">The text is no equation; says where and why.</exception>
    public static Equation Parse(string text) => EquationParser.Parse(text);

    /// <summary>Whether some axes have no letters yet, because their number depends on the operands.</summary>
    public bool HasEllipsis => Inputs.Any(static input => input.Contains(Ellipsis));

    /// <summary>This equation for operands of given shapes, every ellipsis written out in letters of its own.</summary>
    /// <exception cref="ShapeException">The number of operands or of their axes does not fit.</exception>
    public Equation For(params ReadOnlySpan<Shape> shapes)
    {
        if (shapes.Length != Inputs.Length) throw new ShapeException($"{this} takes {Inputs.Length} operands, not {shapes.Length}.");
        int longest = 0;
        for (int i = 0; i < shapes.Length; i++)
        {
            int named = Inputs[i].Count(static c => c != Ellipsis), free = shapes[i].Rank - named;
            if (free < 0 || (free > 0 && !Inputs[i].Contains(Ellipsis)))
                throw new ShapeException($"operand {i} of {this} has {named} axes, not the shape {shapes[i]}.");
            longest = Math.Max(longest, free);
        }
        if (!HasEllipsis) return this;
        // Letters that no parsed equation contains; shorter ellipses take the last of them, as broadcasting aligns axes at the end.
        string letters = new([.. Enumerable.Range(0, longest).Select(static i => (char)('\uE000' + i))]);
        string[] inputs = [.. Inputs];
        for (int i = 0; i < inputs.Length; i++)
        {
            int free = shapes[i].Rank - inputs[i].Length + 1;
            inputs[i] = inputs[i].Replace(Ellipsis.ToString(), letters[^Math.Min(free, longest)..], StringComparison.Ordinal);
        }
        return new([.. inputs], Output.Replace(Ellipsis.ToString(), letters, StringComparison.Ordinal));
    }

    /// <summary>The extent of every axis. Ellipses must be written out.</summary>
    /// <exception cref="ShapeException">An axis has two different extents, neither of them 1 and stretched.</exception>
    public IReadOnlyDictionary<char, int> Sizes(params ReadOnlySpan<Shape> shapes)
    {
        Dictionary<char, int> sizes = [];
        for (int i = 0; i < shapes.Length; i++)
            for (int axis = 0; axis < shapes[i].Rank; axis++)
            {
                char letter = Inputs[i][axis];
                int extent = shapes[i][axis], known = sizes.GetValueOrDefault(letter, extent);
                bool stretches = Stretches(letter) && (known == 1 || extent == 1);
                if (known != extent && !stretches)
                    throw new ShapeException($"axis '{letter}' of {this} has the extent {known}, and {extent} in operand {i} of shape {shapes[i]}.");
                sizes[letter] = known == 1 ? extent : known;
            }
        return sizes;
    }

    /// <summary>The shape of the result.</summary>
    /// <exception cref="ShapeException">The operands do not fit the equation or each other.</exception>
    public Shape Infer(params ReadOnlySpan<Shape> shapes)
    {
        Equation full = For(shapes);
        IReadOnlyDictionary<char, int> sizes = full.Sizes(shapes);
        return [.. full.Output.Select(letter => sizes[letter])];
    }

    public bool Equals(Equation? other) => other is not null && Output == other.Output && Inputs.SequenceEqual(other.Inputs);

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    public override string ToString() =>
        $"{string.Join(',', Inputs)}->{Output}".Replace(Ellipsis.ToString(), "...", StringComparison.Ordinal);

    private static bool Stretches(char letter) => letter >= '\uE000';
}
