using System.Text.Json.Serialization;
using Tensorial.Analysis;

namespace Tensorial.Compression;

/// <summary>A line of a store: a shard that was begun, or is done.</summary>
/// <param name="Work">What was divided into shards, in words.</param>
/// <param name="Shard">Which part, as <see cref="Shard"/> writes it.</param>
/// <param name="IsDone">Whether all of it was measured.</param>
internal sealed record ShardRecord(string Work, string Shard, bool IsDone)
{
    [JsonIgnore]
    public Shard Part => Analysis.Shard.Parse(Shard);

    /// <summary>Shards of divided work that are not there, or not done: clauses such as "nothing is there of shard 2/4".</summary>
    /// <param name="records">What several stores say, of any number of works.</param>
    public static IReadOnlyList<string> Missing(IEnumerable<ShardRecord> records)
    {
        List<string> missing = [];
        foreach (IGrouping<string, ShardRecord> work in records.GroupBy(static record => record.Work))
        {
            // The same work may have been divided twice, into 2 and into 4: either is enough.
            (Shard[] Absent, Shard[] Begun)[] divisions =
            [
                .. work.GroupBy(static record => record.Part.Count)
                    .Select(same =>
                    {
                        HashSet<Shard> there = [.. same.Select(static record => record.Part)],
                            done = [.. same.Where(static record => record.IsDone).Select(static record => record.Part)];
                        Shard[] all = [.. Enumerable.Range(1, same.Key).Select(index => new Shard(index, same.Key))];
                        return ((Shard[])[.. all.Except(there)], (Shard[])[.. there.Except(done).OrderBy(static shard => shard.Index)]);
                    }),
            ];
            if (divisions.Any(static division => division.Absent.Length + division.Begun.Length == 0))
                continue;
            foreach ((Shard[] absent, Shard[] begun) in divisions)
            {
                if (absent.Length > 0)
                    missing.Add($"nothing is there of shard {Text(absent)}");
                if (begun.Length > 0)
                    missing.Add($"shard {Text(begun)} {(begun.Length == 1 ? "is" : "are")} not finished");
            }
        }
        return missing;
    }

    private static string Text(Shard[] shards) => string.Join(", ", shards.Take(20)) + (shards.Length > 20 ? ", …" : "");
}
