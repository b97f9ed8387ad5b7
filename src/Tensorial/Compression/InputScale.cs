using System.Globalization;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>
/// Mean and standard deviation of the inputs that a network was trained on, as far as its first batch normalisation tells: independent
/// normal numbers of this scale reach it with the running statistics it expects.
/// </summary>
/// <param name="Layer">The normalisation.</param>
/// <param name="Mean">Mean of the numbers.</param>
/// <param name="Deviation">Standard deviation.</param>
internal sealed record InputScale(string Layer, double Mean, double Deviation)
{
    /// <summary>Operations that keep what is before them a linear function of the input, given constants beside.</summary>
    private static readonly HashSet<string> Linear =
    [
        "Conv",
        "Gemm",
        "MatMul",
        "Pad",
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Identity",
        "Cast",
        "Transpose",
        "Reshape",
        "Squeeze",
        "Unsqueeze",
        "Slice",
        "Concat",
        "AveragePool",
    ];

    /// <summary>Samples of noise that are looked at.</summary>
    private const int Samples = 4;

    /// <summary>Multiply-accumulates that a look may take for one sample.</summary>
    private const long MostMacs = 2_000_000_000;

    /// <summary>In words.</summary>
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"normal numbers of mean {Mean:G3} and deviation {Deviation:G3}, as the first batch normalisation ('{Layer}') expects"
        );

    /// <summary>
    /// The scale for the one input of a network. Null where it has several, or its first normalisation with running statistics lies behind
    /// something that is not linear, or none is there.
    /// </summary>
    public static InputScale? From(Graph graph, int seed = 0)
    {
        graph = WeightsAsInitializers.Apply(graph).WithGuessedExtents();
        Node? node = graph.Nodes.FirstOrDefault(node =>
            node.Operation is BatchNormalization && node.Inputs.Length >= 5 && node.Inputs[3..5].All(graph.Initializers.ContainsKey)
        );
        if (node is null || graph.FreeInputs is not [{ } input])
            return null;
        (double[] means, double[] variances) = (ValuesOf(node.Inputs[3]), ValuesOf(node.Inputs[4]));
        if (node.Inputs[0] == input.Name)
            return Reasonable(node.Label, means.Average(), Math.Sqrt(variances.Average()));
        try
        {
            Graph start = InFloat32.Apply(graph).ExtractSubgraph(node.Inputs[0]);
            if (!start.Nodes.All(static node => Linear.Contains(node.Operation.Name)) || GraphStatistics.From(start).Macs > MostMacs)
                return null;
            using Inference network = new(start, 1);
            Tensor<float> noise = (Tensor<float>)RandomInputs.Create(start, FixedBatch(start) ?? Samples, seed)[input.Name];
            Tensor<float> zeros = new(noise.Shape),
                ones = new(noise.Shape);
            ones.Values.Fill(1);
            (double[] offset, double[] _) = Moments(network.Run(zeros), means.Length);
            (double[] level, double[] _) = Moments(network.Run(ones), means.Length);
            (double[] _, double[] spread) = Moments(network.Run(noise), means.Length);
            // The mean that brings all channels nearest to theirs, in their deviations.
            (double above, double below) = (0, 0);
            for (int channel = 0; channel < means.Length; channel++)
            {
                double slope = level[channel] - offset[channel],
                    weight = 1 / Math.Max(variances[channel], 1e-12);
                above += weight * slope * (means[channel] - offset[channel]);
                below += weight * slope * slope;
            }
            return Reasonable(node.Label, below > 0 ? above / below : 0, Math.Sqrt(variances.Average() / spread.Average()));
        }
        catch (Exception error) when (error is BadInputException or UnsupportedException)
        {
            return null;
        }

        double[] ValuesOf(string name) => ((Tensor<double>)graph.Initializers[name].To(ElementType.Float64)).Values.ToArray();
    }

    /// <summary>What random inputs are, in words.</summary>
    /// <param name="scale">Their scale; null where the network does not tell.</param>
    public static string Describe(InputScale? scale) =>
        scale?.ToString() ?? "normal numbers of mean 0 and deviation 1, as the network does not say what it expects";

    /// <summary>A sentence on how little random inputs prove.</summary>
    /// <param name="description">What they are (<see cref="Describe"/>).</param>
    public static string Proof(string description) =>
        $"Random inputs ({description}) show that the file runs, not how well: on real data the error may be several times larger or smaller.";

    private static InputScale? Reasonable(string layer, double mean, double deviation) =>
        double.IsFinite(mean) && double.IsFinite(deviation) && deviation > 0 ? new(layer, mean, deviation) : null;

    private static int? FixedBatch(Graph graph) => graph.FreeInputs.FirstOrDefault()?.Dimensions?.FirstOrDefault().Extent;

    /// <summary>Mean and variance of each channel, over samples and places.</summary>
    private static (double[] Means, double[] Variances) Moments(Tensor<float> values, int channels)
    {
        int samples = values.Shape[0],
            plane = values.Shape.ElementCountOf(2, values.Shape.Rank);
        if (values.Shape.Rank < 2 || values.Shape[1] != channels)
            throw new BadInputException($"Values {values.Shape} are no planes of {channels} channels.");
        double[] means = new double[channels],
            variances = new double[channels];
        for (int channel = 0; channel < channels; channel++)
        {
            (double sum, double squares) = (0, 0);
            for (int sample = 0; sample < samples; sample++)
                foreach (float value in values.Values.Slice((sample * channels + channel) * plane, plane))
                    (sum, squares) = (sum + value, squares + (double)value * value);
            double count = (double)samples * plane;
            means[channel] = sum / count;
            variances[channel] = Math.Max(0, squares / count - means[channel] * means[channel]);
        }
        return (means, variances);
    }
}
