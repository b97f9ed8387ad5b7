using System.Collections.Immutable;

namespace Tensorial.Equations;

/// <summary>
/// An equation for operands of known shapes: what a plan is made for. Its gradient for an operand is the same problem with that operand and
/// the result trading places (<see cref="Adjoint"/>).
/// </summary>
/// <param name="Equation">The equation, for names and messages.</param>
/// <param name="Inputs">The axes of each operand.</param>
/// <param name="Output">The axes of the result.</param>
/// <param name="Shapes">Shapes of the operands.</param>
/// <param name="Result">Shape of the result.</param>
/// <param name="Relations">What convolves axes.</param>
/// <param name="Given">Operands that the caller brings. Any others are ones, which sum a convolved axis that the result lacks.</param>
internal sealed record Problem(
    Equation Equation,
    ImmutableArray<string> Inputs,
    string Output,
    ImmutableArray<Shape> Shapes,
    Shape Result,
    ImmutableArray<Relation> Relations,
    int Given
)
{
    /// <exception cref="BadInputException">The windows do not fit the equation.</exception>
    /// <exception cref="ShapeException">The operands do not fit the equation or each other.</exception>
    public static Problem From(Equation equation, ReadOnlySpan<Shape> shapes)
    {
        Equation full = equation.For(shapes);
        Dictionary<char, int> extents = Extents(full, shapes);
        // A convolved axis that the result lacks is summed: by an operand of ones in the result's place.
        string summed = new([.. full.Windows.Select(static window => window.Axis).Where(axis => !full.Output.Contains(axis))]);
        List<Relation> relations = [];
        foreach (Window window in full.Windows)
        {
            (Relation relation, extents[window.Axis]) = Resolve(full, window, shapes);
            relations.Add(
                relation with
                {
                    Inputs = [.. relation.Inputs, .. summed.Select(axis => axis == window.Axis ? -window.Stride : 0)],
                }
            );
        }
        foreach (char axis in full.Output)
            if (!extents.ContainsKey(axis))
                throw new BadInputException($"no operand of {equation} has the output's '{full.NameOf(axis)}'.");
        return new(
            equation,
            [.. full.Inputs, .. summed.Select(static axis => axis.ToString())],
            full.Output,
            [.. shapes, .. summed.Select(axis => Shape.From(extents[axis]))],
            [.. full.Output.Select(axis => extents[axis])],
            [.. relations],
            shapes.Length
        );
    }

    /// <summary>The gradient for an operand: given the others and, in that operand's place, what weighs the result.</summary>
    public Problem Adjoint(int operand) =>
        this with
        {
            Inputs = Inputs.SetItem(operand, Output),
            Output = Inputs[operand],
            Shapes = Shapes.SetItem(operand, Result),
            Result = Shapes[operand],
            Relations = [.. Relations.Select(relation => relation.Swapped(operand))],
        };

    public bool IsConvolved(char axis) => Relations.Any(relation => relation.Axis == axis);

    private static Dictionary<char, int> Extents(Equation full, ReadOnlySpan<Shape> shapes)
    {
        Dictionary<char, int> extents = [];
        for (int i = 0; i < shapes.Length; i++)
        for (int place = 0; place < shapes[i].Rank; place++)
        {
            char axis = full.Inputs[i][place];
            if (full.Windows.Any(window => window.Axis == axis))
                continue;
            int extent = shapes[i][place],
                known = extents.GetValueOrDefault(axis, extent);
            bool stretches = Equation.Stretches(axis) && (known == 1 || extent == 1);
            if (known != extent && !stretches)
                throw new ShapeException(
                    $"axis '{full.NameOf(axis)}' of {full} has the extent {known}, and {extent} in operand {i} of shape {shapes[i]}."
                );
            extents[axis] = known == 1 ? extent : known;
        }
        return extents;
    }

    private static (Relation Relation, int Extent) Resolve(Equation full, Window window, ReadOnlySpan<Shape> shapes)
    {
        string name = full.NameOf(window.Axis);
        int[] coefficients = new int[shapes.Length];
        int signal = -1,
            holders = 0;
        long reach = 0;
        for (int i = 0; i < shapes.Length; i++)
        {
            int place = full.Inputs[i].IndexOf(window.Axis, StringComparison.Ordinal);
            if (place < 0)
                continue;
            if (full.Inputs[i].LastIndexOf(window.Axis) != place)
                throw new BadInputException($"operand {i} of {full} names '{name}' twice, and it is convolved.");
            int extent = shapes[i][place];
            if (extent == 0)
                throw new ShapeException($"axis '{name}' of {full} is convolved and has the extent 0 in operand {i} of shape {shapes[i]}.");
            coefficients[i] = holders++ == 0 ? 1 : window.KernelCoefficient;
            if (signal < 0)
                signal = extent;
            else
                reach += extent - 1;
        }
        if (holders < 2)
            throw new BadInputException($"'{name}' is convolved in {full}, which takes two operands or more that have it, not {holders}.");
        if (full.Output.Count(axis => axis == window.Axis) > 1)
            throw new BadInputException($"the output of {full} names '{name}' twice.");
        if (window.Stride < 1 || window.Dilation < 1)
            throw new BadInputException(
                $"axis '{name}' of {full} has the stride {window.Stride} and the dilation {window.Dilation}; both must be at least 1."
            );
        try
        {
            (int extent, int constant) = window.Over(signal, (int)Math.Min(reach, int.MaxValue));
            bool isKept = full.Output.Contains(window.Axis);
            return (new(window.Axis, [.. coefficients], isKept ? -window.Stride : 0, constant, window.IsCircular ? signal : 0), extent);
        }
        catch (ShapeException error)
        {
            throw new ShapeException($"axis '{name}' of {full}: {error.Message}.", error);
        }
    }
}
