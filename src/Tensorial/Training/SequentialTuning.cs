using System.Collections.Immutable;
using System.Diagnostics;
using Tensorial.Data;
using Tensorial.Networks;
using Tensorial.Networks.Gradients;
using Tensorial.Training.Losses;
using Tensorial.Training.Optimizers;
using Tensorial.Training.Schedules;

namespace Tensorial.Training;

/// <summary>Where a block's inputs come from.</summary>
public enum BlockInputs
{
    /// <summary>The network as far as it has been tuned, so that each block also makes up for those before it.</summary>
    Tuned,

    /// <summary>The dense network: blocks do not depend on each other.</summary>
    Dense,
}

/// <summary>How blocks are tuned one by one.</summary>
public sealed record SequentialOptions
{
    /// <summary>Training images; their activations are kept while a block learns.</summary>
    public int Images { get; init; } = 2000;

    /// <summary>Times a block sees them.</summary>
    public int Epochs { get; init; } = 10;

    public int Batch { get; init; } = 64;

    /// <summary>Of Adam, falling along a cosine.</summary>
    public double LearningRate { get; init; } = 1e-3;

    public BlockInputs Inputs { get; init; }

    public int Seed { get; init; }

    public int Threads { get; init; }
}

/// <summary>What tuning a block came to.</summary>
/// <param name="Name">The value it makes.</param>
/// <param name="ErrorBefore">‖y - t‖² / ‖t‖² of its activations y against the dense network's t.</param>
/// <param name="ErrorAfter">The same afterwards; never more.</param>
/// <param name="Seconds">Wall time.</param>
public sealed record BlockRecord(string Name, double ErrorBefore, double ErrorAfter, double Seconds);

/// <summary>
/// Sequential tuning (Su et al. 2018): block by block, a compressed network learns to reproduce the activations that the dense one has at the same place. Few
/// images suffice, since every one of them shows a block thousands of examples.
/// </summary>
public static class SequentialTuning
{
    /// <summary>Tunes all blocks that differ between the networks.</summary>
    /// <exception cref="BadInputException">No block differs, or the networks share no values between their layers.</exception>
    public static (Graph Network, ImmutableArray<BlockRecord> Blocks) Run(
        Graph small, Graph dense, ImageSet images, SequentialOptions options, IProgress<Progress>? progress = null, CancellationToken cancel = default)
    {
        Fitness.Check(small, images);
        Fitness.Check(dense, images, "teacher");
        ImmutableArray<TunedBlock> blocks = TunedBlock.Of(small, dense);
        if (blocks.IsEmpty) throw new BadInputException("No layer of the network differs from the teacher's while both make values of the same names: there is nothing to tune block by block.");
        ImageSet seen = images.Take(Math.Min(options.Images, images.Count));
        var records = ImmutableArray.CreateBuilder<BlockRecord>();
        Graph tuned = small;
        foreach (TunedBlock block in blocks)
        {
            Stopwatch clock = Stopwatch.StartNew();
            Tensor<float> x = Activations(options.Inputs == BlockInputs.Tuned ? tuned : dense, block.Input, seen, options, cancel);
            Tensor<float> target = Activations(dense, block.Output, seen, options, cancel);
            (tuned, double before, double after) = Tune(tuned, block, x, target, options, cancel);
            records.Add(new(block.Output, before, after, clock.Elapsed.TotalSeconds));
            progress?.Report(new("blocks", records.Count, blocks.Length, "blocks"));
        }
        return (tuned, records.ToImmutable());
    }

    private static (Graph Network, double Before, double After) Tune(
        Graph graph, TunedBlock block, Tensor<float> x, Tensor<float> target, SequentialOptions options, CancellationToken cancel)
    {
        using TrainedNetwork network = new(block.AsNetwork(graph, [.. x.Shape.Skip(1)]), block.Weights, threads: options.Threads);
        int batch = Math.Min(options.Batch, x.Shape[0]);
        double before = Error(network, x, target, batch);
        Tensor<float>[] start = [.. network.Weights.Select(static w => w.Value.Clone())];
        // Steps that are long for a block leave it further away than it was, where there are too few of them to come back.
        foreach (double part in (double[])[1, 0.1, 0.01])
        {
            Approach(network, block, x, target, options with { LearningRate = part * options.LearningRate }, cancel);
            double after = Error(network, x, target, batch);
            if (after < before)
            {
                foreach (TrainedWeight weight in network.Weights) graph = graph.With(weight.Name, weight.Value.Clone());
                return (graph, before, after);
            }
            for (int k = 0; k < start.Length; k++) start[k].Values.CopyTo(network.Weights[k].Value.Values);
        }
        return (graph, before, before);
    }

