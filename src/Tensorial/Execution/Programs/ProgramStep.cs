using System.Collections.Immutable;
using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Execution;

/// <summary>Some images of a batch, on their way through a segment on one thread, or the whole batch on all threads.</summary>
/// <param name="First">The first image.</param>
/// <param name="Count">Number of images.</param>
/// <param name="Shard">The shard of the batch that they belong to. Its pieces come one after another, so that what it sums is the same at
/// every run.</param>
/// <param name="Most">The most images a piece of this segment has.</param>
/// <param name="Begins">Whether it is the first of its shard, whose sums then start at 0.</param>
/// <param name="Batch">Images of the whole batch. A value may have several planes of all channels for each, where a bond is folded into the
/// batch.</param>
/// <param name="Workers">Threads that a kernel may use.</param>
internal readonly record struct Piece(int First, int Count, int Shard, int Most, bool Begins, int Batch, Workers Workers)
{
    /// <summary>Everything at once.</summary>
    public static Piece Whole(Workers workers) => new(0, 1, 0, 1, true, 1, workers);

    /// <summary>Layout of the piece's images.</summary>
    public BlockedLayout Layout(Value value) => value.Layout!.Value with { Images = Count * PlanesOf(value, Batch) };

    /// <summary>The piece's images of a blocked value.</summary>
    public Span<float> Of(ProgramFrame frame, Value value)
    {
        BlockedLayout layout = value.Layout!.Value;
        int first = value.IsPassing ? Shard * Most : First,
            image = PlanesOf(value, Batch) * layout.ImagePitch;
        return frame.Floats(value).Slice(first * image, Count * image);
    }

    /// <summary>The piece's images of a blocked value about to be written, its halo zeroed.</summary>
    public Span<float> Clean(ProgramFrame frame, Value value)
    {
        Span<float> floats = Of(frame, value);
        BlockedHalo.Clear(floats, Layout(value), Workers);
        return floats;
    }

    /// <summary>How many times the first axis of a value counts each image.</summary>
    public static int PlanesOf(Value value, int batch) => value.Shape[0] / batch;

    /// <summary>The piece's rows of a plain value, whose first axis counts images.</summary>
    public Span<float> Rows(ProgramFrame frame, Value value)
    {
        int row = value.Shape.ElementCount / Batch;
        return frame.Floats(value).Slice(First * row, Count * row);
    }

    /// <summary>The part of a value with one row a shard that belongs to the piece's shard, zeroed where the shard begins.</summary>
    public Span<float> Sums(ProgramFrame frame, Value value)
    {
        int row = value.Shape[1];
        Span<float> own = frame.Floats(value).Slice(Shard * row, row);
        if (Begins)
            own.Clear();
        return own;
    }
}

/// <summary>
/// One step of a program: a kernel call with its operands. A step that treats images independently may be given a piece of the batch at a
/// time; what it gathers over the batch is joined when all pieces are through.
/// </summary>
/// <param name="Label">What it does, for profiles and messages.</param>
/// <param name="Reads">Values it reads.</param>
/// <param name="Writes">Values it makes or changes.</param>
/// <param name="Run">Does it for a piece.</param>
internal sealed record ProgramStep(string Label, ImmutableArray<Value> Reads, ImmutableArray<Value> Writes, Action<ProgramFrame, Piece> Run)
{
    /// <summary>Whether it takes the batch as a whole.</summary>
    public bool IsWhole { get; init; }

    /// <summary>Joins what the shards gathered.</summary>
    public Action<ProgramFrame>? Join { get; init; }

    /// <summary>Values that <see cref="Join"/> makes; they are among <see cref="Writes"/>.</summary>
    public ImmutableArray<Value> Joined { get; init; } = [];

    /// <summary>Names of the network's constants that its weights come from.</summary>
    public ImmutableArray<string> Constants { get; init; } = [];

    /// <summary>The label without the layer it names, together with the size of what is made.</summary>
    public string Kind => $"{Label[(Label.IndexOf(' ') + 1)..]} {(Writes.IsEmpty ? "" : string.Join('×', Writes[0].Shape.Skip(1)))}";

    public override string ToString() => Label;
}
