using System.Collections.Immutable;
using System.Text.Json;
using Tensorial.Analysis;

namespace Tensorial.Compression;

/// <summary>What was put together.</summary>
/// <param name="Results">Results of the search that the joined store holds.</param>
/// <param name="Missing">Shards that are not there or not finished: clauses.</param>
internal sealed record JoinedStore(int Results, IReadOnlyList<string> Missing);

/// <summary>Joins the stores that the shards of a search filled (<see cref="ResultCache"/>).</summary>
internal static class StoreMerge
{
    private static readonly JsonSerializerOptions Json = new(AnalysisJson.Line) { TypeInfoResolver = CompressionJsonTypes.Default };

    /// <summary>Whether a folder holds results of a compression, and no sweep.</summary>
    /// <exception cref="BadInputException">It is no store, or damaged.</exception>
    public static bool IsSearch(string folder)
    {
        IReadOnlyList<StoredResult> lines = ResultStore.Read(folder);
        return lines.Any(static line => line.Kind == StoredKind.Origin) && lines.All(static line => line.Kind != StoredKind.Run);
    }

    /// <summary>Copies what stores hold of one search into a store, which may exist and hold some of it.</summary>
    /// <param name="folder">The joined store; made where it does not exist.</param>
    /// <param name="parts">Stores of one network, one set of images and one search.</param>
    /// <exception cref="BadInputException">A store is of another network, other images, another version or another search; names both.</exception>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static JoinedStore Into(string folder, IReadOnlyList<string> parts)
    {
        bool isThere = Directory.Exists(folder) && Directory.EnumerateFiles(folder, "*.jsonl").Any();
        Part[] all = [.. parts.Select(Part.Read)];
        foreach (Part part in isThere ? [.. all.Skip(1), Part.Read(folder)] : all.Skip(1))
            part.CheckBelongsTo(all[0]);
        using (ResultStore joined = ResultStore.Open(folder, "compression", Json))
            foreach (Part part in all)
            foreach (StoredResult line in part.Lines)
            {
                // The file first: its line says that it is there.
                if (line.Kind == StoredKind.Compression && line.As<ResultCache.Remembered>(Json).File is { } file)
                    Copy(Path.Combine(part.Folder, file), Path.Combine(folder, file));
                joined.Add(line);
            }
        Part whole = Part.Read(folder);
        return new(
            whole
                .Lines.Where(static line => line.Kind is StoredKind.Compression or StoredKind.Structures)
                .DistinctBy(static line => line.Key)
                .Count(),
            ShardRecord.Missing(whole.Shards)
        );
    }

    /// <summary>A file that is gone is computed again by who needs it, and said then.</summary>
    private static void Copy(string from, string to)
    {
        if (!File.Exists(from) || File.Exists(to))
            return;
        using FileStream source = InputFile.Open(from);
        AtomicFile.Write(to, source.CopyTo);
    }

    /// <summary>What a store holds of the searches that were divided; of all, where none was.</summary>
    private sealed record Part(
        string Folder,
        ImmutableArray<StoredResult> Lines,
        ImmutableArray<ResultCache.Origin> Origins,
        ImmutableArray<ShardRecord> Shards
    )
    {
        public static Part Read(string folder)
        {
            IReadOnlyList<StoredResult> lines = ResultStore.Read(folder);
            HashSet<string> divided = [.. lines.Where(static line => line.Kind == StoredKind.Shard).Select(static line => line.Scope)];
            ImmutableArray<StoredResult> own =
            [
                .. lines.Where(line =>
                    line.Kind is StoredKind.Origin or StoredKind.Shard or StoredKind.Compression or StoredKind.Structures
                    && (divided.Count == 0 || divided.Contains(line.Scope))
                ),
            ];
            return new(folder, own, Values<ResultCache.Origin>(StoredKind.Origin), Values<ShardRecord>(StoredKind.Shard));

            ImmutableArray<T> Values<T>(StoredKind kind)
                where T : class => [.. own.Where(line => line.Kind == kind).Select(static line => line.As<T>(Json)).Distinct()];
        }

        /// <exception cref="BadInputException">It does not.</exception>
        public void CheckBelongsTo(Part first)
        {
            if (!Origins.ToHashSet().SetEquals(first.Origins))
                throw new BadInputException(
                    $"{Folder} holds results of {string.Join("; ", Origins)}, and {first.Folder} of {string.Join("; ", first.Origins)}; only shards of one search can be joined."
                );
            HashSet<string> works = [.. Shards.Select(static shard => shard.Work)],
                others = [.. first.Shards.Select(static shard => shard.Work)];
            if (works.Count > 0 && others.Count > 0 && !works.Overlaps(others))
                throw new BadInputException(
                    $"{Folder} holds shard {Shards[0].Shard} of \"{Shards[0].Work}\", and {first.Folder} shard {first.Shards[0].Shard} of \"{first.Shards[0].Work}\"; only shards of one search can be joined."
                );
        }
    }
}
