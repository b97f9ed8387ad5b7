namespace Tensorial.Operations;

/// <summary>
/// Values of an application that a gradient reads. Whoever runs a network may let go of all others once they have been used.
/// </summary>
/// <param name="Inputs">Bit i stands for input i; all bits for all inputs, however many.</param>
/// <param name="Outputs">Bit k stands for result k.</param>
internal readonly record struct Reads(ulong Inputs, ulong Outputs)
{
    /// <summary>The results' gradients are enough.</summary>
    public static Reads Nothing => default;

    public static Reads AllInputs => new(ulong.MaxValue, 0);

    public static Reads Input(int index) => new(1UL << index, 0);

    public static Reads Output(int index = 0) => new(0, 1UL << index);

    public bool IncludesInput(int index) => Inputs == ulong.MaxValue || (index < 64 && (Inputs >> index & 1) != 0);

    public bool IncludesOutput(int index) => index < 64 && (Outputs >> index & 1) != 0;

    public static Reads operator |(Reads left, Reads right) => new(left.Inputs | right.Inputs, left.Outputs | right.Outputs);
}

/// <summary>
/// What a gradient is made from and where it goes, for one application of an operation: with y = f(x) and the derivatives ∂L/∂y of some
/// number L, the derivatives ∂L/∂x = (∂y/∂x)ᵀ ∂L/∂y are added to what the gradients hold.
/// </summary>
/// <param name="shapes">Extents of the operands, known also where their values are gone.</param>
/// <param name="inputs">Operands; null where absent or not among what the gradient <see cref="Reads"/>.</param>
/// <param name="outputs">Results; null where not read.</param>
/// <param name="upstream">∂L/∂y of every result; null where L does not depend on it.</param>
/// <param name="gradients">∂L/∂x of every operand, to be added to; null where nobody asks.</param>
internal readonly ref struct Pullback(
    ReadOnlySpan<Shape> shapes,
    ReadOnlySpan<Tensor?> inputs,
    ReadOnlySpan<Tensor?> outputs,
    ReadOnlySpan<Tensor?> upstream,
    ReadOnlySpan<Tensor?> gradients
)
{
    public ReadOnlySpan<Shape> Shapes { get; } = shapes;

    public ReadOnlySpan<Tensor?> Inputs { get; } = inputs;

    public ReadOnlySpan<Tensor?> Outputs { get; } = outputs;

    public ReadOnlySpan<Tensor?> Upstream { get; } = upstream;

    public ReadOnlySpan<Tensor?> Gradients { get; } = gradients;
}

/// <summary>A <see cref="Pullback"/> of float32 or float64 numbers.</summary>
internal readonly ref struct Pullback<T>(Pullback untyped)
    where T : unmanaged
{
    private readonly Pullback _untyped = untyped;

    /// <summary>Operands as they are: of other types too, and null where absent.</summary>
    public ReadOnlySpan<Tensor?> Inputs => _untyped.Inputs;

    /// <summary>Results as they are: of other types too, and null where not read.</summary>
    public ReadOnlySpan<Tensor?> Results => _untyped.Outputs;

    /// <summary>Extents of an operand.</summary>
    public Shape Shape(int index) => _untyped.Shapes[index];

    /// <summary>∂L/∂y of the first result.</summary>
    public Tensor<T> Dy => _untyped.Upstream[0]!.Of<T>();

    public Tensor<T> Input(int index) => _untyped.Inputs[index]!.Of<T>();

    public Tensor<T> Output(int index = 0) => _untyped.Outputs[index]!.Of<T>();

    /// <summary>∂L/∂y of a result; null where L does not depend on it.</summary>
    public Tensor<T>? Upstream(int index) => index < _untyped.Upstream.Length ? _untyped.Upstream[index]?.Of<T>() : null;

    /// <summary>∂L/∂x of an operand, to be added to; null where nobody asks.</summary>
    public Tensor<T>? Gradient(int index) => index < _untyped.Gradients.Length ? _untyped.Gradients[index]?.Of<T>() : null;
}
