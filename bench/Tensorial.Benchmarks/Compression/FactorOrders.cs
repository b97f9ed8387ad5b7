using System.Collections.Immutable;
using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Decompositions;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.OnnxRuntime;

namespace Tensorial.Benchmarks.Compression;

/// <summary>
/// The planner's order of a layer's factors against one factor after another, and against the kernel made whole: time of theirs over ours,
/// for inference at batch 1 and 16 in our executor and in ONNX Runtime, and for a training step at batch 32. Three equal layers in a row.
/// </summary>
internal static class FactorOrders
{
    private static readonly (int Channels, int Extent)[] Layers = [(16, 32), (64, 8), (128, 14), (256, 14)];

    private static readonly double[] Rates = [0.05, 0.1, 0.25, 0.5];

    private const int Pairs = 9,
        TrainingImages = 32;

    /// <summary>Times on one thread.</summary>
    public static void Run(ImmutableArray<string> formats)
    {
        Console.WriteLine("time of another order over that of the planner's; above 1 the planner is right");
        Console.WriteLine("layer format ranks: planned | other | ours 1, ours 16, onnxruntime 1, onnxruntime 16, or a training step");
        using OrtRuntime theirs = new();
        List<double> ratios = [],
            steps = [];
        foreach ((int channels, int extent) in Layers)
        foreach (string name in formats)
        foreach (double rate in Rates)
        {
            NetworkBuilder net = new("layers", [channels, extent, extent], seed: 0);
            Features x = net.Input;
            for (int layer = 1; layer <= 3; layer++)
                x = net.Convolution($"conv{layer}", x, channels, 3, padding: 1);
            Graph dense = net.ToGraph(x);
            CompressibleLayer first = CompressibleLayer.Of(dense).Layers[0];
            KernelForm form = first.FormOf(KernelFormat.Parse(name));
            ImmutableArray<int> ranks = form.RanksAt(rate);
            if (form.Parameters(ranks.AsSpan()) >= first.Parameters)
                continue;
            FactorOrder single = new([.. form.Tensor.Equation.Inputs.Select(static ImmutableArray<int> (_, k) => [k])]),
                whole = FactorOrder.Whole(form);
            Tensor<float> images = Random([16, channels, extent, extent]);
            string label = $"{channels} {extent}x{extent} {name} {string.Join('x', ranks)}";
            FactorOrder inference = LayerEquation.Cheapest(form, ranks, first),
                training = LayerEquation.Cheapest(form, ranks, first, TrainingImages);
            foreach (FactorOrder other in (FactorOrder[])[single, whole])
            {
                if (other != inference)
                {
                    (Graph ours, Graph others) = (Written(inference), Written(other));
                    double[] times = [Own(ours, others, 1), Own(ours, others, 16), Ort(ours, others, 1), Ort(ours, others, 16)];
                    ratios.AddRange(times);
                    Console.WriteLine($"{label}: {inference} | {other} | {string.Join(", ", times.Select(static t => $"{t:F2}"))}");
                }
                if (other != training)
                {
                    double time = Step(Written(training), Written(other));
                    steps.Add(time);
                    Console.WriteLine($"{label}: {training} | {other} | step {time:F2}");
                }
            }

            Graph Written(FactorOrder order) =>
                Tensorization.InitializeFactorized(
                    dense,
                    CompressibleLayer
                        .Of(dense)
                        .Layers.Select(layer => CompressionCandidate.From(layer, new(layer.FormOf(form.Format), ranks, order), 0, 0)),
                    seed: 0
                );

            double Own(Graph one, Graph two, int batch)
            {
                using Inference a = new(one, 1),
                    b = new(two, 1);
                Tensor<float> some = images.Rows(0, batch);
                return PairedTiming.From(() => a.Run(some), () => b.Run(some), Pairs).MedianRatio;
            }

            double Ort(Graph one, Graph two, int batch)
            {
                using ISession a = theirs.Load(one, 1),
                    b = theirs.Load(two, 1);
                Dictionary<string, Tensor> some = new() { [one.Inputs[0].Name] = images.Rows(0, batch) };
                return PairedTiming.From(() => a.Run(some), () => b.Run(some), Pairs).MedianRatio;
            }

            double Step(Graph one, Graph two)
            {
                using TrainedNetwork a = new(one, threads: 1),
                    b = new(two, threads: 1);
                Tensor<float> batch = Random([TrainingImages, channels, extent, extent]),
                    upstream = a.Forward(batch).Clone();
                return PairedTiming.From(() => Once(a), () => Once(b), Pairs).MedianRatio;

                void Once(TrainedNetwork network)
                {
                    network.Forward(batch);
                    network.Backward(upstream);
                }
            }
        }
        Show("inference", ratios);
        Show("training", steps);
    }

    private static void Show(string what, List<double> ratios)
    {
        double[] rising = [.. ratios.Order()];
        if (rising.Length > 0)
            Console.WriteLine(
                $"{what}: {rising.Length} comparisons, median {rising[rising.Length / 2]:F2}, least {rising[0]:F2}, {rising.Count(static r => r < 0.95)} below 0.95"
            );
    }

    private static Tensor<float> Random(Shape shape)
    {
        Random random = new(0);
        Tensor<float> values = new(shape);
        foreach (ref float value in values.Values)
            value = random.NextSingle() - 0.5f;
        return values;
    }
}
