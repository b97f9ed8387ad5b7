using System.Collections.Immutable;
using Tensorial.Autodiff;
using Tensorial.Autodiff.Operations;

namespace Tensorial.Networks;

/// <summary>The convolution and dense weights of a network, in its order: those that can be cut, and those that cannot.</summary>
public sealed record KernelWeights(ImmutableArray<KernelWeight> Kernels, ImmutableArray<UncutKernel> Uncut)
{
    public static KernelWeights Of(Graph graph)
    {
        var kernels = ImmutableArray.CreateBuilder<KernelWeight>();
        var uncut = ImmutableArray.CreateBuilder<UncutKernel>();
        Dictionary<string, Node> makers = graph.Nodes.SelectMany(static node => node.Outputs.Where(static o => o.Length > 0), static (node, name) => (node, name))
            .ToDictionary(static made => made.name, static made => made.node);
        ILookup<string, Node> readers = graph.Nodes.SelectMany(static node => node.Inputs.Where(static i => i.Length > 0), static (node, name) => (node, name))
            .ToLookup(static read => read.name, static read => read.node);

        foreach (Node node in graph.Nodes)
        {
            if (AxesOf(node.Operation) is not { } axesOf || node.Inputs.Length < 2) continue;
            string name = Origin(node.Inputs[1]);
            if (!graph.Initializers.TryGetValue(name, out Tensor? weights))
            {
                // A product of two computed values is attention or the like, not a layer with weights.
                if (node.Operation is not MatMul) uncut.Add(new(name, node, null, "its weights are computed while the network runs"));
            }
            else if (Obstacle(name, weights, axesOf(weights.Shape.Rank)) is { } reason)
            {
                uncut.Add(new(name, node, weights.Shape, reason));
            }
            else
            {
                kernels.Add(new(name, node, axesOf(weights.Shape.Rank)!.Value, weights, GroupsOf(node.Operation)));
            }
        }
        return new(kernels.ToImmutable(), uncut.ToImmutable());

        // Exporters keep shared or tied weights behind Identity nodes; the values are the initializer's all the same.
        string Origin(string name)
        {
            while (makers.TryGetValue(name, out Node? maker) && maker.Operation is Identity) name = maker.Inputs[0];
            return name;
        }

        string? Obstacle(string name, Tensor weights, ImmutableArray<string>? axes)
        {
            Node[] users = [.. Users(name)];
            if (axes is null) return $"weights of shape {weights.Shape} are not a matrix";
            if (users.Length > 1) return $"its weights are shared by {string.Join(", ", users.Select(static n => $"'{n.Label}'"))}";
            if (weights.ElementType is not (ElementType.Float32 or ElementType.Float64 or ElementType.Float16 or ElementType.BFloat16))
                return $"its weights are {weights.ElementType}, not floating-point numbers";
            if (weights.Shape.Count == 0) return $"its weights of shape {weights.Shape} are empty";
            return graph.Outputs.Any(port => port.Name == name) ? "its weights leave the network as an output" : null;
        }

        IEnumerable<Node> Users(string name) =>
            readers[name].SelectMany(reader => reader.Operation is Identity ? Users(reader.Outputs[0]) : [reader]);
    }

    /// <summary>How an operation names the axes of its weights of a given order; null for operations without weights.</summary>
    private static Func<int, ImmutableArray<string>?>? AxesOf(Operation operation) => operation switch
    {
        Convolution => static rank => Named(["o", "i"], rank),
        ConvolutionTranspose => static rank => Named(["i", "o"], rank),
        Gemm { TransposeB: true } => static rank => rank == 2 ? ["o", "i"] : null,
        Gemm or MatMul => static rank => rank == 2 ? ["i", "o"] : null,
        _ => null,
    };

    private static ImmutableArray<string>? Named(ImmutableArray<string> channels, int rank) => rank switch
    {
        3 => [.. channels, "w"],
        4 => [.. channels, "h", "w"],
        5 => [.. channels, "d", "h", "w"],
        _ => null,
    };

    private static int GroupsOf(Operation operation) => operation switch
    {
        Convolution convolution => convolution.Groups,
        ConvolutionTranspose transposed => transposed.Groups,
        _ => 1,
    };
}
