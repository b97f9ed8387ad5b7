using System.Collections.Immutable;
using Tensorial.Autodiff.Operations;

namespace Tensorial.Networks.Gradients;

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
/// Finds the constants of a network that are weights: those of convolutions, dense layers, sums of products, normalisations and learnt slopes. Other
/// numbers that a file holds, such as the 1/6 of a written-out activation, are part of the network's form.
/// </summary>
public static class TrainableConstants
{
    public static ImmutableArray<TrainableConstant> Of(Graph graph)
    {
        Dictionary<string, Node> makers = [];
        foreach (Node node in graph.Nodes)
            foreach (string output in node.Outputs) makers[output] = node;
        Dictionary<string, WeightRole> found = [];
        var ordered = ImmutableArray.CreateBuilder<TrainableConstant>();
        foreach (Node node in graph.Nodes)
            for (int i = 0; i < node.Inputs.Length; i++)
                if (RoleOf(node, i) is { } role && Root(node.Inputs[i]) is { } name && found.TryAdd(name, role)) ordered.Add(new(name, role));
        return ordered.ToImmutable();

        string? Root(string name)
        {
            while (!graph.Initializers.ContainsKey(name) && makers.TryGetValue(name, out Node? maker) && maker.Operation is Reshaping or Transpose) name = maker!.Inputs[0];
            return graph.ConstantOf(name) is Tensor<float> or Tensor<double> ? name : null;
        }

        WeightRole? RoleOf(Node node, int input) => node.Operation switch
        {
            Convolution or ConvolutionTranspose or Gemm => input < 2 ? WeightRole.Kernel : WeightRole.Bias,
            MatMul or EinsumOf => WeightRole.Kernel,
            BatchNormalization or BatchNormalizationInTraining or InstanceNormalization or LayerNormalization => input is 1 or 2 ? WeightRole.Normalization : null,
            PRelu => input == 1 ? WeightRole.Normalization : null,
            // The bias of a sum of products is an addition of its own.
            Add when makers.TryGetValue(node.Inputs[1 - input], out Node? maker) && maker.Operation is MatMul or EinsumOf => WeightRole.Bias,
            _ => null,
        };
    }
}
