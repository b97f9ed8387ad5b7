using System.Diagnostics;
using Tensorial.Autodiff.Operations;
using Tensorial.Data;
using Tensorial.Networks;

namespace Tensorial.Analysis;

/// <summary>Measures how well a network does on labelled images.</summary>
public static class Evaluator
{
    /// <summary>Evaluates a network on every image of a set; the time includes reading and scoring.</summary>
    /// <exception cref="BadInputException">The images do not fit the network, or it has fewer outputs than the set has classes.</exception>
    /// <exception cref="NumericalException">An output is not a finite number.</exception>
    public static Timed<Evaluation> Run(
        Inference network, Graph graph, ImageSet images, int batch = 256, IProgress<Progress>? progress = null, CancellationToken cancel = default)
    {
        Score score = new(EndsInSoftmax(graph));
        Stopwatch clock = Stopwatch.StartNew();
        for (int first = 0; first < images.Count; first += batch)
        {
            cancel.ThrowIfCancellationRequested();
            int count = Math.Min(batch, images.Count - first);
            score.Add(network.Run(images.Batch(first, count)), images.Labels.Slice(first, count));
            progress?.Report(new("evaluate", first + count, images.Count, "images"));
        }
        return new(score.Result(), clock.Elapsed);
    }

    /// <summary>Whether a network's first output is a probability already, so that its loss takes no second softmax.</summary>
    public static bool EndsInSoftmax(Graph graph) => graph.Nodes.Any(node => node.Operation is Softmax && node.Outputs[0] == graph.Outputs[0].Name);
}

/// <summary>A result and the wall-clock time it took.</summary>
public readonly record struct Timed<T>(T Result, TimeSpan Elapsed);

/// <summary>Adds up correct answers and loss over batches.</summary>
/// <param name="probabilities">Whether outputs are probabilities rather than logits.</param>
internal sealed class Score(bool probabilities)
{
    private int _samples;
    private int _top1;
    private int _top5;
    private double _loss;

    /// <summary>Scores one batch; equal outputs rank by class number.</summary>
    /// <param name="outputs">[n, classes], or more axes that multiply to it.</param>
    /// <param name="labels">n class numbers.</param>
    public void Add(Tensor<float> outputs, ReadOnlySpan<int> labels)
    {
        int classes = outputs.Shape.Count / Math.Max(1, labels.Length);
        for (int image = 0; image < labels.Length; image++)
        {
            ReadOnlySpan<float> row = outputs.Values.Slice(image * classes, classes);
            int label = labels[image];
            if (label >= classes)
                throw new BadInputException($"Image {_samples} has the label {label}, but the network tells only {classes} classes apart.");
            int ahead = 0;
            double largest = double.NegativeInfinity;
            for (int other = 0; other < classes; other++)
            {
                if (!float.IsFinite(row[other])) throw new NumericalException($"The network's output {other} for image {_samples} is {row[other]}.");
                if (row[other] > row[label] || (row[other] == row[label] && other < label)) ahead++;
                largest = Math.Max(largest, row[other]);
            }
            _samples++;
            if (ahead == 0) _top1++;
            if (ahead < 5) _top5++;
            _loss += probabilities ? -Math.Log(Math.Max(row[label], float.Epsilon)) : largest + Math.Log(SumOfExponentials(row, largest)) - row[label];
        }
    }

    public Evaluation Result()
    {
        double samples = Math.Max(1, _samples);
        return new(_samples, _top1 / samples, _top5 / samples, _loss / samples);
    }

    private static double SumOfExponentials(ReadOnlySpan<float> row, double largest)
    {
        double sum = 0;
        foreach (float value in row) sum += Math.Exp(value - largest);
        return sum;
    }
}
