using System.Collections.Immutable;
using System.Diagnostics;
using Tensorial.Graphs;
using Tensorial.Kernels;

namespace Tensorial.Execution;

/// <summary>Steps between which threads need not meet.</summary>
/// <param name="Steps">One step that takes the batch as a whole, or some that take pieces of it.</param>
/// <param name="PieceImages">Images of a piece; 0 where there is one step and it takes everything.</param>
internal sealed record Segment(ImmutableArray<ProgramStep> Steps, int PieceImages);

/// <summary>How a program goes through its batch.</summary>
/// <param name="Images">Images of the batch that steps may be given piece by piece.</param>
/// <param name="Shards">Parts of the batch that gather sums of their own, whatever the number of threads, so that results do not depend on
/// it; 0 where every step takes the whole batch.</param>
internal readonly record struct BatchPlan(int Images, int Shards)
{
    private const int MostShards = 8;

    /// <summary>Every step takes everything, one after the other.</summary>
    public static BatchPlan StepByStep => new(1, 0);

    /// <summary>Pieces of the batch go through several steps, a shard of the batch on a thread.</summary>
    public static BatchPlan Sharded(int images) => new(images, Math.Min(MostShards, images));

    public bool IsSharded => Shards > 0;

    /// <summary>Images of a piece where activations are small.</summary>
    public int UsualPiece => Math.Min(Program.LargestPiece, (Images + Math.Max(Shards, 1) - 1) / Math.Max(Shards, 1));

    /// <summary>Rows of a value that holds sums of every shard.</summary>
    public int SumRows => Math.Max(1, Shards);
}

/// <summary>
/// A network compiled for given extents: steps in order, values with their places in one arena, nothing left to decide. Steps that treat
/// images independently may run in segments: a thread takes a few images through all steps of a segment, so that what one step makes is
/// still in its cache when the next reads it, and what only such steps see is never kept for the whole batch. Segments end where a sum
/// over the batch is needed.
/// </summary>
internal sealed class Program
{
    /// <summary>Floats a piece may touch in a segment: half a usual second-level cache.</summary>
    private const int PieceFloats = 1 << 17;

    /// <summary>Steps of a segment: all that they make is kept together, so a chain without end needs ends.</summary>
    private const int LongestSegment = 1024;

    /// <summary>The most images that a piece has.</summary>
    public const int LargestPiece = 8;

    private readonly BatchPlan _batch;

    /// <param name="steps">Steps in order.</param>
    /// <param name="inputs">Values that come from outside.</param>
    /// <param name="outputs">Values that are read, or written, from outside.</param>
    /// <param name="batch">How the batch is gone through.</param>
    /// <param name="boundary">Index of a step before which the caller looks at outputs and sets inputs, as between a forward and a backward
    /// pass; the number of steps where there is none.</param>
    public Program(
        ImmutableArray<ProgramStep> steps,
        ImmutableDictionary<string, Value> inputs,
        ImmutableDictionary<string, Value> outputs,
        BatchPlan batch,
        int boundary
    )
    {
        (_batch, Inputs, Outputs) = (batch, inputs, outputs);
        ImmutableArray<Segment> before = [.. SegmentsOf(steps[..boundary])];
        (Boundary, Segments) = (before.Length, [.. before, .. SegmentsOf(steps[boundary..])]);
        for (int index = 0; index < Segments.Length; index++)
            foreach (Value value in Segments[index].Steps.SelectMany(static s => s.Reads.Concat(s.Writes)))
                Touch(value.Root, index);
        foreach (Value output in outputs.Values)
        {
            Touch(output.Root, Boundary - 1);
            Touch(output.Root, output.Root.First >= Boundary || boundary == steps.Length ? Segments.Length : Boundary);
        }
        Values =
        [
            .. inputs
                .Values.Concat(Segments.SelectMany(static s => s.Steps).SelectMany(static s => s.Reads.Concat(s.Writes)))
                .Concat(outputs.Values)
                .SelectMany(static v => new[] { v, v.Root })
                .Distinct(),
        ];
        for (int id = 0; id < Values.Length; id++)
            Values[id].Id = id;
        if (batch.IsSharded)
            KeepPassingValues();
        ArenaLength = MemoryPlan.Assign(Values);
    }

    public ImmutableArray<Segment> Segments { get; }

    /// <summary>The first segment behind the boundary.</summary>
    public int Boundary { get; }

    public ImmutableDictionary<string, Value> Inputs { get; }

    public ImmutableDictionary<string, Value> Outputs { get; }

    public ImmutableArray<Value> Values { get; }

    /// <summary>What its nodes multiply, forward and backward, as plans of equations.</summary>
    public ImmutableArray<NodePlan> Plans { get; init; } = [];

    /// <summary>Floats that activations, and gradients where there are any, take.</summary>
    public int ArenaLength { get; }

