using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>
/// Where a network can add a constant to each output channel of a layer without another node: the layer's own bias, or the mean of the
/// batch normalisation behind it. With it the means of the answers are made right exactly, and factors are fitted to what varies.
/// </summary>
/// <param name="Name">The constant.</param>
/// <param name="Sign">1 for a bias, -1 for a mean that is subtracted.</param>
internal sealed record ShiftSlot(string Name, int Sign)
{
    /// <summary>The slot of a layer; null where it has none of its own, or stands in several places.</summary>
    public static ShiftSlot? From(Graph graph, CompressibleLayer layer)
    {
        if (layer.Uses.Length > 1 || layer.Use.IsRecurrent)
            return null;
        Node node = layer.Use.Node;
        if (node.Operation is not MatMul && node.Inputs.Length > 2 && node.Inputs[2].Length > 0)
            return IsOwn(node.Inputs[2]) && node.Operation is not Gemm { Beta: not 1 } ? new(node.Inputs[2], 1) : null;
        Node[] readers = [.. graph.Nodes.Where(reader => reader.Reads.Contains(node.Outputs[0])).Take(2)];
        return readers switch
        {
            [{ Operation: BatchNormalization } norm] when norm.Inputs.Length > 3 && IsOwn(norm.Inputs[3]) => new(norm.Inputs[3], -1),
            // The bias of a matrix product is an addition of its own, along the last axis.
            [{ Operation: Add } add]
                when node.Operation is MatMul && layer.Use.Operand == 1 && add.Inputs.FirstOrDefault(IsOwn) is { } bias => new(bias, 1),
            _ => null,
        };

        bool IsOwn(string name) =>
            graph.Initializers.GetValueOrDefault(name) is { } values
            && values.ElementType.IsFloating()
            && values.Shape == [layer.Kernel.Shape[0]]
            && graph.Nodes.Count(reader => reader.Reads.Contains(name)) == 1;
    }

    /// <summary>What the layer must answer more, W m - W̃ m̃.</summary>
    /// <param name="kernel">W [o, i, h, w].</param>
    /// <param name="mean">m: what W reads on average.</param>
    /// <param name="changed">W̃.</param>
    /// <param name="changedMean">m̃: what W̃ reads on average.</param>
    public static double[] Shift(Tensor<double> kernel, double[] mean, Tensor<double> changed, double[] changedMean)
    {
        double[] shift = new double[kernel.Shape[0]];
        int n = mean.Length;
        for (int o = 0; o < shift.Length; o++)
        for (int k = 0; k < n; k++)
            shift[o] += kernel.Values[o * n + k] * mean[k] - changed.Values[o * n + k] * changedMean[k];
        return shift;
    }

    /// <summary>A network in which the layer answers more by a shift than in the original.</summary>
    public Graph Apply(Graph graph, Graph original, double[] shift)
    {
        Tensor stored = original.Initializers[Name];
        Tensor<double> values = new(stored.Shape);
        Conversion.Convert(stored, values);
        for (int o = 0; o < shift.Length; o++)
            values.Values[o] += Sign * shift[o];
        return graph.With(Name, values.To(stored.ElementType));
    }
}
