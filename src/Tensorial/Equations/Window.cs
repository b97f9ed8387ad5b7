namespace Tensorial.Equations;

/// <summary>Which way the operands of a convolved axis slide along each other.</summary>
public enum WindowKind
{
    /// <summary>As the layers of networks have it: y[z] = Σₖ x[stride·z + dilation·k - before] w[k].</summary>
    Correlation,

    /// <summary>The true convolution, w running backwards: y[z] = Σₖ x[stride·z - dilation·k + …] w[k], symmetric in x and w.</summary>
    Convolution,
}

/// <summary>
/// A convolved axis. The first operand that has it is the signal x, the others are kernels w₁, w₂, …; their sum over all
/// combinations of positions is one relation between indices, stride·z = x ± dilation·(k₁ + k₂ + …) + offset, in which no pair comes first:
/// every order of evaluation gives the same result (docs/einsum.md has the table).
/// </summary>
/// <param name="Axis">The axis, one letter of the equation.</param>
public sealed record Window(char Axis)
{
    /// <summary>
    /// How many times as many values as signal and kernels have a padded signal may have, and how many it always may: what lies between
    /// is computed, zero or not, so that numbers in a text must not decide it alone.
    /// </summary>
    private const int MostPadded = 1024,
        AlwaysPadded = 1 << 16;

    /// <summary>Correlation or convolution.</summary>
    public WindowKind Kind { get; init; } = WindowKind.Correlation;

    /// <summary>Distance between positions of the window, in values of the signal.</summary>
    public int Stride { get; init; } = 1;

    /// <summary>Distance between neighbours of a kernel, in values of the signal.</summary>
    public int Dilation { get; init; } = 1;

    /// <summary>Zeros around the signal.</summary>
    public Padding Padding { get; init; } = Padding.Same;

    /// <summary>Whether the signal goes on from its start where it ends, instead of being zero there.</summary>
    public bool IsCircular { get; init; }

    /// <summary>
    /// The coefficient of a kernel's index in the relation, that of the signal's being 1 and of the result's -<see cref="Stride"/>.
    /// </summary>
    internal int KernelCoefficient => Kind == WindowKind.Correlation ? -Dilation : Dilation;

    /// <summary>The result's extent, and the relation's constant: x + Σ coefficient·k - stride·z + constant = 0.</summary>
    /// <param name="signal">Extent of the signal.</param>
    /// <param name="reach">Σ (extent - 1) of the kernels.</param>
    /// <exception cref="ShapeException">The kernels do not fit.</exception>
    internal (int Extent, int Constant) Over(int signal, int reach)
    {
        long wide = (long)Dilation * reach,
            most = Math.Min(int.MaxValue / 2, (long)MostPadded * ((long)signal + reach + 1) + AlwaysPadded);
        if (wide > most)
            throw new ShapeException($"kernels that reach over {wide + 1:N0} values are out of all proportion to a signal of {signal}");
        int span = (int)wide;
        (int before, int after) = Padding.For(signal, span, Stride, Kind);
        if (Math.Abs((long)before) + Math.Abs((long)after) > most)
            throw new ShapeException($"padding {before} and {after} is out of all proportion to a signal of {signal}");
        long room = (long)signal + before + after - span - 1;
        if (room < 0)
            throw new ShapeException(
                $"kernels that reach over {span + 1} values do not fit a signal of {signal} with padding {before} and {after}"
            );
        return (checked((int)(room / Stride) + 1), Kind == WindowKind.Correlation ? before : before - span);
    }
}
