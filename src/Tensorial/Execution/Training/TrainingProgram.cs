using System.Collections.Immutable;
using System.Diagnostics;
using Tensorial.Kernels;

namespace Tensorial.Execution;

/// <summary>Steps between which threads need not meet.</summary>
/// <param name="Steps">One step that takes the batch as a whole, or some that take pieces of it.</param>
/// <param name="PieceImages">Images of a piece.</param>
internal sealed record Segment(ImmutableArray<TrainingStep> Steps, int PieceImages);

/// <summary>
/// A forward and a backward pass over batches of one size. Steps that treat images independently run in segments: a thread takes a few
/// images through all steps of a segment, so that what one step makes is still in its cache when the next reads it, and what only such
/// steps see is never kept for the whole batch. Segments end where a sum over the batch is needed.
/// </summary>
internal sealed class TrainingProgram
{
    /// <summary>
    /// Parts of a batch that gather sums of their own, whatever the number of threads, so that results do not depend on it.
    /// </summary>
    public const int Lanes = 8;

    /// <summary>Floats a piece may touch in a segment: half a usual second-level cache.</summary>
    private const int PieceFloats = 1 << 17;

    private const int LargestPiece = 8;

    private readonly int _images;
    private readonly Lazy<Frame> _frame;
    private readonly ImmutableArray<Segment> _forward,
        _backward;

    public TrainingProgram(
        int images,
        IReadOnlyList<TrainingStep> forward,
        IReadOnlyList<TrainingStep> backward,
        IEnumerable<Value> outputs,
        Workers workers
    )
    {
        _images = images;
        (_forward, _backward) = ([.. Segments(forward)], [.. Segments(backward)]);
        ImmutableArray<Segment> segments = [.. _forward, .. _backward];
        for (int index = 0; index < segments.Length; index++)
            foreach (Value value in segments[index].Steps.SelectMany(static s => s.Reads.Concat(s.Writes)))
                Touch(value.Root, index);
        // Outputs are read, and their gradients written, between the passes.
        foreach (Value output in outputs)
            Touch(output.Root, _forward.Length - 1);
        foreach (Value output in outputs)
            Touch(output.Root, _forward.Length);
        ImmutableArray<Value> values =
        [
            .. segments
                .SelectMany(static s => s.Steps)
                .SelectMany(static s => s.Reads.Concat(s.Writes))
                .Concat(outputs)
                .SelectMany(static v => new[] { v, v.Root })
                .Distinct(),
        ];
        for (int id = 0; id < values.Length; id++)
            values[id].Id = id;
        Value[] whole =
        [
            .. segments.Where(static s => s.Steps[0].Whole is not null).SelectMany(static s => s.Steps[0].Reads.Concat(s.Steps[0].Writes)),
        ];
        foreach (Value value in values.Except(whole))
            if (value.Layout is not null && value.First == value.Last && value.SharesMemoryOf is null)
                value.KeepOnly(LaneCount * segments[value.First].PieceImages * Piece.PlanesOf(value, images));
        ArenaLength = MemoryPlan.Assign(values);
        // Planned batches need not all be run.
        _frame = new(() => new(values, ArenaLength, workers));
    }

    /// <summary>Floats that activations and their gradients take.</summary>
    public int ArenaLength { get; }

    public Frame Frame => _frame.Value;

    private int LaneCount => LanesOf(_images);

    /// <summary>Lanes that a batch has.</summary>
    public static int LanesOf(int images) => Math.Min(Lanes, images);

    public void Forward() => Run(_forward);

    public void Backward() => Run(_backward);

    /// <summary>Where the seconds of every kind of step are added up; null where nobody asks.</summary>
    public Dictionary<string, double>? Profile { get; set; }

    private void Run(ImmutableArray<Segment> segments)
    {
        Frame frame = Frame;
        foreach (Segment segment in segments)
        {
            if (segment.Steps[0].Whole is { } whole)
            {
                Timed(segment.Steps[0], () => whole(frame));
                continue;
            }
            frame.Workers.For(
                LaneCount,
                lane =>
                {
                    int start = (int)((long)lane * _images / LaneCount),
                        end = (int)((long)(lane + 1) * _images / LaneCount);
                    for (int first = start; first < end; first += segment.PieceImages)
                    {
                        Piece piece = new(
                            first,
                            Math.Min(segment.PieceImages, end - first),
                            lane,
                            segment.PieceImages,
                            first == start,
                            _images
                        );
                        foreach (TrainingStep step in segment.Steps)
                            if (Profile is null)
                                step.Images!(frame, piece);
                            else
                                Timed(step, () => step.Images!(frame, piece));
                    }
                }
            );
            foreach (TrainingStep step in segment.Steps)
                if (step.Join is { } join)
                    Timed(step, () => join(frame), ", joined");
        }
    }

    private void Timed(TrainingStep step, Action run, string suffix = "")
    {
        if (Profile is not { } profile)
        {
            run();
            return;
        }
        long start = Stopwatch.GetTimestamp();
        run();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        lock (profile)
            profile[step.Kind + suffix] = profile.GetValueOrDefault(step.Kind + suffix) + seconds;
    }

    private IEnumerable<Segment> Segments(IReadOnlyList<TrainingStep> steps)
    {
        List<TrainingStep> open = [];
        foreach (TrainingStep step in steps)
        {
            bool meets = step.Whole is not null || (step.Awaits is { } awaited && open.Contains(awaited));
            if (meets && open.Count > 0)
            {
                yield return new([.. open], PieceOf(open));
                open = [];
            }
            if (step.Whole is not null)
                yield return new([step], _images);
            else
                open.Add(step);
        }
        if (open.Count > 0)
            yield return new([.. open], PieceOf(open));
    }

    private int PieceOf(List<TrainingStep> steps)
    {
        long floats = steps
            .SelectMany(static s => s.Reads.Concat(s.Writes))
            .Distinct()
            .Sum(value => value.Layout is { } layout ? (long)layout.ImagePitch * Piece.PlanesOf(value, _images) : 0);
        int lane = (_images + LaneCount - 1) / LaneCount;
        return (int)Math.Clamp(PieceFloats / Math.Max(1, floats), 1, Math.Min(LargestPiece, lane));
    }

    private static void Touch(Value value, int segment)
    {
        if (value.First < 0)
            value.First = segment;
        value.Last = Math.Max(value.Last, segment);
    }
}
