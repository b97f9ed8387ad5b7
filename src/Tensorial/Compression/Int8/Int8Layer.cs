using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression.Int8;

/// <summary>A layer whose weights become 8-bit integers.</summary>
/// <param name="Name">The name of its weights in the file.</param>
/// <param name="Node">The node in the prepared network; it reads data, weights and perhaps a bias.</param>
/// <param name="ChannelAxis">The axis of the weights that counts output channels (of a group, of a transposed convolution).</param>
/// <param name="WeightsOnly">Whether it computes in float: transposed convolutions, of which no runtime has one of integers, and others.</param>
internal sealed record Int8Layer(string Name, Node Node, int ChannelAxis, bool WeightsOnly)
{
    public string Data => Node.Inputs[0];

    public string Weights => Node.Inputs[1];

    public string? Bias => Node.Inputs.ElementAtOrDefault(2) is { Length: > 0 } bias ? bias : null;

    /// <summary>Whether nothing but 8-bit numbers may leave it: runtimes have no other integer convolution.</summary>
    public bool MakesIntegers => Node.Operation is Convolution;

    /// <summary>The layer a node is; or why its weights stay as they are; neither where it has no weights.</summary>
    public static (Int8Layer? Layer, string? Reason) Of(Graph graph, Node node, string name)
    {
        if (node.Inputs.Length < 2 || !graph.Initializers.TryGetValue(node.Inputs[1], out Tensor? weights))
            return node.Operation is Gemm or MatMul && node.Inputs.Any(graph.Initializers.ContainsKey)
                ? (null, "its weights are the left factor of the product")
                : (null, null);
        if (weights is not Tensor<float>)
            return weights.ElementType.IsFloating() ? (null, $"its weights are {weights.ElementType}") : (null, null);
        if (weights.Shape.ElementCount == 0)
            return (null, $"its weights of shape {weights.Shape} are empty");
        Tensor? bias = node.Inputs.ElementAtOrDefault(2) is { Length: > 0 } read ? graph.Initializers.GetValueOrDefault(read) : null;
        bool isComputed = node.Inputs.Length > 2 && node.Inputs[2].Length > 0 && bias is null;
        return node.Operation switch
        {
            _ when graph.Initializers.ContainsKey(node.Inputs[0]) => (null, "it reads constants only"),
            Convolution or Gemm when isComputed => (null, "its bias is computed while the network runs"),
            Convolution => (new(name, node, 0, false), null),
            ConvolutionTranspose => (new(name, node, 1, true), null),
            Gemm { Alpha: 1, Beta: 1, TransposeA: false } gemm when IsRow(bias, weights.Shape[gemm.TransposeB ? 0 : 1]) => (
                new(name, node, gemm.TransposeB ? 0 : 1, false),
                null
            ),
            Gemm => (null, "the product is scaled or transposed, or its third input is no row"),
            MatMul when weights.Shape.Rank == 2 => (new(name, node, 1, false), null),
            MatMul => (null, $"its weights of shape {weights.Shape} are no matrix"),
            _ => (null, null),
        };
    }

    private static bool IsRow(Tensor? bias, int count) =>
        bias is null
        || bias.Shape.ElementCount == 1
        || (bias.Shape.ElementCount == count && bias.Shape.Rank is 1 or 2 && bias.Shape[^1] == count);
}
