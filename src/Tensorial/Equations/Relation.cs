using System.Collections.Immutable;

namespace Tensorial.Equations;

/// <summary>
/// What convolves an axis, in sizes: among the indices of all that have it, Σ Inputs[t]·iₜ + Output·z + Constant is 0, or a multiple of
/// Modulus where that is not 0. It names no operand as signal or kernel, so an operand and the result can trade places in it: that is the
/// gradient.
/// </summary>
/// <param name="Axis">The axis.</param>
/// <param name="Inputs">Coefficient of each operand's index; 0 for operands that lack the axis.</param>
/// <param name="Output">Coefficient of the result's index; 0 if it lacks the axis.</param>
/// <param name="Constant">The constant.</param>
/// <param name="Modulus">The period of a circular axis, else 0.</param>
internal sealed record Relation(char Axis, ImmutableArray<int> Inputs, int Output, int Constant, int Modulus)
{
    public Relation Swapped(int operand) => this with { Inputs = Inputs.SetItem(operand, Output), Output = Inputs[operand] };
}
