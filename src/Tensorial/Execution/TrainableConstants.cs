using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Operations;

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
/// Finds the constants of a network that are weights: those of convolutions, dense layers, sums of products, normalisations and learnt
/// slopes. Other numbers that a file holds, such as the 1/6 of a written-out activation, are part of the network's form.
/// </summary>
public static class TrainableConstants
{
    public static ImmutableArray<TrainableConstant> Of(Graph graph)
    {
        Dictionary<string, Node> makers = [];
        foreach (Node node in graph.Nodes)
        foreach (string output in node.Outputs)
            makers[output] = node;
        Dictionary<string, WeightRole> found = [];
        var ordered = ImmutableArray.CreateBuilder<TrainableConstant>();
        foreach (Node node in graph.Nodes)
            for (int i = 0; i < node.Inputs.Length; i++)
                if (RoleOf(node, i) is { } role)
                    foreach (string name in Roots(node.Inputs[i]))
                        if (found.TryAdd(name, role))
                            ordered.Add(new(name, role));
        return ordered.ToImmutable();

        // The constants that a weight is made of: one that is moved or cut, or several that are multiplied.
        IEnumerable<string> Roots(string name) =>
            graph.Initializers.ContainsKey(name) || !makers.TryGetValue(name, out Node? maker) || maker.Operation is Constant
                ? graph.ConstantOf(name) is Tensor<float> or Tensor<double>
                    ? [name]
                    : []
                : maker.Operation switch
                {
                    Reshaping or Transpose or Slice => Roots(maker.Inputs[0]),
                    // A number alone, such as 1/6, is part of the network's form.
                    Mul when maker.Inputs.All(IsMadeOfConstants) => maker
                        .Inputs.SelectMany(Roots)
                        .Where(factor => graph.ConstantOf(factor)!.Shape.Count > 1),
                    MatMul or EinsumOf when maker.Inputs.All(IsMadeOfConstants) => maker.Inputs.SelectMany(Roots),
                    _ => [],
                };

        bool IsMadeOfConstants(string name) =>
            graph.Initializers.ContainsKey(name)
            || (
                makers.TryGetValue(name, out Node? maker)
                && (maker.Operation is Constant || (maker.Inputs.Length > 0 && maker.Inputs.All(IsMadeOfConstants)))
            );

        WeightRole? RoleOf(Node node, int input) =>
            node.Operation switch
            {
                Convolution or ConvolutionTranspose or Gemm => input < 2 ? WeightRole.Kernel : WeightRole.Bias,
                MatMul or EinsumOf => WeightRole.Kernel,
                BatchNormalization or BatchNormalizationInTraining or InstanceNormalization or LayerNormalization => input is 1 or 2
                    ? WeightRole.Normalization
                    : null,
                PRelu => input == 1 ? WeightRole.Normalization : null,
                // The bias of a sum of products is an addition of its own.
                Add when makers.TryGetValue(node.Inputs[1 - input], out Node? maker) && maker.Operation is MatMul or EinsumOf =>
                    WeightRole.Bias,
                _ => null,
            };
    }
}
