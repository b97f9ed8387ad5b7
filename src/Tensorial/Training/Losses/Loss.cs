using System.Numerics.Tensors;

namespace Tensorial.Training.Losses;

/// <summary>What a batch is measured against.</summary>
/// <param name="Distribution">[n, classes]: how likely each class is meant to be; one 1 a row for plain labels; null without any.</param>
/// <param name="TeacherLogits">[n, classes]: another network's answers; null without one.</param>
public readonly record struct Targets(Tensor<float>? Distribution, Tensor<float>? TeacherLogits = null)
{
    /// <exception cref="BadInputException">There are no labels.</exception>
    internal Tensor<float> Labels => Distribution ?? throw new BadInputException("This loss needs labels.");
}

/// <summary>The loss of a batch, as a mean over its images.</summary>
public abstract record Loss
{
    /// <summary>Whether <see cref="Targets.Distribution"/> is read.</summary>
    public virtual bool NeedsLabels => true;

    /// <summary>The loss, nats; writes its derivatives by the logits [n, classes].</summary>
    public abstract double Evaluate(Tensor<float> logits, Targets targets, Tensor<float> gradient);

    /// <summary>
    /// What a part of a batch counts for in the mean over the whole: the loss of a batch is the mean of its parts', weighted with this. Null
    /// where that is the number of images.
    /// </summary>
    internal virtual double? PartWeight(Targets targets) => null;

    /// <summary>
    /// The mean over rows of -factor · temperature² Σ t ln softmax(z / temperature), whose derivatives, factor · temperature (softmax(z /
    /// temperature) - t) over the number of rows, are added to the gradient. The rows of t sum to 1.
    /// </summary>
    private protected static double AddCrossEntropy(
        Tensor<float> logits,
        Tensor<float> targets,
        double factor,
        double temperature,
        Tensor<float> gradient
    )
    {
        int rows = logits.Shape[0],
            classes = logits.Shape.ElementCount / rows;
        double total = 0;
        float[] scaled = new float[classes];
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> t = targets.Values.Slice(row * classes, classes);
            TensorPrimitives.Divide(logits.Values.Slice(row * classes, classes), (float)temperature, scaled);
            float largest = TensorPrimitives.Max<float>(scaled);
            double sum = 0;
            foreach (float z in scaled)
                sum += Math.Exp(z - largest);
            double normalizer = largest + Math.Log(sum);
            Span<float> slope = gradient.Values.Slice(row * classes, classes);
            for (int k = 0; k < classes; k++)
            {
                double log = scaled[k] - normalizer;
                if (t[k] != 0)
                    total -= t[k] * log;
                slope[k] += (float)(factor * temperature * (Math.Exp(log) - t[k]) / rows);
            }
        }
        return factor * temperature * temperature * total / rows;
    }
}

/// <summary>
/// -Σ t ln softmax(z). With label smoothing s the target is (1 - s) t + s / classes (Szegedy et al. 2016).
/// </summary>
public sealed record CrossEntropy(double LabelSmoothing = 0) : Loss
{
    /// <inheritdoc/>
    public override double Evaluate(Tensor<float> logits, Targets targets, Tensor<float> gradient)
    {
        gradient.Values.Clear();
        return AddCrossEntropy(logits, Smoothed(targets.Labels, LabelSmoothing), 1, 1, gradient);
    }

    internal static Tensor<float> Smoothed(Tensor<float> distribution, double smoothing)
    {
        if (smoothing == 0)
            return distribution;
        Tensor<float> smoothed = new(distribution.Shape);
        TensorPrimitives.Multiply(distribution.Values, (float)(1 - smoothing), smoothed.Values);
        TensorPrimitives.Add(smoothed.Values, (float)(smoothing / distribution.Shape[1]), smoothed.Values);
        return smoothed;
    }
}

/// <summary>
/// Knowledge distillation (Hinton et al. 2015): (1 - weight) times the cross-entropy with the labels, plus weight · temperature² times the
/// divergence KL(softmax(teacher / temperature) ‖ softmax(z / temperature)).
/// </summary>
/// <param name="Temperature">Softmax temperature of knowledge distillation.</param>
/// <param name="Weight">Share of the teacher, 0 to 1; with 1 no labels are needed.</param>
/// <param name="LabelSmoothing">As in <see cref="CrossEntropy"/>, for the labels' share.</param>
public sealed record Distillation(double Temperature = 4, double Weight = 0.9, double LabelSmoothing = 0) : Loss
{
    /// <inheritdoc/>
    public override bool NeedsLabels => Weight < 1;

    /// <inheritdoc/>
    public override double Evaluate(Tensor<float> logits, Targets targets, Tensor<float> gradient)
    {
        Tensor<float> teacher = targets.TeacherLogits ?? throw new BadInputException("Distillation needs the answers of a teacher.");
        gradient.Values.Clear();
        double labels = NeedsLabels
            ? AddCrossEntropy(logits, CrossEntropy.Smoothed(targets.Labels, LabelSmoothing), 1 - Weight, 1, gradient)
            : 0;
        (Tensor<float> soft, double entropy) = Softened(teacher);
        return labels + AddCrossEntropy(logits, soft, Weight, Temperature, gradient) - Weight * Temperature * Temperature * entropy;
    }

    /// <summary>The teacher's probabilities, and the mean of their entropies: what the cross-entropy exceeds the divergence by.</summary>
    private (Tensor<float> Probabilities, double Entropy) Softened(Tensor<float> teacher)
    {
        Tensor<float> soft = new(teacher.Shape);
        int rows = teacher.Shape[0],
            classes = teacher.Shape.ElementCount / rows;
        double entropy = 0;
        for (int row = 0; row < rows; row++)
        {
            Span<float> p = soft.Values.Slice(row * classes, classes);
            TensorPrimitives.Divide(teacher.Values.Slice(row * classes, classes), (float)Temperature, p);
            TensorPrimitives.SoftMax<float>(p, p);
            foreach (float share in p)
                if (share > 0)
                    entropy -= share * Math.Log(share);
        }
        return (soft, entropy / rows);
    }
}
