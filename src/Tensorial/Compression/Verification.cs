using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Graphs;

namespace Tensorial.Compression;

/// <summary>A network as a function: all outputs for some inputs, both by name.</summary>
internal delegate IReadOnlyDictionary<string, Tensor> NetworkFunction(IReadOnlyDictionary<string, Tensor> inputs);

/// <summary>How the answers of two networks to the same inputs compare.</summary>
/// <param name="Samples">Samples compared.</param>
/// <param name="Outputs">Output by output.</param>
/// <param name="First">How well a classifies; null where there are no labels, or no output that scores their classes.</param>
/// <param name="Second">How well b does.</param>
public sealed record Verification(int Samples, ImmutableArray<OutputDifference> Outputs, Evaluation? First, Evaluation? Second)
{
    /// <summary>The largest |b - a| of an output.</summary>
    public double MaxDifference => Outputs.Max(static output => output.MaxDifference);

    /// <summary>The mean |b - a| of an output, on average over the outputs.</summary>
    public double MeanDifference => Outputs.Average(static output => output.MeanDifference);

    /// <summary>‖b - a‖ / ‖a‖ of an output, on average over the outputs.</summary>
    public double RelativeError => Outputs.Average(static output => output.RelativeError);

    /// <summary>The largest ‖b - a‖ / ‖a‖ of an output for a sample.</summary>
    public double MaxRelativeError => Outputs.Max(static output => output.MaxRelativeError);

    /// <summary>The KL divergence of the class scores; null where no output is.</summary>
    public double? KlDivergence => Outputs.FirstOrDefault(static output => output.KlDivergence is not null)?.KlDivergence;

    /// <summary>Fraction of samples, 0 to 1, to which both networks give the same class; null where no output scores classes.</summary>
    public double? Agreement => Outputs.FirstOrDefault(static output => output.Agreement is not null)?.Agreement;

    /// <summary>Accuracy points b gives up against a; null without labels.</summary>
    public double? Drop => First is { } first && Second is { } second ? 100 * (first.Top1 - second.Top1) : null;

    /// <summary>Outputs in which a gave no number at all, so that nothing was compared there.</summary>
    internal ImmutableArray<string> Blind { get; private init; } = [];

    /// <summary>Compares two networks on all their outputs.</summary>
    /// <param name="first">The reference a.</param>
    /// <param name="second">The other, b.</param>
    /// <param name="batches">What both are given.</param>
    /// <param name="scores">The output that scores classes; null where none does.</param>
    /// <param name="total">Samples in all, for the progress.</param>
    /// <param name="progress">Told after each batch.</param>
    /// <param name="cancel">Ends it between batches.</param>
    /// <exception cref="BadInputException">The networks have different outputs, or answer in different shapes.</exception>
    /// <exception cref="NumericalException">A value of b is no finite number where that of a is one.</exception>
    internal static Verification From(
        NetworkFunction first,
        NetworkFunction second,
        IEnumerable<InputBatch> batches,
        ScoreOutput? scores,
        int total = 0,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        Scoring one = new(scores?.AreProbabilities ?? false),
            other = new(scores?.AreProbabilities ?? false);
        List<(string Name, OutputComparison Comparison)> outputs = [];
        int samples = 0;
        bool isLabelled = false;
        progress?.Report(new("verify", 0, total, "samples"));
        foreach (InputBatch batch in batches)
        {
            cancel.ThrowIfCancellationRequested();
            IReadOnlyDictionary<string, Tensor> a = first(batch.Inputs),
                b = second(batch.Inputs);
            if (outputs.Count == 0)
                outputs.AddRange(
                    a.Keys.Select(name => (name, new OutputComparison(name, name == scores?.Name ? scores.AreProbabilities : null)))
                );
            foreach ((string name, OutputComparison comparison) in outputs)
                comparison.Add(
                    a[name],
                    b.TryGetValue(name, out Tensor? value)
                        ? value
                        : throw new BadInputException($"The first network has an output '{name}', and the second has not."),
                    batch.Extent,
                    batch.Count
                );
            if (scores is not null && !batch.Labels.IsEmpty)
            {
                isLabelled = true;
                one.Add(Rows(a[scores.Name], batch.Count), batch.Labels.Span);
                other.Add(Rows(b[scores.Name], batch.Count), batch.Labels.Span);
            }
            samples += batch.Count;
            progress?.Report(new("verify", samples, Math.Max(samples, total), "samples"));
        }
        return new(
            samples,
            [.. outputs.Select(static output => output.Comparison.Result)],
            isLabelled ? one.Result : null,
            isLabelled ? other.Result : null
        )
        {
            Blind = [.. outputs.Where(static output => output.Comparison.IsBlind).Select(static output => output.Name)],
        };
    }

    /// <summary>Compares two networks' answers to images, and how well they classify where the labels can belong to the answers.</summary>
    /// <param name="first">Outputs of a for a batch.</param>
    /// <param name="second">Outputs of b.</param>
    /// <param name="images">The images.</param>
    /// <param name="probabilities">Whether class scores are probabilities already.</param>
    /// <param name="batch">Images at a time.</param>
    /// <param name="progress">Told after each batch.</param>
    /// <param name="cancel">Ends it between batches.</param>
    public static Verification From(
        Func<Tensor<float>, Tensor<float>> first,
        Func<Tensor<float>, Tensor<float>> second,
        ImageSet images,
        bool probabilities,
        int batch = 64,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        const string name = "output";
        Shape one = first(images.Batch(0, 1)).Shape;
        bool isScored = images.CanBeScored(one);
        return From(
            Named(first),
            Named(second),
            images
                .Batches(batch, cancel)
                .Select(some => new InputBatch(
                    new Dictionary<string, Tensor> { [name] = some.Images },
                    some.Count,
                    some.Count,
                    isScored ? some.Labels : default
                )),
            ClassScores.Are(one) ? new ScoreOutput(name, probabilities) : null,
            images.Count,
            progress,
            cancel
        );

        static NetworkFunction Named(Func<Tensor<float>, Tensor<float>> network) =>
            inputs => new Dictionary<string, Tensor> { [name] = network(inputs[name].Of<float>()) };
    }

    /// <summary>
    /// How far answers to images are from others, in one number: the mean KL divergence in nats of class scores, plus the mean squared
    /// relative error of each other output.
    /// </summary>
    /// <param name="graph">The network.</param>
    /// <param name="reference">Its outputs, in order.</param>
    /// <param name="answers">The others.</param>
    /// <param name="scores">The output that scores classes; null where none does.</param>
    /// <param name="images">Images of the batch.</param>
    internal static double DivergenceOf(
        Graph graph,
        ImmutableArray<Tensor> reference,
        ImmutableArray<Tensor> answers,
        ScoreOutput? scores,
        int images
    )
    {
        double sum = 0;
        for (int k = 0; k < reference.Length; k++)
        {
            string name = graph.Outputs[k].Name;
            OutputComparison comparison = new(name, name == scores?.Name ? scores.AreProbabilities : null);
            comparison.Add(reference[k], answers[k], images, images);
            OutputDifference result = comparison.Result;
            sum += result.KlDivergence ?? result.RelativeError * result.RelativeError;
        }
        return sum;
    }

    private static Tensor<float> Rows(Tensor scores, int count) => ((Tensor<float>)scores.To(ElementType.Float32)).Rows(0, count);
}
