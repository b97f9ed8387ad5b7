using Tensorial.Data;
using Tensorial.Graphs;

namespace Tensorial.Analysis;

/// <summary>Collects a network's answers to labelled images, batch by batch, into an <see cref="Evaluation"/>.</summary>
/// <param name="probabilities">Whether the answers are probabilities (after a softmax); otherwise they are logits.</param>
internal sealed class Scoring(bool probabilities)
{
    private int _samples,
        _top1,
        _top5;
    private double _loss;

    /// <summary>What was collected so far.</summary>
    public Evaluation Result =>
        new(_samples, (double)_top1 / Math.Max(1, _samples), (double)_top5 / Math.Max(1, _samples), _loss / Math.Max(1, _samples));

    /// <summary>Whether a network's first output ends in a softmax, so that its values are probabilities.</summary>
    public static bool GivesProbabilities(Graph graph) => GivesProbabilities(graph, graph.Outputs[0].Name);

    /// <summary>Whether an output ends in a softmax.</summary>
    public static bool GivesProbabilities(Graph graph, string output) => LastOperation(graph, output) == "Softmax";

    /// <summary>The operation that made an output's values, whatever moved them since; null where they come from an input.</summary>
    internal static string? LastOperation(Graph graph, string output)
    {
        for (int index = graph.Nodes.Length - 1; index >= 0; index--)
        {
            Node node = graph.Nodes[index];
            if (!node.Outputs.Contains(output))
                continue;
            if (node.Operation.Name is not ("Identity" or "Flatten" or "Reshape" or "Squeeze" or "Cast"))
                return node.Operation.Name;
            output = node.Inputs[0];
        }
        return null;
    }

    /// <param name="answers">[images, classes], or anything with as many values.</param>
    /// <param name="labels">The class of every image.</param>
    /// <exception cref="BadInputException">A label the network has no answer for.</exception>
    /// <exception cref="NumericalException">An answer that is not a finite number.</exception>
    public void Add(Tensor<float> answers, ReadOnlySpan<int> labels)
    {
        if (!ClassScores.Are(answers.Shape))
            throw new ShapeException(
                $"Accuracy needs one row of class scores for each image; the network's output is {answers.Shape}. Networks with other outputs are compared by tensorial verify."
            );
        int classes = labels.Length == 0 ? 0 : answers.Shape.ElementCount / labels.Length;
        if (classes * labels.Length != answers.Shape.ElementCount)
            throw new ShapeException(
                $"The network answers {labels.Length} images with values of shape {answers.Shape}; one row for each image was expected."
            );
        for (int image = 0; image < labels.Length; image++)
            Add(answers.Values.Slice(image * classes, classes), labels[image]);
    }

    private void Add(ReadOnlySpan<float> answer, int label)
    {
        if ((uint)label >= (uint)answer.Length)
            throw new BadInputException(
                $"Image {_samples:N0} has the label {label}, but the network tells {answer.Length} classes apart (0 to {answer.Length - 1})."
            );
        float own = answer[label];
        double largest = double.NegativeInfinity,
            sum = 0;
        int better = 0;
        for (int k = 0; k < answer.Length; k++)
        {
            if (!float.IsFinite(answer[k]))
                throw new NumericalException(
                    $"The network's answer to image {_samples:N0} is {answer[k]} for class {k}; a finite number was expected."
                );
            largest = Math.Max(largest, answer[k]);
            // Of equal answers the first counts as the network's choice, as argmax has it.
            if (answer[k] > own || (answer[k] == own && k < label))
                better++;
        }
        if (!probabilities)
            foreach (float value in answer)
                sum += Math.Exp(value - largest);
        // A probability that underflowed to 0 counts as the smallest float there is, so that the mean stays finite.
        _loss += probabilities ? -Math.Log(Math.Max(own, float.Epsilon)) : largest - own + Math.Log(sum);
        _top1 += better < 1 ? 1 : 0;
        _top5 += better < 5 ? 1 : 0;
        _samples++;
    }
}