    /// <summary>Where the seconds of every kind of step are added up; null if not measured.</summary>
    public Dictionary<string, double>? Profile { get; set; }

    /// <summary>Runs the segments from <paramref name="first"/> up to, not including, <paramref name="end"/>.</summary>
    /// <param name="frame">The memory.</param>
    /// <param name="first">The first segment.</param>
    /// <param name="end">The segment behind the last.</param>
    /// <param name="done">Told after each segment which it was.</param>
    public void Run(ProgramFrame frame, int first, int end, Action<int>? done = null)
    {
        for (int index = first; index < end; index++)
        {
            Run(frame, Segments[index]);
            done?.Invoke(index);
        }
    }

    /// <summary>The last segment that writes a value; -1 where none does.</summary>
    public int LastWrite(Value value)
    {
        int index = Segments.Length - 1;
        while (index >= 0 && !Segments[index].Steps.Any(step => step.Writes.Any(written => written.Root == value.Root)))
            index--;
        return index;
    }

    /// <summary>Values made before a segment and read at or after it: all that has to be kept to go on from there.</summary>
    public IEnumerable<Value> AliveAt(int segment) =>
        Values.Where(v => v.SharesMemoryOf is null && !v.IsExternal && v.First < segment && v.Last >= segment);

    private void Run(ProgramFrame frame, Segment segment)
    {
        if (segment.PieceImages == 0)
        {
            Run(segment.Steps[0], frame, Piece.Whole(frame.Workers));
        }
        else
        {
            frame.Workers.For(_batch.Shards, shard => RunShard(frame, segment, shard));
        }
        foreach (ProgramStep step in segment.Steps)
            if (step.Join is { } join)
            {
                long start = Stopwatch.GetTimestamp();
                join(frame);
                Record(step.Kind + ", joined", start);
            }
    }

    private void RunShard(ProgramFrame frame, Segment segment, int shard)
    {
        int start = (int)((long)shard * _batch.Images / _batch.Shards),
            end = (int)((long)(shard + 1) * _batch.Images / _batch.Shards);
        for (int first = start; first < end; first += segment.PieceImages)
        {
            Piece piece = new(
                first,
                Math.Min(segment.PieceImages, end - first),
                shard,
                segment.PieceImages,
                first == start,
                _batch.Images,
                Workers.Serial
            );
            foreach (ProgramStep step in segment.Steps)
                Run(step, frame, piece);
        }
    }

    private void Run(ProgramStep step, ProgramFrame frame, Piece piece)
    {
        long start = Profile is null ? 0 : Stopwatch.GetTimestamp();
        step.Run(frame, piece);
        Record(step.Kind, start);
    }

    private void Record(string kind, long start)
    {
        if (Profile is not { } profile)
            return;
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        lock (profile)
            profile[kind] = profile.GetValueOrDefault(kind) + seconds;
    }

    private IEnumerable<Segment> SegmentsOf(ImmutableArray<ProgramStep> steps)
    {
        List<ProgramStep> open = [];
        HashSet<Value> joined = [];
        foreach (ProgramStep step in steps)
        {
            bool isWhole = step.IsWhole || !_batch.IsSharded;
            if (open.Count > 0 && (isWhole || open.Count == LongestSegment || step.Reads.Any(joined.Contains)))
            {
                yield return new([.. open], PieceOf(open));
                open = [];
                joined = [];
            }
            if (isWhole)
                yield return new([step], 0);
            else
            {
                open.Add(step);
                joined.UnionWith(step.Joined);
            }
        }
        if (open.Count > 0)
            yield return new([.. open], PieceOf(open));
    }

    private int PieceOf(List<ProgramStep> steps)
    {
        long floats = steps
            .SelectMany(static s => s.Reads.Concat(s.Writes))
            .Distinct()
            .Sum(value => value.Layout is { } layout ? (long)layout.ImagePitch * Piece.PlanesOf(value, _batch.Images) : 0);
        int shard = (_batch.Images + _batch.Shards - 1) / _batch.Shards;
        return (int)Math.Clamp(PieceFloats / Math.Max(1, floats), 1, Math.Min(LargestPiece, shard));
    }

    /// <summary>Values that are made and last read within one segment are kept for the pieces under way only.</summary>
    private void KeepPassingValues()
    {
        HashSet<Value> whole =
        [
            .. Segments.Where(static s => s.PieceImages == 0).SelectMany(static s => s.Steps[0].Reads.Concat(s.Steps[0].Writes)),
            .. Outputs.Values,
        ];
        foreach (Value value in Values)
            if (value.Layout is not null && value.First == value.Last && value.SharesMemoryOf is null && !whole.Contains(value))
                value.KeepOnly(_batch.Shards * Segments[value.First].PieceImages * Piece.PlanesOf(value, _batch.Images));
    }

    private static void Touch(Value value, int segment)
    {
        if (value.First < 0)
            value.First = segment;
        value.Last = Math.Max(value.Last, segment);
    }
}
