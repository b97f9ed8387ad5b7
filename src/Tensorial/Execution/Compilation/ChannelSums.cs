using System.Runtime.InteropServices;
using Tensorial.Kernels.Blocked;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>
/// Sums by channel, in double precision, of which every shard of the batch gathers its own; joined in the shards' order, so that threads
/// never change bits. A row holds two sums for each channel, then a number by channel that kernels subtract.
/// </summary>
/// <param name="channels">Channels of the map.</param>
internal readonly struct ChannelSums(int channels)
{
    /// <summary>Channels in whole blocks, as kernels load them.</summary>
    public int Padded { get; } = (channels + BlockedLayout.ChannelBlock - 1) / BlockedLayout.ChannelBlock * BlockedLayout.ChannelBlock;

    /// <summary>Floats of a row.</summary>
    public int RowLength => 5 * Padded;

    /// <summary>The sums of the piece's shard, zeroed where the shard begins.</summary>
    public Span<double> Sums(ProgramFrame frame, Piece piece, Value rows) =>
        MemoryMarshal.Cast<float, double>(piece.Sums(frame, rows)[..(4 * Padded)]);

    /// <summary>The numbers that kernels subtract, copied to the shard's row, where they are padded.</summary>
    public Span<float> Center(ProgramFrame frame, Piece piece, Value rows, ReadOnlySpan<float> center)
    {
        Span<float> own = frame.Floats(rows).Slice(piece.Shard * RowLength + 4 * Padded, Padded);
        if (piece.Begins)
            center[..channels].CopyTo(own);
        return own;
    }

    /// <summary>One sum over all shards.</summary>
    public double Joined(ProgramFrame frame, Value rows, int kind, int channel)
    {
        ReadOnlySpan<float> all = frame.Floats(rows);
        double sum = 0;
        for (int row = 0; row < rows.Shape[0]; row++)
            sum += MemoryMarshal.Cast<float, double>(all.Slice(row * RowLength, 4 * Padded))[kind * Padded + channel];
        return sum;
    }

    /// <summary>
    /// Both sums of every channel over all shards, the first ones and then the second ones, and last how many values they are of: of all
    /// ranks, where some share the batch.
    /// </summary>
    public double[] Totals(ProgramFrame frame, Value rows, double count, RankSum? overRanks)
    {
        double[] totals = new double[2 * channels + 1];
        for (int c = 0; c < channels; c++)
            (totals[c], totals[channels + c]) = (Joined(frame, rows, 0, c), Joined(frame, rows, 1, c));
        totals[^1] = count;
        overRanks?.Invoke(totals);
        return totals;
    }
}
