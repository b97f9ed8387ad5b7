using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Forgets what a network has learnt: every weight is drawn anew as <see cref="NetworkBuilder"/> draws it, running statistics are those of
/// no image yet. What is form and not weight stays: nodes, names, shapes, the constants of activations.
/// </summary>
internal static class FreshWeights
{
    /// <summary>Slope of a rectifier that learns its own (He et al. 2015).</summary>
    private const float Slope = 0.25f;

    /// <summary>
    /// The same network with fresh weights: kernels of convolutions normal with variance 2 / fan-out (He et al. 2015), matrices even in ± 1
    /// / √inputs, scales 1, shifts and biases 0. Factors of other products, whose scale only all of them together decide, are normal with
    /// the root mean square they had.
    /// </summary>
    /// <param name="graph">The network.</param>
    /// <param name="seed">Decides the weights.</param>
    public static Graph Initialize(Graph graph, int seed)
    {
        graph = WeightsAsInitializers.ForTraining(graph);
        Random random = new(seed);
        Dictionary<string, (Node Node, int Input)> uses = [];
        foreach (Node node in graph.Nodes)
            for (int i = 0; i < node.Inputs.Length; i++)
                uses.TryAdd(node.Inputs[i], (node, i));
        // Whoever reads a weight that a Cast widens says what it is.
        foreach ((string name, (Node node, int _)) in uses.ToArray())
            if (node.Operation is Cast && uses.TryGetValue(node.Outputs[0], out (Node, int) reader))
                uses[name] = reader;
        foreach (TrainableConstant constant in TrainableConstants.Of(graph))
            if (graph.ConstantOf(constant.Name) is { } learnt)
                graph = graph.WithValues(
                    constant.Name,
                    Fresh(
                        constant.Role,
                        learnt.To(ElementType.Float32).Of<float>(),
                        uses[constant.Name].Node,
                        uses[constant.Name].Input,
                        random
                    )
                );
        foreach (Node node in graph.Nodes.Where(static node => node.Operation is BatchNormalization && node.Inputs.Length == 5))
        foreach ((string name, float value) in ((string, float)[])[(node.Inputs[3], 0), (node.Inputs[4], 1)])
            if (graph.ConstantOf(name) is { } statistic)
                graph = graph.WithValues(name, Filled(statistic.Shape, value));
        return graph;
    }

    private static Tensor<float> Fresh(WeightRole role, Tensor<float> learnt, Node node, int input, Random random) =>
        (role, node.Operation) switch
        {
            (WeightRole.Bias, _) => Filled(learnt.Shape, 0),
            (WeightRole.Normalization, PRelu) => Filled(learnt.Shape, Slope),
            (WeightRole.Normalization, Mul) => Filled(learnt.Shape, 1),
            (WeightRole.Normalization, _) => Filled(learnt.Shape, input == 1 ? 1 : 0),
            (_, Convolution convolution) => InitialWeights.Kernel(
                learnt.Shape,
                learnt.Shape.ElementCount / learnt.Shape[1] / convolution.Groups,
                random
            ),
            // Here a kernel is [inputs, outputs / groups, …].
            (_, ConvolutionTranspose) => InitialWeights.Kernel(learnt.Shape, learnt.Shape.ElementCount / learnt.Shape[0], random),
            (_, Gemm dense) when input == 1 => InitialWeights.Matrix(learnt.Shape, learnt.Shape[dense.TransposeB ? 1 : 0], random),
            (_, MatMul) when learnt.Shape.Rank > 1 => InitialWeights.Matrix(
                learnt.Shape,
                learnt.Shape[input == 1 ? learnt.Shape.Rank - 2 : learnt.Shape.Rank - 1],
                random
            ),
            _ => InitialWeights.Normal(learnt.Shape, RootMeanSquare(learnt), random),
        };

    private static double RootMeanSquare(Tensor<float> tensor) =>
        Math.Sqrt(System.Numerics.Tensors.TensorPrimitives.SumOfSquares<float>(tensor.Values) / Math.Max(1, tensor.Shape.ElementCount));

    private static Tensor<float> Filled(Shape shape, float value)
    {
        Tensor<float> tensor = new(shape);
        tensor.Values.Fill(value);
        return tensor;
    }
}
