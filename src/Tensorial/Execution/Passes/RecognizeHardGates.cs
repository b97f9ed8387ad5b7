using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Finds min(max(x + 3, 0), 6) / 6, which is HardSigmoid with slope 1/6 and offset 1/2, and x · min(max(x + 3, 0), 6) / 6, which is
/// HardSwish, as files before operator set 14 write them.
/// </summary>
/// <param name="terms">How the network's values are made.</param>
internal sealed class RecognizeHardGates(Terms terms)
{
    /// <summary>The function that a product or quotient is; null where it is none.</summary>
    public Recognized? Of(Node product)
    {
        if (terms.Times(product, 1.0 / 6) is not { } value || terms.OnlyFor(value) is not { } maker)
            return null;
        if (Bounded(value) is var (x, within))
            return new(new HardSigmoid(1f / 6, 0.5f), x, within);
        if (maker.Operation is Mul)
            foreach (int side in (ReadOnlySpan<int>)[0, 1])
                if (Bounded(maker.Inputs[side]) is var (of, gate) && of == maker.Inputs[1 - side])
                    return new(new HardSwish(), of, [maker, .. gate]);
        return null;
    }

    /// <summary>x and the nodes of min(max(x + 3, 0), 6).</summary>
    private (string X, Node[] Within)? Bounded(string name) =>
        terms.OnlyFor(name) is { Operation: Clip clip } bounds
        && Bound(bounds, 1, clip.Min) == 0
        && Bound(bounds, 2, clip.Max) == 6
        && terms.OnlyFor(bounds.Inputs[0]) is { Operation: Add } sum
        && terms.WithoutConstant(sum) is var (x, three)
        && three == 3
            ? (x, [sum, bounds])
            : null;

    private double? Bound(Node clip, int input, float? attribute) =>
        clip.Inputs.Length > input && clip.Inputs[input].Length > 0 ? terms.Scalar(clip.Inputs[input]) : attribute;
}
