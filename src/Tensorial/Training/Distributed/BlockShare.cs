using System.Collections.Concurrent;

namespace Tensorial.Training.Distributed;

/// <summary>
/// Blocks that do not depend on each other, handed out to ranks: each tunes its own, and what it has finished goes to all others while it tunes
/// the next.
/// </summary>
internal sealed class BlockShare
{
    private readonly ICommunicator _ranks;
    private readonly (int Block, int Owner)[] _order;
    private readonly ConcurrentDictionary<int, TaskCompletionSource<FinishedBlock>> _mine = new();

    /// <summary>Hands out blocks: the most expensive first, each to the rank that has least to do.</summary>
    /// <param name="ranks">The ranks.</param>
    /// <param name="blocks">Indices of the blocks.</param>
    /// <param name="costs">What each takes, on rank 0.</param>
    /// <param name="cancel">Ends the waiting.</param>
    public BlockShare(ICommunicator ranks, IEnumerable<int> blocks, Func<int, long> costs, CancellationToken cancel)
    {
        _ranks = ranks;
        byte[] order = ranks.Broadcast(ranks.IsFirst ? Handed(ranks.Size, blocks, costs) : null, cancel: cancel);
        _order = [.. order.Chunk(2 * sizeof(int)).Select(static b => (BitConverter.ToInt32(b), BitConverter.ToInt32(b, sizeof(int))))];
        foreach (int block in Mine)
            _mine[block] = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>This rank's blocks, in the order in which it is to tune them.</summary>
    public IEnumerable<int> Mine => _order.Where(entry => entry.Owner == _ranks.Rank).Select(static entry => entry.Block);

    /// <summary>Takes a block that this rank has finished.</summary>
    public void Finish(int block, FinishedBlock finished) => _mine[block].SetResult(finished);

    /// <summary>Gives every block to all ranks as it is finished.</summary>
    /// <param name="received">Told of each block, those of this rank included.</param>
    /// <param name="cancel">Ends the waiting.</param>
    public void Exchange(Action<int, FinishedBlock> received, CancellationToken cancel)
    {
        foreach ((int block, int owner) in _order)
        {
            byte[]? packed = null;
            if (owner == _ranks.Rank)
            {
                Task<FinishedBlock> own = _mine[block].Task;
                own.Wait(cancel);
                packed = BlockFolder.Pack(block, own.Result);
            }
            received(block, BlockFolder.Unpack(_ranks.Broadcast(packed, owner, cancel)));
        }
    }

    /// <summary>Pairs of block and owner, in the order in which blocks are about to be finished.</summary>
    private static byte[] Handed(int size, IEnumerable<int> blocks, Func<int, long> costs)
    {
        long[] load = new long[size];
        List<(int Block, int Owner, long Done)> handed = [];
        foreach (int block in blocks.OrderByDescending(costs))
        {
            int owner = Array.IndexOf(load, load.Min());
            load[owner] += Math.Max(1, costs(block));
            handed.Add((block, owner, load[owner]));
        }
        return
        [
            .. handed
                .OrderBy(static entry => entry.Done)
                .SelectMany(static entry => (byte[])[.. BitConverter.GetBytes(entry.Block), .. BitConverter.GetBytes(entry.Owner)]),
        ];
    }
}
