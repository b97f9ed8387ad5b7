using System.Runtime.InteropServices;

namespace Tensorial.Training.Distributed;

/// <summary>What is made of the collective operations.</summary>
internal static class Collectives
{
    /// <summary>Bytes of one broadcast at most.</summary>
    private const int Piece = 1 << 28;

    extension(ICommunicator ranks)
    {
        /// <summary>Whether this is the rank that reads checkpoints and writes results.</summary>
        public bool IsFirst => ranks.Rank == 0;

        /// <summary>Adds up over all ranks, and waits for it.</summary>
        public void Sum(double[] values, CancellationToken cancel = default) => ranks.BeginSum(values).Wait(cancel);

        /// <summary>One number of a rank on all ranks.</summary>
        public double Broadcast(double value, int root = 0, CancellationToken cancel = default)
        {
            byte[] bytes = BitConverter.GetBytes(value);
            ranks.BeginBroadcast(bytes, root).Wait(cancel);
            return BitConverter.ToDouble(bytes);
        }

        /// <summary>Bytes of a rank on all ranks, which need not know how many.</summary>
        /// <param name="bytes">The bytes, on the rank that has them; ignored on others.</param>
        /// <param name="root">That rank.</param>
        /// <param name="cancel">Ends the waiting.</param>
        public byte[] Broadcast(byte[]? bytes, int root = 0, CancellationToken cancel = default)
        {
            long length = (long)ranks.Broadcast((double)(bytes?.LongLength ?? 0), root, cancel);
            byte[] all = ranks.Rank == root ? bytes! : new byte[length];
            for (long first = 0; first < length; first += Piece)
                ranks.BeginBroadcast(all.AsMemory((int)first, (int)Math.Min(Piece, length - first)), root).Wait(cancel);
            return all;
        }

        /// <summary>Gives every rank all rows of a tensor of which each rank has computed its share.</summary>
        public void ShareRows(Tensor<float> rows, CancellationToken cancel = default)
        {
            int count = rows.Shape[0],
                row = rows.Shape.ElementCount / Math.Max(1, count);
            for (int rank = 0; rank < ranks.Size; rank++)
            {
                long first = (long)count * rank / ranks.Size * row,
                    past = (long)count * (rank + 1) / ranks.Size * row;
                for (long at = first; at < past; at += Piece / sizeof(float))
                {
                    Memory<float> part = rows.Memory.Slice((int)at, (int)Math.Min(Piece / sizeof(float), past - at));
                    byte[] bytes = ranks.Rank == rank ? MemoryMarshal.AsBytes(part.Span).ToArray() : new byte[part.Length * sizeof(float)];
                    ranks.BeginBroadcast(bytes, rank).Wait(cancel);
                    bytes.CopyTo(MemoryMarshal.AsBytes(part.Span));
                }
            }
        }
    }
}
