using System.Collections.Immutable;
using Tensorial.Graphs;

namespace Tensorial.Execution;

/// <summary>What role a trained constant plays, on which weight decay may depend.</summary>
public enum WeightRole
{
    /// <summary>A factor of a sum of products: a kernel, a matrix, a factor of either.</summary>
    Kernel,

    /// <summary>What is added by channel.</summary>
    Bias,

    /// <summary>Scale or shift of a normalisation, or a learnt slope.</summary>
    Normalization,
}

/// <summary>A constant of a network that training may change.</summary>
public readonly record struct TrainableConstant(string Name, WeightRole Role);

/// <summary>
/// Finds the constants of a network that are weights: those of convolutions, dense layers, sums of products, normalisations, learnt slopes,
/// and of scales and shifts written as Mul and Add behind a layer. Other numbers that a file holds, such as the 1/6 of a written-out
/// activation, are part of the network's form.
/// </summary>
internal static class TrainableConstants
{
    /// <summary>The weights, in the order in which the network reads them.</summary>
    public static ImmutableArray<TrainableConstant> Of(Graph graph) => new LearntConstants(graph).Trainable;

    /// <summary>Constants that look learnt and are none of the weights: what training leaves as it is, with the reason.</summary>
    public static ImmutableArray<FixedConstant> FixedIn(Graph graph) => new LearntConstants(graph).Fixed;
}