    /// <summary>Brings a block's answers to some inputs nearer to what they should be.</summary>
    private static void Approach(
        TrainedNetwork network, TunedBlock block, Tensor<float> x, Tensor<float> target, SequentialOptions options, CancellationToken cancel)
    {
        Adam optimizer = new();
        int count = x.Shape[0], batch = Math.Min(options.Batch, count), steps = options.Epochs * (count / batch);
        Cosine schedule = new();
        int[] order = [.. Enumerable.Range(0, count)];
        for (int step = 0; step < steps; step++)
        {
            cancel.ThrowIfCancellationRequested();
            int place = step % (count / batch);
            if (place == 0) BatchStream.RandomOf(options.Seed, step, 0).Shuffle(order);
            ReadOnlySpan<int> chosen = order.AsSpan(place * batch, batch);
            Tensor<float> y = network.Forward(Rows(x, chosen)), wanted = Rows(target, chosen), gradient = new(y.Shape);
            double loss = MeanSquares.Evaluate(y, wanted, gradient);
            if (!double.IsFinite(loss)) throw Diverged(block, x, target, step, loss);
            network.Backward(gradient);
            optimizer.Step(network.Weights, options.LearningRate * schedule.Factor((double)step / steps));
        }
    }

    private static NumericalException Diverged(TunedBlock block, Tensor<float> x, Tensor<float> target, int step, double loss) => new(
        !Divergence.IsFinite(target) ? $"The teacher's activations at '{block.Output}' are not finite: no block can learn from them."
        : !Divergence.IsFinite(x) ? $"Block '{block.Output}' reads activations '{block.Input}' that are not finite."
        : $"Tuning block '{block.Output}' diverged at step {step + 1}: the loss is {loss:G4}. A smaller learning rate may help.");

    private static double Error(TrainedNetwork network, Tensor<float> x, Tensor<float> target, int batch)
    {
        double distance = 0, size = 0;
        for (int first = 0; first + batch <= x.Shape[0]; first += batch)
        {
            int[] rows = [.. Enumerable.Range(first, batch)];
            ReadOnlySpan<float> y = network.Forward(Rows(x, rows)).Values, t = Rows(target, rows).Values;
            for (int i = 0; i < t.Length; i++) (distance, size) = (distance + (double)(y[i] - t[i]) * (y[i] - t[i]), size + (double)t[i] * t[i]);
        }
        return distance / Math.Max(size, double.Epsilon);
    }

    private static Tensor<float> Activations(Graph graph, string value, ImageSet images, SequentialOptions options, CancellationToken cancel)
    {
        if (graph.Inputs.Any(port => port.Name == value)) return images.Batch(0, images.Count);
        using Inference network = new(graph.Until(value).ForImages(images.ImageShape), options.Threads);
        Tensor<float> all = new([images.Count, .. network.OutputShape.Skip(1)]);
        int row = network.OutputShape.Count;
        for (int first = 0; first < images.Count; first += options.Batch)
        {
            cancel.ThrowIfCancellationRequested();
            int count = Math.Min(options.Batch, images.Count - first);
            network.Run(images.Batch(first, count)).Values.CopyTo(all.Values.Slice(first * row, count * row));
        }
        return all;
    }

    private static Tensor<float> Rows(Tensor<float> from, ReadOnlySpan<int> rows)
    {
        Tensor<float> picked = new(from.Shape.With(0, rows.Length));
        int size = from.Shape.Count / from.Shape[0];
        for (int i = 0; i < rows.Length; i++) from.Values.Slice(rows[i] * size, size).CopyTo(picked.Values[(i * size)..]);
        return picked;
    }
}
