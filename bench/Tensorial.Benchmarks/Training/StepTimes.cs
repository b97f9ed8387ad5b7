using System.Diagnostics;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Training.Distributed;

namespace Tensorial.Benchmarks.Training;

/// <summary>A bucket of gradients: when it is complete, seconds from the beginning of the backward pass, and its size.</summary>
internal readonly record struct BucketTime(double Ready, long Bytes);

/// <summary>What a rank's part of a training step takes, seconds, without any exchange.</summary>
/// <param name="Images">Images of the part.</param>
/// <param name="Forward">Forward pass and loss.</param>
/// <param name="Backward">Backward pass.</param>
/// <param name="Update">The optimizer's step.</param>
/// <param name="Buckets">When gradients are there to be sent.</param>
internal sealed record StepTimes(int Images, double Forward, double Backward, double Update, BucketTime[] Buckets)
{
    public double Seconds => Forward + Backward + Update;

    /// <summary>Seconds of every step that was measured.</summary>
    public double[] Each { get; private init; } = [];

    /// <summary>Measures steps on random images of a ready-made network for CIFAR; medians.</summary>
    public static StepTimes Measure(string model, int images, int threads, int steps = 9)
    {
        TimedSteps run = new(model, images, threads, null);
        using (run.Network)
        {
            List<StepTimes> all = [.. Enumerable.Range(0, steps + 3).Select(_ => run.Step()).Skip(3)];
            return new(
                images,
                Median(all.Select(static s => s.Forward)),
                Median(all.Select(static s => s.Backward)),
                Median(all.Select(static s => s.Update)),
                [
                    .. Enumerable
                        .Range(0, all[0].Buckets.Length)
                        .Select(k => new BucketTime(Median(all.Select(s => s.Buckets[k].Ready)), all[0].Buckets[k].Bytes)),
                ]
            )
            {
                Each = [.. all.Select(static s => s.Seconds)],
            };
        }
    }

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}

/// <summary>Training steps with a clock: alone, where buckets are only noted, or with other ranks.</summary>
internal sealed class TimedSteps : ICommunicator
{
    private readonly ICommunicator? _ranks;
    private readonly GradientExchange _exchange;
    private readonly Tensor<float> _images,
        _gradient;
    private readonly List<BucketTime> _buckets = [];
    private long _began;

    public TimedSteps(string model, int images, int threads, ICommunicator? ranks)
    {
        Network = new(ModelZoo.Create(model, [3, 32, 32], 10, seed: 0), threads: threads);
        (_ranks, _images, _gradient) = (ranks, new([images, 3, 32, 32]), new([images, 10]));
        _exchange = new(this, Network.Weights);
        Random random = new(0);
        foreach (ref float value in _images.Values)
            value = random.NextSingle() - 0.5f;
    }

    public TrainedNetwork Network { get; }

    public int Rank => _ranks?.Rank ?? 0;

    public int Size => _ranks?.Size ?? 1;

    public StepTimes Step()
    {
        _buckets.Clear();
        long start = Stopwatch.GetTimestamp();
        Tensor<float> logits = Network.Forward(_images);
        for (int i = 0; i < _gradient.Values.Length; i++)
            _gradient.Values[i] = (logits.Values[i] - (i % 10 == 0 ? 1 : 0)) / _images.Shape[0];
        _began = Stopwatch.GetTimestamp();
        Network.GradientDone = _exchange.Add;
        Network.Backward(_gradient);
        _exchange.Finish(default);
        long done = Stopwatch.GetTimestamp();
        foreach (TrainedWeight weight in Network.Weights)
            System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(weight.Gradient.Values, -0.001f, weight.Value.Values, weight.Value.Values);
        return new(
            _images.Shape[0],
            Stopwatch.GetElapsedTime(start, _began).TotalSeconds,
            Stopwatch.GetElapsedTime(_began, done).TotalSeconds,
            Stopwatch.GetElapsedTime(done).TotalSeconds,
            [.. _buckets]
        );
    }

    public ICollective BeginSum(Memory<float> values)
    {
        _buckets.Add(new(Stopwatch.GetElapsedTime(_began).TotalSeconds, (long)values.Length * sizeof(float)));
        return _ranks is null ? new Nothing() : _ranks.BeginSum(values);
    }

    public ICollective BeginSum(Memory<double> values) => throw new NotSupportedException();

    public ICollective BeginBroadcast(Memory<byte> values, int root) => throw new NotSupportedException();

    public void Barrier(CancellationToken cancel = default) => _ranks?.Barrier(cancel);

    public ICommunicator Duplicate() => throw new NotSupportedException();

    public void Abort(int exitCode) => _ranks?.Abort(exitCode);

    private sealed class Nothing : ICollective
    {
        public void Wait(CancellationToken cancel = default) { }
    }
}
