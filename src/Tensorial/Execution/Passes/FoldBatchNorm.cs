using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Folds a batch normalisation at inference into the convolution before it: W' = W·γ/√(σ²+ε) by output channel,
/// b' = (b − μ)·γ/√(σ²+ε) + β. Computed in double precision.
/// </summary>
internal static class FoldBatchNorm
{
    public static Graph Apply(Graph graph, ConstantOrigins origins, WeightCache cache)
    {
        Uses uses = new(graph);
        Dictionary<string, int> makers = [];
        ImmutableDictionary<string, Tensor>.Builder constants = graph.Initializers.ToBuilder();
        List<Node> nodes = [];
        foreach (Node node in graph.Nodes)
        {
            if (
                node.Operation is BatchNormalization norm
                && makers.TryGetValue(node.Inputs[0], out int place)
                && uses.OnlyReader(node.Inputs[0]) == node
                && Fold(nodes[place], node, norm) is { } folded
            )
            {
                nodes[place] = folded;
                continue;
            }
            if (node.Operation is Convolution)
                makers[node.Outputs[0]] = nodes.Count;
            nodes.Add(node);
        }
        return graph with { Nodes = [.. nodes], Initializers = constants.ToImmutable() };

        Node? Fold(Node convolution, Node node, BatchNormalization norm)
        {
            string[] names = [convolution.Inputs[1], convolution.Inputs.ElementAtOrDefault(2) ?? "", .. node.Inputs.Skip(1)];
            Tensor?[] sources = [.. names.Select(name => name.Length == 0 ? null : constants.GetValueOrDefault(name))];
            if (sources is not [Tensor<float>, null or Tensor<float>, Tensor<float>, Tensor<float>, Tensor<float>, Tensor<float>])
                return null;
            if (sources[1] is null && names[1].Length > 0)
                return null;

            Tensor<float>[] values = cache.Of(norm, sources, () => Folded([.. sources.Cast<Tensor<float>?>()], norm.Epsilon));
            if (values.Length == 0)
                return null;
            string weights = $"{node.Outputs[0]}/folded weights",
                bias = $"{node.Outputs[0]}/folded bias";
            (constants[weights], constants[bias]) = (values[0], values[1]);
            origins.Derive(weights, names.Where(static n => n.Length > 0));
            origins.Derive(bias, names.Skip(1).Where(static n => n.Length > 0));
            return convolution with { Inputs = [convolution.Inputs[0], weights, bias], Outputs = [node.Outputs[0]], Source = null };
        }
    }

    /// <summary>Folded weights and bias; nothing where float32 would not hold them, though it holds what the two layers make.</summary>
    private static Tensor<float>[] Folded(Tensor<float>?[] sources, double epsilon)
    {
        (Tensor<float> weights, Tensor<float>? bias) = (sources[0]!, sources[1]);
        (Tensor<float> gamma, Tensor<float> beta, Tensor<float> mean, Tensor<float> variance) = (
            sources[2]!,
            sources[3]!,
            sources[4]!,
            sources[5]!
        );
        double[] scales = new double[weights.Shape[0]];
        Tensor<float> foldedBias = new([scales.Length]);
        for (int o = 0; o < scales.Length; o++)
        {
            scales[o] = gamma.Values[o] / Math.Sqrt(variance.Values[o] + epsilon);
            foldedBias.Values[o] = (float)(((bias?.Values[o] ?? 0.0) - mean.Values[o]) * scales[o] + beta.Values[o]);
        }
        if (!IsHeld(weights, scales) || !TensorPrimitives.IsFiniteAll<float>(foldedBias.Values))
            return [];
        DerivedValues folded = new(weights.Shape.ElementCount, () => Scaled(weights, scales));
        return [new(weights.Shape, folded.Memory), foldedBias];
    }

    /// <summary>Whether the largest weight of each channel, scaled, is a number.</summary>
    private static bool IsHeld(Tensor<float> weights, double[] scales)
    {
        int filter = weights.Values.Length / Math.Max(1, scales.Length);
        for (int o = 0; o < scales.Length && filter > 0; o++)
        {
            if (!(Math.Abs(TensorPrimitives.MaxMagnitude<float>(weights.Values.Slice(o * filter, filter)) * scales[o]) <= float.MaxValue))
                return false;
        }
        return true;
    }

    private static float[] Scaled(Tensor<float> weights, double[] scales)
    {
        ReadOnlySpan<float> values = weights.Values;
        float[] scaled = new float[values.Length];
        int filter = values.Length / Math.Max(1, scales.Length);
        for (int k = 0; k < scaled.Length; k++)
            scaled[k] = (float)(values[k] * scales[k / filter]);
        return scaled;
    }
}
