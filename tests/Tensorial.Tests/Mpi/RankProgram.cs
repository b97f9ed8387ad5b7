using Tensorial.Mpi;
using Tensorial.Training.Distributed;

namespace Tensorial.Tests.Mpi;

/// <summary>
/// What a rank does that mpirun starts from this assembly: sums and broadcasts of all kinds, each compared with what follows from the ranks' numbers.
/// </summary>
internal static class RankProgram
{
    /// <summary>Around the border between one exchange and two, uneven parts, and more than goes at once.</summary>
    private static readonly int[] Lengths = [0, 1, 7, 511, 513, 1023, 1025, 4096, 100_003, (1 << 22) + 5];

    private static int Main()
    {
        using MpiCommunicator? ranks = MpiCommunicator.Join();
        if (ranks is null)
            return 2;
        try
        {
            Sums(ranks);
            Broadcasts(ranks);
            OrdersOfTheirOwn(ranks);
            ranks.Barrier();
            Console.WriteLine($"rank {ranks.Rank} of {ranks.Size}: as it should be");
            return 0;
        }
        catch (Exception error)
        {
            Console.Error.WriteLine(error);
            ranks.Abort(1);
            return 1;
        }
    }

    private static void Sums(MpiCommunicator ranks)
    {
        // Begun together, done one after the other.
        (float[] Values, ICollective Sum)[] floats =
        [
            .. Lengths.Select(length =>
            {
                float[] values = Of(ranks.Rank, length);
                return (values, ranks.BeginSum(values));
            }),
        ];
        foreach ((float[] values, ICollective sum) in floats)
        {
            sum.Wait();
            float[] expected = Of(0, values.Length);
            for (int rank = 1; rank < ranks.Size; rank++)
                expected = [.. expected.Zip(Of(rank, values.Length), static (a, b) => a + b)];
            Same(expected, values, $"floats, {values.Length}");
        }
        foreach (int length in Lengths[..^1])
        {
            double[] values = [.. Of(ranks.Rank, length).Select(static value => value / 3.0)],
                expected = [.. Of(0, length).Select(static value => value / 3.0)];
            for (int rank = 1; rank < ranks.Size; rank++)
                expected = [.. expected.Zip(Of(rank, length), static (a, b) => a + b / 3.0)];
            ranks.BeginSum(values).Wait();
            Same(expected, values, $"doubles, {length}");
        }
    }

    private static void Broadcasts(MpiCommunicator ranks)
    {
        for (int root = 0; root < ranks.Size; root++)
            foreach (int length in (int[])[0, 1, 1000, (1 << 24) + 3])
            {
                byte[] expected = new byte[length],
                    values = new byte[length];
                new Random(root).NextBytes(expected);
                if (ranks.Rank == root)
                    expected.CopyTo(values, 0);
                ranks.BeginBroadcast(values, root).Wait();
                Same(expected, values, $"bytes of {root}, {length}");
            }
    }

    /// <summary>Two communicators whose operations the ranks begin in different order.</summary>
    private static void OrdersOfTheirOwn(MpiCommunicator ranks)
    {
        ICommunicator other = ranks.Duplicate();
        for (int round = 0; round < 50; round++)
        {
            float[] large = Of(ranks.Rank, 20_000);
            double[] small = [ranks.Rank + round];
            ICollective? first = ranks.Rank % 2 == 0 ? ranks.BeginSum(large) : null;
            other.BeginSum(small).Wait();
            first ??= ranks.BeginSum(large);
            first.Wait();
            Same([(ranks.Size * (ranks.Size - 1) / 2) + (ranks.Size * round)], small, $"round {round}");
            Same([Enumerable.Range(0, ranks.Size).Aggregate(0f, static (sum, rank) => sum + Of(rank, 20_000)[7])], [large[7]], "large");
        }
    }

    private static float[] Of(int rank, int length)
    {
        float[] values = new float[length];
        for (int i = 0; i < length; i++)
            values[i] = MathF.Sin(i + 1000 * rank) * (1 + i % 5);
        return values;
    }

    private static void Same<T>(IReadOnlyList<T> expected, IReadOnlyList<T> found, string what)
    {
        for (int i = 0; i < expected.Count; i++)
            if (!EqualityComparer<T>.Default.Equals(expected[i], found[i]))
                throw new InvalidOperationException($"{what}: at {i} {found[i]} instead of {expected[i]}.");
    }
}
