using System.Globalization;
using System.Numerics.Tensors;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Training;

/// <summary>Finds where a training that broke down first holds numbers that are none.</summary>
internal static class Divergence
{
    /// <summary>The first weight, layer or gradient that is not finite; where all are, the layer in which values grow most.</summary>
    public static string PlaceIn(TrainedNetwork network, Graph form, Tensor<float> images)
    {
        if (network.Weights.FirstOrDefault(static w => !IsFinite(w.Value)) is { } weight)
            return $"the weights '{weight.Name}' are no longer finite";
        (Node? broken, Growth? most) = Walk(form, images);
        return broken is not null ? $"layer {Named(broken)} is the first whose values are not finite"
            : network.Weights.FirstOrDefault(static w => !IsFinite(w.Gradient)) is { } steep
                ? $"the gradient of '{steep.Name}' is not finite"
            : most is { } growth
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"all values are still finite, they grow most in layer {Named(growth.Layer)}, from {growth.From:G3} to {growth.To:G3} at most"
                )
            : "all values are still finite";
    }

    public static bool IsFinite(Tensor<float> tensor)
    {
        foreach (float value in tensor.Values)
            if (!float.IsFinite(value))
                return false;
        return true;
    }

    private static string Named(Node node) =>
        $"'{node.Label}' ({(node.Operation is BatchNormalizationInTraining ? nameof(BatchNormalization) : node.Operation.Name)})";

    private static float Largest(Tensor<float> tensor) => Math.Abs(TensorPrimitives.MaxMagnitude<float>(tensor.Values));

    /// <summary>The largest magnitude that a layer reads from other layers, and the largest it makes.</summary>
    private readonly record struct Growth(Node Layer, float From, float To)
    {
        public float Factor => To / Math.Max(From, float.Epsilon);
    }

    /// <summary>Goes through a network layer by layer, as its operations define them, to the first that makes what is no number.</summary>
    private static (Node? Broken, Growth? Most) Walk(Graph form, Tensor<float> images)
    {
        Dictionary<string, Tensor> values = new(form.Initializers)
        {
            [form.Inputs.First(port => !form.Initializers.ContainsKey(port.Name)).Name] = images,
        };
        Growth? most = null;
        foreach (Node node in form.Nodes)
        {
            if (node.Inputs.Any(name => name.Length > 0 && !values.ContainsKey(name)))
                break;
            Tensor[] results = node.Operation.Apply([.. node.Inputs.Select(name => name.Length > 0 ? values[name] : null)]);
            for (int k = 0; k < node.Outputs.Length; k++)
                values[node.Outputs[k]] = results[k];
            if (results[0] is not Tensor<float> made)
                continue;
            if (!IsFinite(made))
                return (node, null);
            float[] read =
            [
                .. node
                    .Inputs.Where(name => name.Length > 0 && !form.Initializers.ContainsKey(name))
                    .Select(name => values[name])
                    .OfType<Tensor<float>>()
                    .Select(Largest),
            ];
            if (
                read.Length > 0
                && new Growth(node, read.Max(), Largest(made)) is var growth
                && (most is null || growth.Factor > most.Value.Factor)
            )
                most = growth;
        }
        return (null, most);
    }
}
