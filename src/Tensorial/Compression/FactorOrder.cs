using System.Collections.Immutable;
using Tensorial.Decompositions;

namespace Tensorial.Compression;

/// <summary>
/// The order in which a layer's factors meet its input: one stage after another, the factors of a stage multiplied with each other first,
/// which depends on parameters alone and is done when a runtime loads the network. A single stage makes the whole kernel.
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

    /// <summary>The cheapest order for one image at a layer, among the sensible ones: arithmetic, and values written and moved.</summary>
    /// <param name="form">The format on the layer.</param>
    /// <param name="ranks">Its ranks.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="images">Images for which factors are multiplied with each other once, as in training; null where that is done once for
    /// all.</param>
    public static FactorOrder Cheapest(KernelForm form, ImmutableArray<int> ranks, CompressibleLayer layer, int? images = null) =>
        Sensible(form)
            .MinBy(order =>
            {
                ImmutableArray<StagePlan>?[] plans = [.. layer.Uses.Select(use => StagePlan.Of(form, ranks, order, layer.At(use)))];
                return plans.Contains(null)
                    ? long.MaxValue
                    : plans.Sum(plan => plan!.Value.Sum(stage => images is { } batch ? InTraining(stage, layer, batch) : stage.Work));
            })!;

    /// <summary>
    /// Our executor, which trains, does planes of 3×3 by Winograd's algorithm, forward and backward, at half of their arithmetic or less,
    /// with channels in blocks: few of them take as long as a whole block. What is written is read again for gradients and its gradient
    /// written, beside arithmetic that only triples. Measured layers (bench training-factors) order themselves so.
    /// </summary>
    private static long InTraining(StagePlan stage, CompressibleLayer layer, int images)
    {
        const int block = 16;
        long blocked = (stage.Outputs + block - 1) / block * block * (stage.Macs / stage.Outputs);
        return stage.Work
            + (stage.IsPlane && layer.IsTransformed ? blocked / 2 - stage.Macs : 0)
            + 2 * StagePlan.MacsPerWrite * stage.Written
            + stage.Making / images;
    }

    /// <summary>
    /// The orders of the format; where it names none, each factor by itself as they stand in the equation. Last, the whole kernel, which is
    /// as dear as the dense layer.
    /// </summary>
    private static IEnumerable<FactorOrder> Sensible(KernelForm form) =>
        [
            .. form.Format.Orders is { } orders
                ? orders(form).Select(static stages => new FactorOrder(stages))
                : [new([.. form.Tensor.Equation.Inputs.Select(static ImmutableArray<int> (_, factor) => [factor])])],
            Whole(form),
        ];

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
