using System.Collections.Immutable;
using Tensorial.Decompositions;

namespace Tensorial.Compression;

/// <summary>
/// The order in which a layer's factors meet its input: one stage after another, the factors of a stage multiplied with each other first,
/// which depends on parameters alone and is done when a runtime loads the network. A single stage makes the whole kernel.
/// The cheapest one is found by <see cref="LayerEquation.Cheapest(KernelForm, ImmutableArray{int}, CompressibleLayer, int?)"/>.
/// </summary>
/// <param name="Stages">Places of the factors in the format's equation.</param>
internal sealed record FactorOrder(ImmutableArray<ImmutableArray<int>> Stages)
{
    /// <summary>Whether the kernel is made again, and the layer itself left as it was.</summary>
    public bool IsWhole => Stages.Length == 1;

    /// <summary>All factors at once.</summary>
    public static FactorOrder Whole(KernelForm form) =>
        new([
            [.. Enumerable.Range(0, form.Tensor.Equation.Inputs.Length)],
        ]);

    /// <summary>Refuses what does not name every factor once.</summary>
    /// <exception cref="BadInputException">It does not.</exception>
    internal void Check(KernelForm form)
    {
        int count = form.Tensor.Equation.Inputs.Length;
        if (
            Stages.Any(static stage => stage.IsDefaultOrEmpty)
            || !Stages.SelectMany(static stage => stage).Order().SequenceEqual(Enumerable.Range(0, count))
        )
            throw new BadInputException($"An order of {form.Tensor.Equation} names each of its factors 0 to {count - 1} once, not {this}.");
    }

    /// <inheritdoc/>
    public bool Equals(FactorOrder? other) =>
        other is not null
        && Stages.Length == other.Stages.Length
        && Stages.Zip(other.Stages).All(static pair => pair.First.SequenceEqual(pair.Second));

    /// <inheritdoc/>
    public override int GetHashCode() => Stages.SelectMany(static stage => stage).Aggregate(Stages.Length, HashCode.Combine);

    /// <summary>For example <c>0, 1·2·3, 4</c>.</summary>
    public override string ToString() => string.Join(", ", Stages.Select(static stage => string.Join('·', stage)));
}
