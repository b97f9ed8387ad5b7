using System.Collections.Immutable;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;

namespace Tensorial.Compression.Int8;

/// <summary>The search for the layers that have to stay in float for a network to stay within a limit.</summary>
/// <param name="prepared">The network and its layers.</param>
/// <param name="quantized">The network with some layers quantized.</param>
/// <param name="limit">How far it may differ.</param>
/// <param name="runtime">What runs the networks.</param>
/// <param name="threads">Threads to run with.</param>
internal sealed class LayerSearch(
    Preparation prepared,
    Func<IReadOnlyList<Int8Layer>, Graph> quantized,
    QuantizationLimit limit,
    IRuntime runtime,
    int threads
)
{
    /// <param name="Layers">The layers to quantize.</param>
    /// <param name="Sensitivities">What was measured of each layer alone.</param>
    /// <param name="Trials">What was tried.</param>
    internal sealed record Found(
        ImmutableArray<Int8Layer> Layers,
        IReadOnlyDictionary<Int8Layer, double> Sensitivities,
        ImmutableArray<QuantizationTrial> Trials
    )
    {
        public Found(
            ImmutableArray<Int8Layer> layers,
            IEnumerable<KeyValuePair<Int8Layer, double>> sensitivities,
            IEnumerable<QuantizationTrial> trials
        )
            : this(layers, sensitivities.ToDictionary(), [.. trials]) { }
    }

    /// <summary>All layers where that stays within the limit; else the fewest of the most sensitive ones are left out, by bisection.</summary>
    /// <param name="samples">Samples on which each layer alone is measured.</param>
    /// <param name="progress">Told after each layer and each batch.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="GoalNotMetException">Not even a network with one quantized layer stays within it.</exception>
    public Found Run(int samples, IProgress<Progress>? progress, CancellationToken cancel)
    {
        List<QuantizationTrial> trials = [];
        if (Try([], trials, progress, cancel))
            return new(prepared.Layers, [], trials);
        Dictionary<Int8Layer, double> sensitivities = Sensitivities(samples, progress, cancel);
        Int8Layer[] sensitive = [.. prepared.Layers.OrderByDescending(layer => sensitivities[layer])];
        (int tooFew, int enough) = (0, sensitive.Length);
        while (enough - tooFew > 1)
        {
            int middle = (tooFew + enough) / 2;
            if (Try(sensitive[..middle], trials, progress, cancel))
                enough = middle;
            else
                tooFew = middle;
        }
        if (enough == sensitive.Length)
            throw new GoalNotMetException(
                "No layer can be quantized within the limit: with all but the least sensitive one in float the network still differs further."
            );
        HashSet<Int8Layer> kept = [.. sensitive[..enough]];
        return new(prepared.Layers.RemoveAll(kept.Contains), sensitivities, trials);
    }

    private bool Try(Int8Layer[] kept, List<QuantizationTrial> trials, IProgress<Progress>? progress, CancellationToken cancel)
    {
        using ISession reference = runtime.Load(prepared.Graph, threads),
            changed = runtime.Load(quantized(prepared.Layers.RemoveAll(layer => kept.Contains(layer))), threads);
        Verification found = Verification.From(reference.Run, changed.Run, limit.Held, limit.Scores, 0, progress, cancel);
        trials.Add(new(kept.Length, found.Drop, found.RelativeError));
        return limit.Allows(found);
    }

    private Dictionary<Int8Layer, double> Sensitivities(int samples, IProgress<Progress>? progress, CancellationToken cancel)
    {
        using ISession reference = runtime.Load(prepared.Graph, threads);
        List<(InputBatch Batch, IReadOnlyDictionary<string, Tensor> Answers)> known = [];
        foreach (InputBatch batch in limit.Held)
        {
            known.Add((batch, reference.Run(batch.Inputs)));
            if (known.Sum(static pair => pair.Batch.Count) >= samples)
                break;
        }
        Dictionary<Int8Layer, double> sensitivities = [];
        foreach (Int8Layer layer in prepared.Layers)
        {
            using ISession changed = runtime.Load(quantized([layer]), threads);
            Queue<IReadOnlyDictionary<string, Tensor>> answers = new(known.Select(static pair => pair.Answers));
            Verification found = Verification.From(
                _ => answers.Dequeue(),
                changed.Run,
                known.Select(static pair => pair.Batch),
                limit.Scores,
                cancel: cancel
            );
            sensitivities[layer] = found.KlDivergence ?? found.RelativeError * found.RelativeError;
            progress?.Report(new("sensitivity", sensitivities.Count, prepared.Layers.Length, "layers"));
        }
        return sensitivities;
    }
}
