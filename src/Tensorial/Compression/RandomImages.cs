using Tensorial.Graphs;

namespace Tensorial.Compression;

/// <summary>Normally distributed pixels, for where only shapes matter.</summary>
public static class RandomImages
{
    /// <summary>A batch that a network takes; free extents other than the batch are 1.</summary>
    /// <exception cref="BadInputException">The network has no single input of known rank.</exception>
    public static Tensor<float> Of(Graph graph, int batch, int seed)
    {
        Port[] inputs = [.. graph.Inputs.Where(port => !graph.Initializers.ContainsKey(port.Name))];
        if (inputs is not [{ Dimensions: { Length: > 0 } dimensions }])
            throw new BadInputException($"A network with one input of known shape was expected; this one has {inputs.Length}.");
        Tensor<float> images = new(Shape.Of([batch, .. dimensions.Skip(1).Select(static dimension => dimension.Extent ?? 1)]));
        Random random = new(seed);
        foreach (ref float value in images.Values)
            value = (float)random.NextNormal();
        return images;
    }
}
