using System.Collections.Immutable;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Analysis;

/// <summary>
/// Estimates the means and variances of batch normalisations again on images, after other weights have changed. Layer by layer
/// with rising depth, so that every estimate sees the layers before it already recalibrated, and pooled over all images at once:
/// mean = sum n_b mean_b / N, variance = sum n_b (variance_b + mean_b²) / N - mean², times N / (N - 1) as in training.
/// </summary>
internal sealed class BatchNormRecalibration(Graph original, ImageSet images, int batch, int threads)
{
    /// <summary>The normalisations of a network whose statistics are constants of their own, which no other node reads.</summary>
    private readonly ImmutableArray<Node> _normalizations = WithOwnStatistics(original);

    /// <summary>A network with the original's structure, its statistics estimated again.</summary>
    public Graph Of(Graph graph, CancellationToken cancel)
    {
        foreach (Node node in _normalizations)
        {
            (double[] means, double[] variances) = Statistics(graph.ExtractSubgraph(node.Inputs[0]), cancel);
            graph = Replace(Replace(graph, node.Inputs[3], means), node.Inputs[4], variances);
        }
        return graph;
    }

    private static ImmutableArray<Node> WithOwnStatistics(Graph graph)
    {
        Dictionary<string, int> reads = [];
        foreach (string name in graph.Nodes.SelectMany(static node => node.Reads))
            reads[name] = reads.GetValueOrDefault(name) + 1;
        return
        [
            .. graph.Nodes.Where(node =>
                node.Operation is BatchNormalization
                && node.Inputs.Length >= 5
                && node.Inputs[3..5].All(name => graph.Initializers.ContainsKey(name) && reads[name] == 1)
            ),
        ];
    }

    private (double[] Means, double[] Variances) Statistics(Graph graph, CancellationToken cancel)
    {
        using Inference network = new(InFloat32.Apply(graph), threads);
        double[] sums = [],
            squares = [];
        double count = 0;
        foreach (ImageBatch some in images.Batches(batch, cancel))
        {
            Tensor<float> values = network.Run(some.Images);
            int channels = values.Shape[1],
                plane = values.Shape.ElementCountOf(2, values.Shape.Rank);
            if (sums.Length == 0)
                (sums, squares) = (new double[channels], new double[channels]);
            for (int index = 0; index < values.Shape[0] * channels; index++)
            {
                foreach (float value in values.Values.Slice(index * plane, plane))
                {
                    sums[index % channels] += value;
                    squares[index % channels] += (double)value * value;
                }
            }
            count += (double)values.Shape[0] * plane;
        }
        double[] means = [.. sums.Select(sum => sum / count)];
        double unbias = count > 1 ? count / (count - 1) : 1;
        return (means, [.. squares.Select((sum, c) => Math.Max(0, sum / count - means[c] * means[c]) * unbias)]);
    }

    private static Graph Replace(Graph graph, string name, double[] values) =>
        graph.With(name, new Tensor<double>([values.Length], values).To(graph.Initializers[name].ElementType));
}
