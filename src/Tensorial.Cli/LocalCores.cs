using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Tensorial.Training.Distributed;

namespace Tensorial.Cli;

/// <summary>The cores that are this rank's, of those of its machine.</summary>
internal static class LocalCores
{
    private const int Words = 64,
        BitsOfWord = 32;

    /// <summary>Numbers that say where a rank may run.</summary>
    internal const int RowLength = Words + 1;

    /// <summary>
    /// This rank's part of the cores that it may run on, at least one: cores that other ranks of the same machine may run on are divided by
    /// their number, those that mpirun or srun has bound to this rank alone are its own.
    /// </summary>
    public static int Of(ICommunicator ranks)
    {
        double[] table = new double[ranks.Size * RowLength];
        bool[] mine = Allowed("/proc/self/status");
        Fill(table.AsSpan(ranks.Rank * RowLength, RowLength), Environment.MachineName, mine);
        ranks.Sum(table);
        return Part(table, ranks.Rank, Environment.ProcessorCount);
    }

    /// <summary>The part of one of the ranks.</summary>
    /// <param name="table">What <see cref="Fill"/> has written for each.</param>
    /// <param name="rank">Which.</param>
    /// <param name="available">Cores that its process may keep busy, which a quota may make fewer than it may run on.</param>
    internal static int Part(ReadOnlySpan<double> table, int rank, int available)
    {
        ReadOnlySpan<double> own = table.Slice(rank * RowLength, RowLength);
        int count = 0,
            neighbours = 0;
        double part = 0;
        for (int other = 0; other < table.Length / RowLength; other++)
            neighbours += table[other * RowLength] == own[0] ? 1 : 0;
        for (int core = 0; core < Words * BitsOfWord; core++)
        {
            if (!Has(own, core))
                continue;
            int sharing = 0;
            for (int other = 0; other < table.Length / RowLength; other++)
                if (table.Slice(other * RowLength, RowLength) is var row && row[0] == own[0] && Has(row, core))
                    sharing++;
            (count, part) = (count + 1, part + 1.0 / sharing);
        }
        int threads = Math.Min(available, (int)(part + 1e-6));
        return Math.Max(1, available < count ? Math.Min(threads, available / neighbours) : threads);
    }

    /// <summary>Writes a machine and the cores that a process may run on.</summary>
    internal static void Fill(Span<double> row, string machine, ReadOnlySpan<bool> cores)
    {
        // 48 bits of the name, which a double holds exactly.
        row[0] = BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(machine))) >> 16;
        for (int core = 0; core < Math.Min(cores.Length, Words * BitsOfWord); core++)
            if (cores[core])
                row[1 + core / BitsOfWord] += 1u << core % BitsOfWord;
    }

    private static bool Has(ReadOnlySpan<double> row, int core) => ((uint)row[1 + core / BitsOfWord] >> core % BitsOfWord & 1) != 0;

    /// <summary>The cores that the process may run on; as many as there are where the system does not say.</summary>
    private static bool[] Allowed(string status)
    {
        const string Key = "Cpus_allowed_list:";
        string? list = File.Exists(status)
            ? File.ReadLines(status).FirstOrDefault(static line => line.StartsWith(Key, StringComparison.Ordinal))?[Key.Length..]
            : null;
        bool[] cores = new bool[Words * BitsOfWord];
        if (string.IsNullOrWhiteSpace(list))
            list = $"0-{Environment.ProcessorCount - 1}";
        foreach (string range in list.Split(',', StringSplitOptions.TrimEntries))
        {
            int[] ends = [.. range.Split('-').Select(static text => int.Parse(text, CultureInfo.InvariantCulture))];
            for (int core = ends[0]; core <= Math.Min(ends[^1], cores.Length - 1); core++)
                cores[core] = true;
        }
        return cores;
    }
}
