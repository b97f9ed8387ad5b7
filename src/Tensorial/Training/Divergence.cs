using Tensorial.Networks;
using Tensorial.Networks.Gradients;

namespace Tensorial.Training;

/// <summary>Finds where a training that broke down first holds numbers that are none.</summary>
internal static class Divergence
{
    /// <summary>What to tell people: the step, and the first weight, gradient or layer that is not finite.</summary>
    public static NumericalException Of(TrainedNetwork network, Graph form, Tensor<float> images, int epoch, int step, double loss)
    {
        string place = network.Weights.FirstOrDefault(static w => !IsFinite(w.Value)) is { } weight ? $"the weights '{weight.Name}' are no longer finite"
            : FirstLayer(form, images) is { } node ? $"layer '{node.Label}' ({node.Operation.Name}) is the first whose values are not finite"
            : network.Weights.FirstOrDefault(static w => !IsFinite(w.Gradient)) is { } steep ? $"the gradient of '{steep.Name}' is not finite"
            : "all values are still finite, the largest gradient is that of '" + network.Weights.MaxBy(static w => Largest(w.Gradient))!.Name + "'";
        return new($"Training diverged in epoch {epoch} at step {step}: the loss is {loss:G4}; {place}. A smaller learning rate, a warm-up or clipped gradients may help.");
    }

    public static bool IsFinite(Tensor<float> tensor)
    {
        foreach (float value in tensor.Values)
            if (!float.IsFinite(value)) return false;
        return true;
    }

    private static float Largest(Tensor<float> tensor) => System.Numerics.Tensors.TensorPrimitives.MaxMagnitude<float>(tensor.Values);

    private static Node? FirstLayer(Graph form, Tensor<float> images)
    {
        Dictionary<string, Tensor> values = new(form.Initializers) { [form.Inputs.First(port => !form.Initializers.ContainsKey(port.Name)).Name] = images };
        foreach (Node node in form.Nodes)
        {
            if (node.Inputs.Any(name => name.Length > 0 && !values.ContainsKey(name))) return null;
            Tensor[] results = node.Operation.Apply([.. node.Inputs.Select(name => name.Length > 0 ? values[name] : null)]);
            for (int k = 0; k < node.Outputs.Length; k++) values[node.Outputs[k]] = results[k];
            if (results[0] is Tensor<float> made && !IsFinite(made)) return node;
        }
        return null;
    }
}
