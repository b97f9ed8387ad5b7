using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;

namespace Tensorial.Compression;

/// <summary>
/// Mean KL divergence of the network's predictions, in nats, plus the squared relative error of each output that is no class scores, when
/// one layer alone is replaced by another kernel. Layers are asked for in
/// the order of the network; the activations before each are then computed once.
/// </summary>
internal sealed class SensitivityMeasurement : IDisposable
{
    private const int Batch = 50;

    /// <summary>The damage of a kernel that leaves no finite answers: more than any other, and still a number that adds up.</summary>
    private const double Worst = 1e30;

    /// <summary>Bytes of activations kept.</summary>
    private const long ActivationBudget = 1L << 29;

    private readonly Graph _graph;
    private readonly Inference _dense;
    private readonly ScoreOutput? _scores;
    private readonly List<(Activations At, ImmutableArray<Tensor> Answers)> _batches = [];

    /// <exception cref="NumericalException">The network answers an image with NaN.</exception>
    public SensitivityMeasurement(Graph graph, ImmutableArray<CompressibleLayer> layers, ImageSet images, int threads)
    {
        // Calibration works in float32, whatever the file stores.
        graph = InFloat32.Apply(graph);
        (_graph, _dense, _scores) = (graph, new(graph, threads), ScoreOutput.Find(graph, images.HasLabels ? images.Classes : null));
        Order = [.. Enumerable.Range(0, layers.Length).OrderBy(layer => _dense.StepOf(layers[layer].Name))];
        int first = layers.Length == 0 ? 0 : _dense.StepOf(layers[Order[0]].Name);
        long bytes = 0;
        for (int image = 0; image < images.Count && bytes < ActivationBudget; image += Batch)
        {
            Tensor<float> pixels = images.Batch(image, Math.Min(Batch, images.Count - image));
            Activations start = _dense.RunTo(first, pixels);
            bytes += 2 * start.Bytes + pixels.Values.Length * sizeof(float);
            ImmutableArray<Tensor> answers = _dense.RunAll(pixels);
            if (answers.Any(static answer => answer is Tensor<float> values && TensorPrimitives.IsNaNAny<float>(values.Values)))
                throw new NumericalException(
                    $"The network answers some of the images {image:N0} to {image + pixels.Shape[0] - 1:N0} with NaN: what a change of its layers does cannot be measured by that."
                );
            _batches.Add((start, answers));
        }
    }

    /// <summary>The layers in the order of the network.</summary>
    public ImmutableArray<int> Order { get; }

    /// <summary>
    /// The damage of a kernel [o, i, h, w] in a layer's place, the means of its answers made right where the network has a place for that.
    /// </summary>
    /// <param name="layer">The layer.</param>
    /// <param name="kernel">The kernel.</param>
    /// <param name="mean">What the layer reads on average [i h w]; null where that is not known.</param>
    public double Of(CompressibleLayer layer, Tensor<double> kernel, double[]? mean)
    {
        int step = _dense.StepOf(layer.Name);
        for (int k = 0; k < _batches.Count; k++)
            if (_batches[k].At.Step < step)
                _batches[k] = (_dense.Continue(_batches[k].At, step), _batches[k].Answers);
        Graph graph = _graph.WithValues(layer.Name, layer.StoredAs(kernel));
        if (mean is not null && ShiftSlot.From(_graph, layer) is { } slot)
            graph = slot.Apply(graph, _graph, ShiftSlot.Shift(layer.Kernel, mean, kernel, mean));
        Inference changed = _dense.With(graph);
        double damage =
            _batches.Sum(batch => Verification.DivergenceOf(_graph, batch.Answers, changed.RunAllFrom(batch.At), _scores, batch.At.Images))
            / _batches.Count;
        return damage < Worst ? damage : Worst;
    }

    public void Dispose() => _dense.Dispose();
}
