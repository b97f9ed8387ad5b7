using System.Globalization;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Analysis;

/// <summary>
/// What a network's first batch normalisation reads of some images, beside the running statistics it was trained to: images that are
/// normalised otherwise than in training show there.
/// </summary>
/// <param name="Layer">The normalisation.</param>
/// <param name="Images">Images looked at.</param>
/// <param name="Shift">Mean over channels of |mean of the images - running mean| / running standard deviation.</param>
/// <param name="Expected">Running standard deviation, root mean square over channels.</param>
/// <param name="Found">Standard deviation of the images, likewise.</param>
internal sealed record NormalizationCheck(string Layer, int Images, double Shift, double Expected, double Found)
{
    /// <summary>Enough for means over all their pixels.</summary>
    private const int MostImages = 64;

    /// <summary>
    /// How far the deviations may be apart, and the means in deviations. Right images of ten or more are within 1.2 and 0.3; means and
    /// deviations left out, a scale of 255, or one that is missing are beyond.
    /// </summary>
    private const double MostRatio = 1.5,
        MostShift = 0.75;

    /// <summary>Whether the images are likely to be normalised otherwise than those that the network was trained on.</summary>
    public bool IsSuspicious => !(Found <= MostRatio * Expected && Expected <= MostRatio * Found && Shift <= MostShift);

    /// <summary>Both numbers in a sentence.</summary>
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"At the first batch normalisation ('{Layer}') {Images} of the images have a standard deviation of {Found:G3} where training had {Expected:G3}, and means {Shift:F2} standard deviations away."
        );

    /// <summary>Looks at the first images of a set.</summary>
    /// <returns>Null where the network has no batch normalisation with running statistics, or cannot be run up to it.</returns>
    public static NormalizationCheck? From(Graph graph, ImageSet images, int threads)
    {
        Node? node = graph.Nodes.FirstOrDefault(node =>
            node.Operation is BatchNormalization && node.Inputs.Length >= 5 && node.Inputs[3..5].All(graph.Initializers.ContainsKey)
        );
        if (node is null || graph.Inputs.Any(port => port.Name == node.Inputs[0]))
            return null;
        Tensor<float> values;
        int count = Math.Min(MostImages, images.Count);
        try
        {
            using Inference network = new(InFloat32.Apply(graph.ExtractSubgraph(node.Inputs[0])), threads);
            values = network.Run(images.Batch(0, count));
        }
        catch (BadInputException)
        {
            // What these images are no input of says so itself when it runs.
            return null;
        }
        ReadOnlySpan<float> means = graph.Initializers[node.Inputs[3]].To(ElementType.Float32).Of<float>().Values,
            variances = graph.Initializers[node.Inputs[4]].To(ElementType.Float32).Of<float>().Values;
        if (values.Shape.Rank < 2 || values.Shape[0] != count || values.Shape[1] != means.Length)
            return null;
        int channels = means.Length,
            plane = values.Shape.ElementCountOf(2, values.Shape.Rank);
        double shift = 0,
            expected = 0,
            found = 0;
        for (int channel = 0; channel < channels; channel++)
        {
            double sum = 0,
                squares = 0;
            for (int image = 0; image < count; image++)
                foreach (float value in values.Values.Slice((image * channels + channel) * plane, plane))
                    (sum, squares) = (sum + value, squares + (double)value * value);
            double mean = sum / ((double)count * plane);
            shift += Math.Abs(mean - means[channel]) / Math.Sqrt(Math.Max(variances[channel], 1e-12)) / channels;
            expected += variances[channel] / channels;
            found += Math.Max(0, squares / ((double)count * plane) - mean * mean) / channels;
        }
        return new(node.Label, count, shift, Math.Sqrt(expected), Math.Sqrt(found));
    }
}
