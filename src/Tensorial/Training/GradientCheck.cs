using Tensorial.Execution;
using Tensorial.Graphs;

namespace Tensorial.Training;

/// <summary>Gradients against finite differences of a loss that is computed slowly, in float64.</summary>
internal static class GradientCheck
{
    /// <summary>Part of their length by which weights are moved.</summary>
    private const double Step = 1e-5;

    /// <summary>
    /// How far the derivative along a random direction is from (L(w + h d) - L(w - h d)) / 2h, over the larger of the two and of a hundredth of
    /// ‖g‖ ‖d‖ / √n. L is ½ Σ y² of the network in training form on a few images.
    /// </summary>
    /// <param name="graph">The network as it is trained, in float32.</param>
    /// <param name="images">Some images.</param>
    /// <param name="seed">Decides the direction.</param>
    /// <returns>Null where the network drops values at random, so that it is no function.</returns>
    public static double? Deviation(Graph graph, Tensor<float> images, int seed)
    {
        using TrainedNetwork network = new(graph, threads: 1);
        TrainingForm form = TrainingForm.From(graph);
        if (!form.Masks.IsEmpty)
            return null;
        Tensor<float> output = network.Forward(images).Clone();
        network.Backward(output);
        Random random = new(seed);
        double along = 0,
            lengthOfGradient = 0,
            lengthOfDirection = 0;
        long count = 0;
        Dictionary<string, Tensor<double>> directions = [];
        foreach (TrainedWeight weight in network.Weights)
        {
            Tensor<double> direction = new(weight.Value.Shape);
            double scale = Math.Sqrt(weight.Value.Values.ToArray().Average(static value => (double)value * value)) + 1e-3;
            for (int i = 0; i < direction.Shape.ElementCount; i++)
            {
                direction.Values[i] = scale * (random.NextDouble() - 0.5);
                along += direction.Values[i] * weight.Gradient.Values[i];
                lengthOfGradient += (double)weight.Gradient.Values[i] * weight.Gradient.Values[i];
                lengthOfDirection += direction.Values[i] * direction.Values[i];
            }
            count += direction.Shape.ElementCount;
            directions[weight.Name] = direction;
        }
        Graph wide = PlainEvaluation.InFloat64(form.Graph);
        double difference = (LossAt(Step) - LossAt(-Step)) / (2 * Step),
            typical = Math.Sqrt(lengthOfGradient * lengthOfDirection / Math.Max(1, count));
        return Math.Abs(difference - along) / Math.Max(Math.Max(Math.Abs(along), Math.Abs(difference)), 0.01 * typical);

        double LossAt(double h)
        {
            Graph moved = wide;
            foreach ((string name, Tensor<double> direction) in directions)
            {
                Tensor<double> value = ((Tensor<double>)wide.ConstantOf(name)!).Clone();
                for (int i = 0; i < direction.Shape.ElementCount; i++)
                    value.Values[i] += h * direction.Values[i];
                moved = moved.With(name, value);
            }
            Tensor answer = Interpreter.Run(
                moved,
                new Dictionary<string, Tensor> { [graph.FreeInputs[0].Name] = images.To(ElementType.Float64) }
            )[graph.Outputs[0].Name];
            double sum = 0;
            foreach (double value in answer.Of<double>().Values)
                sum += value * value;
            return sum / 2;
        }
    }
}
