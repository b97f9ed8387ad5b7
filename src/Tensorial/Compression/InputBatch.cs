using Tensorial.Data;
using Tensorial.Graphs;

namespace Tensorial.Compression;

/// <summary>Inputs that a network is given at once.</summary>
/// <param name="Inputs">A tensor for every input, by name.</param>
/// <param name="Extent">The first extent of the inputs.</param>
/// <param name="Count">How many of these are samples; the others only fill a batch whose size the network fixes.</param>
/// <param name="Labels">The class of each sample; empty where there are none.</param>
internal sealed record InputBatch(IReadOnlyDictionary<string, Tensor> Inputs, int Extent, int Count, ReadOnlyMemory<int> Labels)
{
    /// <summary>Random samples, of a scale where one is given: one batch where the network leaves its size open, else as many batches as it takes.</summary>
    /// <inheritdoc cref="RandomInputs.Create" path="/exception"/>
    public static IEnumerable<InputBatch> Random(Graph graph, int samples, int seed, InputScale? scale = null)
    {
        int extent = FixedBatch(graph) ?? samples;
        for (int first = 0; first < samples; first += extent)
            yield return new(RandomInputs.Create(graph, extent, seed + first, scale), extent, Math.Min(extent, samples - first), default);
    }

    /// <summary>The images of a set, in batches of the size that the network fixes, or of the one given.</summary>
    /// <exception cref="BadInputException">The network has several inputs.</exception>
    public static IEnumerable<InputBatch> Images(Graph graph, ImageSet images, int batch)
    {
        if (graph.FreeInputs is not [{ } input])
            throw new BadInputException(
                $"Images go into one input; this network has {graph.FreeInputs.Length}: {string.Join(", ", graph.FreeInputs.Select(static port => port.Name))}."
            );
        int extent = FixedBatch(graph) ?? batch;
        for (int first = 0; first < images.Count; first += extent)
        {
            int count = Math.Min(extent, images.Count - first);
            Tensor<float> pixels = images.Batch(first, count);
            if (FixedBatch(graph) is not null && count < extent)
            {
                Tensor<float> filled = new(pixels.Shape.With(0, extent));
                pixels.Values.CopyTo(filled.Values);
                pixels = filled;
            }
            yield return new(
                new Dictionary<string, Tensor> { [input.Name] = pixels.To(input.Type) },
                pixels.Shape[0],
                count,
                images.HasLabels ? images.LabelsFor("A comparison").Slice(first, count) : default
            );
        }
    }

    /// <summary>The first extent of the inputs, where the network fixes it; null where it is open, or there is none.</summary>
    private static int? FixedBatch(Graph graph) =>
        graph.FreeInputs.FirstOrDefault() is { Dimensions: { Length: > 0 } dimensions } ? dimensions[0].Extent : null;
}
