using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.LinearAlgebra;
using Tensorial.Operations;
using MatrixProduct = Tensorial.Kernels.MatrixProduct;

namespace Tensorial.Compression;

/// <summary>The measures in which layers are fitted, from what calibration images make them read.</summary>
internal static class LayerMetrics
{
    /// <summary>Σ of more inputs than this [ihw] would take gigabytes and hours; such layers are fitted in the plain norm.</summary>
    public const int MostInputs = 1200;

    /// <summary>
    /// Whether the layer's covariance is affordable. Groups, which read different channels, are fitted in the plain norm.
    /// </summary>
    public static bool Suits(CompressibleLayer layer) =>
        layer.Groups == 1 && layer.Kernel.Shape.ElementCount / layer.Kernel.Shape[0] <= MostInputs;

    /// <summary>
    /// The measure of a layer's kernel: without moments the plain norm; with them what its answers change by, the means left out where the
    /// network has a place to make them right.
    /// </summary>
    public static KernelMetric Of(Graph graph, CompressibleLayer layer, InputMoments? moments) =>
        new(
            moments is null ? null : KernelMetric.Regularised(moments.Own(ShiftSlot.From(graph, layer) is not null)),
            OutputWeights(graph, layer)
        );

    /// <summary>
    /// What a batch normalisation behind the layer makes of its output channels: |γ| / √(σ² + ε). Null where there is none.
    /// </summary>
    public static double[]? OutputWeights(Graph graph, CompressibleLayer layer)
    {
        if (layer.Uses.Length > 1)
            return null;
        string output = layer.Use.Made;
        Node[] readers = [.. graph.Nodes.Where(node => node.Inputs.Contains(output)).Take(2)];
        if (readers is not [{ Operation: BatchNormalization norm } node])
            return null;
        if (Values(graph, node.Inputs[1]) is not { } scale || Values(graph, node.Inputs[4]) is not { } variance)
            return null;
        double[] weights = [.. scale.Zip(variance, (g, v) => Math.Abs(g) / Math.Sqrt(v + norm.Epsilon))];
        // A channel that is scaled to nothing must still be solvable for.
        double floor = 1e-3 * weights.Max();
        return floor > 0 ? [.. weights.Select(weight => Math.Max(weight, floor))] : null;
    }

    /// <summary>
    /// The kernel to aim at where earlier layers have changed: the one that, reading the changed inputs x, comes nearest to what the dense
    /// kernel W answers to the original ones y: W ⟨y xᵀ⟩ ⟨x xᵀ⟩⁻¹.
    /// </summary>
    public static Tensor<double> Target(Tensor<double> kernel, Tensor<double> own, Tensor<double> regularised, Tensor<double> cross)
    {
        int n = own.Shape[0],
            outputs = kernel.Shape[0];
        double[] target = new double[outputs * n],
            both = cross.Values.ToArray();
        // The ridge on both sides: unchanged inputs give back the kernel.
        for (int k = 0; k < n; k++)
            both[k * n + k] += regularised.Values[k * n + k] - own.Values[k * n + k];
        MatrixProduct.Multiply<double>(outputs, n, n, 1, kernel.Values, n, 1, both, n, 1, 0, target, n, Kernels.Workers.Serial);
        Cholesky.OfRegularised<double>(regularised.Values, n).SolveRows(target);
        return new(kernel.Shape, target);
    }

    private static double[]? Values(Graph graph, string name) =>
        graph.Initializers.GetValueOrDefault(name) is { } values && values.ElementType.IsFloating()
            ? values.To(ElementType.Float64).Of<double>().Values.ToArray()
            : null;
}
