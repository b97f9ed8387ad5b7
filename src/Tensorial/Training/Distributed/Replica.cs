using System.Runtime.InteropServices;
using Tensorial.Execution;

namespace Tensorial.Training.Distributed;

/// <summary>One rank's copy of a network that several ranks train: what keeps it equal to the others.</summary>
/// <param name="ranks">The ranks.</param>
/// <param name="network">This rank's copy.</param>
internal sealed class Replica(ICommunicator ranks, TrainedNetwork network)
{
    private readonly GradientExchange _exchange = new(ranks, network.Weights);

    /// <summary>The sums that batch normalisations need of all ranks; null where their statistics are of one rank's images.</summary>
    /// <param name="ranks">The ranks; null where there is one.</param>
    /// <param name="isSynchronized">Whether statistics are those of the whole batch.</param>
    /// <param name="cancel">Ends the waiting.</param>
    public static Operations.RankSum? NormSum(ICommunicator? ranks, bool isSynchronized, Func<CancellationToken> cancel)
    {
        if (ranks is null || !isSynchronized)
            return null;
        // In an order of their own: which comes first, a layer's statistics or another's gradient, may depend on the share.
        ICommunicator own = ranks.Duplicate();
        return sums => own.Sum(sums, cancel());
    }

    /// <summary>The backward pass of this rank's last part of the batch: the gradients are added up over the ranks while it runs.</summary>
    public void Backward(Tensor<float> gradient, bool add, CancellationToken cancel)
    {
        network.GradientDone = _exchange.Add;
        network.Backward(gradient, add);
        network.GradientDone = null;
        _exchange.Finish(cancel);
    }

    /// <summary>What rank 0 has taken up or begins with, on all ranks.</summary>
    public TrainingCheckpoint Share(TrainingCheckpoint? checkpoint, CancellationToken cancel)
    {
        byte[] packed = ranks.Broadcast(
            checkpoint is null
                ? null
                : StateFile.Pack(
                    new CheckpointFolder.State(
                        StateFile.SchemaVersion,
                        null,
                        checkpoint.Signature,
                        checkpoint.Epoch,
                        checkpoint.Steps,
                        checkpoint.BestEpoch,
                        [.. checkpoint.Epochs],
                        "",
                        null,
                        null
                    ),
                    checkpoint.Tensors
                ),
            cancel: cancel
        );
        (CheckpointFolder.State state, IReadOnlyDictionary<string, Tensor<float>> tensors) = StateFile.Unpack<CheckpointFolder.State>(
            packed
        );
        return new(state.Signature, state.Epoch, state.Steps, state.BestEpoch, [.. state.Epochs], tensors);
    }

    /// <summary>
    /// After an epoch: running statistics become their mean over the ranks, and all take rank 0's weights, so that machines of different kinds,
    /// which round differently, do not drift apart.
    /// </summary>
    /// <param name="averages">Running means of the weights.</param>
    /// <param name="part">This rank's part of every batch.</param>
    /// <param name="cancel">Ends the waiting.</param>
    public void Align(IEnumerable<Tensor<float>> averages, double part, CancellationToken cancel)
    {
        foreach ((_, Tensor<float> statistic) in network.Statistics.OrderBy(static s => s.Key, StringComparer.Ordinal))
        {
            double[] sums = [.. statistic.Values.ToArray().Select(value => part * value)];
            ranks.Sum(sums, cancel);
            for (int i = 0; i < sums.Length; i++)
                statistic.Values[i] = (float)sums[i];
        }
        foreach (Tensor<float> tensor in network.Weights.Select(static weight => weight.Value).Concat(averages))
        {
            Span<byte> values = MemoryMarshal.AsBytes(tensor.Values);
            ranks.Broadcast(ranks.IsFirst ? values.ToArray() : null, cancel: cancel).CopyTo(values);
        }
    }
}
