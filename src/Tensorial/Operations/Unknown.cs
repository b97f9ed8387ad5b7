using System.Collections.Immutable;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>An operation that a file names and this library cannot evaluate. It survives reading, rewriting and writing.</summary>
/// <param name="Domain">The operator set it comes from; empty for the standard one.</param>
/// <param name="Type">Its name there.</param>
/// <param name="Reason">Why it cannot be evaluated.</param>
public sealed record Unknown(string Domain, string Type, string Reason) : Operation
{
    /// <inheritdoc/>
    public override string Name => Domain.Length > 0 ? $"{Domain}.{Type}" : Type;

    /// <summary>Floating-point constants of the graphs among its attributes.</summary>
    internal long Held { get; init; }

    internal override long OwnParameters => Held;

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs) =>
        throw new UnsupportedException($"{Name} cannot be evaluated: {Reason}");

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers) =>
        throw new UnsupportedException($"{Name} cannot be evaluated: {Reason}");
}
