using System.Collections.Immutable;
using Tensorial.Execution;

namespace Tensorial.Training.Distributed;

/// <summary>
/// Adds up gradients over ranks while the rest of the backward pass is computed. Gradients are gathered in buckets, the last layers' first, as
/// a backward pass finishes them; a bucket is on its way as soon as all of it and all buckets before it are there. Which weight is in which
/// bucket follows from the weights alone, so that all ranks exchange the same in the same order.
/// </summary>
internal sealed class GradientExchange
{
    /// <summary>Bytes of a bucket: an eighth of all, so that most is under way before the pass ends, within what messages are good at.</summary>
    private const int Fewest = 1 << 16,
        Most = 1 << 22;

    private readonly ICommunicator _ranks;
    private readonly ImmutableArray<Bucket> _buckets;
    private readonly Dictionary<string, Bucket> _bucketOf = [];
    private int _begun;

    /// <param name="ranks">The ranks.</param>
    /// <param name="weights">The weights, in the order in which the network reads them.</param>
    /// <param name="bucketBytes">Bytes after which a bucket is full; 0 for the usual.</param>
    public GradientExchange(ICommunicator ranks, ImmutableArray<TrainedWeight> weights, int bucketBytes = 0)
    {
        _ranks = ranks;
        long all = weights.Sum(static weight => (long)weight.Value.Shape.ElementCount) * sizeof(float);
        long full = bucketBytes > 0 ? bucketBytes : Math.Clamp(all / 8, Fewest, Most);
        List<Bucket> buckets = [];
        List<TrainedWeight> open = [];
        for (int i = weights.Length - 1; i >= 0; i--)
        {
            open.Add(weights[i]);
            if (i > 0 && open.Sum(static weight => (long)weight.Value.Shape.ElementCount) * sizeof(float) < full)
                continue;
            buckets.Add(new([.. open]));
            open.Clear();
        }
        _buckets = [.. buckets];
        foreach (Bucket bucket in _buckets)
        foreach (TrainedWeight weight in bucket.Weights)
            _bucketOf[weight.Name] = bucket;
    }

    /// <summary>Buckets.</summary>
    public int Count => _buckets.Length;

    /// <summary>Takes a gradient that is complete; begins the buckets that are.</summary>
    public void Add(TrainedWeight weight)
    {
        Bucket bucket = _bucketOf[weight.Name];
        bucket.Put(weight);
        while (_begun < _buckets.Length && _buckets[_begun].IsFull)
        {
            _buckets[_begun].Sum = _ranks.BeginSum(_buckets[_begun].Values);
            _begun++;
        }
    }

    /// <summary>Waits for all sums and puts them where the gradients are.</summary>
    /// <exception cref="InvalidOperationException">A gradient has not been added.</exception>
    public void Finish(CancellationToken cancel)
    {
        if (_begun < _buckets.Length)
            throw new InvalidOperationException("Not all gradients are there.");
        foreach (Bucket bucket in _buckets)
        {
            bucket.Sum!.Wait(cancel);
            bucket.Take();
        }
        _begun = 0;
    }

    private sealed class Bucket
    {
        private readonly Dictionary<string, int> _places = [];
        private int _missing;

        public Bucket(ImmutableArray<TrainedWeight> weights)
        {
            int length = 0;
            foreach (TrainedWeight weight in weights)
            {
                _places[weight.Name] = length;
                length += weight.Value.Shape.ElementCount;
            }
            (Weights, _missing) = (weights, weights.Length);
            // Pinned: whoever sends it need not copy it.
            Values = GC.AllocateUninitializedArray<float>(length, pinned: true);
        }

        public ImmutableArray<TrainedWeight> Weights { get; }

        public float[] Values { get; }

        public ICollective? Sum { get; set; }

        public bool IsFull => _missing == 0;

        public void Put(TrainedWeight weight)
        {
            weight.Gradient.Values.CopyTo(Values.AsSpan(_places[weight.Name]));
            _missing--;
        }

        public void Take()
        {
            foreach (TrainedWeight weight in Weights)
                Values.AsSpan(_places[weight.Name], weight.Gradient.Shape.ElementCount).CopyTo(weight.Gradient.Values);
            (_missing, Sum) = (Weights.Length, null);
        }
    }
}
