using System.Collections.Immutable;
using System.Numerics;

namespace Tensorial.Equations;

/// <summary>
/// A sum of products over named axes: <c>bik,bkj->bij</c> is Σₖ A[b,i,k] B[b,k,j]. Axes that the output lacks are summed; an axis that one
/// operand names twice means its diagonal; <c>...</c> stands for any further axes, which stretch. Axes behind a bar are convolved:
/// <c>nihw,oihw->nohw|hw</c> is a layer of a network. docs/einsum.md has the grammar and what everything means.
/// </summary>
/// <param name="Inputs">The axes of each operand, one character an axis.</param>
/// <param name="Output">The axes of the result.</param>
public sealed record Equation(ImmutableArray<string> Inputs, string Output)
{
    /// <summary>The character that stands for <c>...</c> in the axes of an operand.</summary>
    public const char Ellipsis = '…';

    /// <summary>Characters that no text contains: for the axes behind an ellipsis, and for axes whose names have several letters.</summary>
    internal const char FirstStretched = '\uE000',
        FirstNamed = '\uF000';

    /// <summary>The convolved axes.</summary>
    public ImmutableArray<Window> Windows { get; init; } = [];

    /// <summary>Names of several letters; the first belongs to the axis <see cref="FirstNamed"/>, and so on.</summary>
    internal ImmutableArray<string> Names { get; init; } = [];

    /// <summary>Reads an equation such as <c>ij,jk->ik</c> or <c>b(in)hw,(out)(in)hw->b(out)hw|hw[stride=2 pad=1]</c>.</summary>
    /// <exception cref="BadInputException">The text is no equation; points at the character that is wrong.</exception>
    public static Equation Parse(string text) => new EquationParser(text).Read();

    /// <summary>Whether NumPy and ONNX would read it too: axes of one letter, none of them convolved.</summary>
    public bool IsPlain => Windows.IsEmpty && Names.IsEmpty;

    /// <summary>Whether some axes have no letters yet, because their number depends on the operands.</summary>
    public bool HasEllipsis => Inputs.Any(static input => input.Contains(Ellipsis));

    /// <summary>The name of an axis as it is written.</summary>
    public string NameOf(char axis) =>
        axis switch
        {
            Ellipsis => "...",
            >= FirstNamed when axis - FirstNamed < Names.Length => Names[axis - FirstNamed],
            >= FirstStretched => $"...{axis - FirstStretched}",
            _ => axis.ToString(),
        };

    /// <summary>This equation for operands of given shapes, every ellipsis written out in letters of its own.</summary>
    /// <exception cref="ShapeException">The number of operands or of their axes does not fit.</exception>
    public Equation For(params ReadOnlySpan<Shape> shapes)
    {
        if (shapes.Length != Inputs.Length)
            throw new ShapeException($"{this} takes {Inputs.Length} operands, not {shapes.Length}.");
        int longest = 0;
        for (int i = 0; i < shapes.Length; i++)
        {
            int named = Inputs[i].Count(static c => c != Ellipsis),
                free = shapes[i].Rank - named;
            if (free < 0 || (free > 0 && !Inputs[i].Contains(Ellipsis)))
                throw new ShapeException($"operand {i} of {this} has {named} axes, not the shape {shapes[i]}.");
            longest = Math.Max(longest, free);
        }
        if (!HasEllipsis)
            return this;
        // Shorter ellipses take the last of the letters, as broadcasting aligns axes at the end.
        string letters = new([.. Enumerable.Range(0, longest).Select(static i => (char)(FirstStretched + i))]);
        string[] inputs = [.. Inputs];
        for (int i = 0; i < inputs.Length; i++)
        {
            int free = shapes[i].Rank - inputs[i].Length + 1;
            inputs[i] = inputs[i].Replace(Ellipsis.ToString(), letters[^Math.Min(free, longest)..], StringComparison.Ordinal);
        }
        return this with { Inputs = [.. inputs], Output = Output.Replace(Ellipsis.ToString(), letters, StringComparison.Ordinal) };
    }

    /// <summary>The shape of the result.</summary>
    /// <exception cref="ShapeException">The operands do not fit the equation or each other.</exception>
    public Shape Infer(params ReadOnlySpan<Shape> shapes) => Problem.From(this, shapes).Result;

    /// <summary>The value for operands, on one thread, by the plan that is cheapest for their shapes; its gradients follow from it.</summary>
    /// <param name="operands">One tensor an operand.</param>
    /// <exception cref="ShapeException">The operands do not fit the equation or each other.</exception>
    public EquationValue<T> Evaluate<T>(params ReadOnlySpan<Tensor<T>> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Shape[] shapes = new Shape[operands.Length];
        for (int i = 0; i < shapes.Length; i++)
            shapes[i] = operands[i].Shape;
        return Plan.Create(this, PlanOptions.ForGradients, shapes).Evaluate(operands);
    }

    internal static bool Stretches(char axis) => axis is >= FirstStretched and < FirstNamed;

    /// <inheritdoc/>
    public bool Equals(Equation? other) =>
        other is not null
        && Output == other.Output
        && Inputs.AsSpan().SequenceEqual(other.Inputs.AsSpan())
        && Windows.AsSpan().SequenceEqual(other.Windows.AsSpan())
        && Names.AsSpan().SequenceEqual(other.Names.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (string input in Inputs)
            hash.Add(input);
        hash.Add(Output);
        hash.Add(Windows.Length);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public override string ToString() => EquationText.Of(this);
}
