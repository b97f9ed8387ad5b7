using System.Collections.Immutable;
using Tensorial.Autodiff;
using Tensorial.Autodiff.Operations;
using Tensorial.Decompositions;
using Tensorial.Networks;

namespace Tensorial.Compression;

/// <summary>
/// Puts a chain of standard operators in the place of a layer: one convolution for each factor (1×1, k×1, 1×k, k×k; depthwise where a factor has one
/// bond), or one matrix product for each in a dense layer. Stride, padding and dilation of an axis of space go to the factor that has that axis;
/// the bias goes to the last one.
/// </summary>
public static class ChainRewrite
{
    /// <summary>The network with one layer in factors. Nodes are called <c>old name/format/factor</c>.</summary>
    public static Graph Apply(Graph graph, CompressibleLayer layer, Factorization fit)
    {
        Node node = graph.Nodes.First(candidate => candidate.Inputs.Length > 1 && candidate.Inputs[1] == layer.Name);
        string prefix = $"{(node.Name.Length > 0 ? node.Name : layer.Name)}/{fit.Format}";
        List<Node> chain = [];
        ImmutableDictionary<string, Tensor>.Builder constants = graph.Initializers.ToBuilder();
        string value = node.Inputs[0];
        for (int k = 0; k < fit.Factors.Length; k++)
        {
            bool isLast = k == fit.Factors.Length - 1;
            string axes = fit.Format.Factors[k], name = $"{prefix}/{axes}", weights = $"{name}.weight", output = isLast ? node.Outputs[0] : $"{name}_output";
            Tensor<float> factor = (Tensor<float>)fit.Factors[k].To(ElementType.Float32);
            ImmutableArray<string> inputs = [value, weights];
            if (isLast && node.Inputs.Length > 2 && node.Inputs[2].Length > 0) inputs = inputs.Add(node.Inputs[2]);
            (Operation operation, Tensor stored) = layer.IsDense ? Dense(node.Operation, factor, isLast) : Convolved((Convolution)node.Operation, axes, factor);
            constants[weights] = stored;
            chain.Add(new(name, operation, inputs, [output]));
            value = output;
        }
        int at = graph.Nodes.IndexOf(node);
        if (!graph.Nodes.Any(other => other != node && other.Inputs.Contains(layer.Name))) constants.Remove(layer.Name);
        return graph with
        {
            Nodes = graph.Nodes.RemoveAt(at).InsertRange(at, chain),
            Initializers = constants.ToImmutable(),
            Inputs = graph.Inputs.RemoveAll(port => port.Name == layer.Name),
        };
    }

    /// <summary>A factor as a convolution: axes [out, in, h, w] of which in and those of space may be missing.</summary>
    private static (Operation, Tensor) Convolved(Convolution whole, string axes, Tensor<float> factor)
    {
        string bonds = axes.TrimEnd('h', 'w');
        bool down = axes.Contains('h'), right = axes.Contains('w'), depthwise = bonds.Length == 1;
        int height = down ? factor.Shape[axes.IndexOf('h')] : 1, width = right ? factor.Shape[axes.IndexOf('w')] : 1;
        Tensor<float> weights = factor.As([factor.Shape[0], depthwise ? 1 : factor.Shape[1], height, width]);
        Convolution stage = new()
        {
            KernelShape = [height, width],
            Strides = Own(whole.Strides, 1, down, right),
            Dilations = Own(whole.Dilations, 1, down, right),
            Pads = whole.Pads.IsEmpty ? [] : [down ? whole.Pads[0] : 0, right ? whole.Pads[1] : 0, down ? whole.Pads[2] : 0, right ? whole.Pads[3] : 0],
            AutoPad = whole.AutoPad,
            Groups = depthwise ? factor.Shape[0] : 1,
        };
        return (stage, weights);
    }

    private static ImmutableArray<int> Own(ImmutableArray<int> values, int neutral, bool down, bool right) =>
        values.IsEmpty ? [] : [down ? values[0] : neutral, right ? values[1] : neutral];

    /// <summary>A factor [out, in, 1, 1] or [out, in] as a matrix product.</summary>
    private static (Operation, Tensor) Dense(Operation whole, Tensor<float> factor, bool isLast)
    {
        Tensor<float> matrix = factor.As([factor.Shape[0], factor.Shape[1]]);
        if (whole is Gemm gemm) return (new Gemm { TransposeB = true, Beta = isLast ? gemm.Beta : 1 }, matrix);
        Tensor<float> turned = new([matrix.Shape[1], matrix.Shape[0]]);
        Strided.Permute<float>(matrix.Shape, matrix.Values, [1, 0], turned.Values);
        return (new MatMul(), turned);
    }
}
