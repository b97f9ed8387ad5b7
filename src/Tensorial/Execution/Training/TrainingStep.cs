using System.Collections.Immutable;
using Tensorial.Kernels;
using Tensorial.Kernels.Blocked;

namespace Tensorial.Execution;

/// <summary>Some images of a batch, on their way through a segment on one thread.</summary>
/// <param name="First">The first image.</param>
/// <param name="Count">How many.</param>
/// <param name="Lane">Which lane they belong to. A lane's pieces come one after another, so that what it sums is the same at every
/// run.</param>
/// <param name="Most">The most images a piece of this segment has.</param>
/// <param name="Begins">Whether it is the first of its lane, whose sums then start at 0.</param>
/// <param name="Batch">Images of the whole batch. A value may have several planes of all channels for each, where a bond is folded into the
/// batch.</param>
internal readonly record struct Piece(int First, int Count, int Lane, int Most, bool Begins, int Batch)
{
    /// <summary>Layout of the piece's images.</summary>
    public BlockedLayout Layout(Value value) => value.Layout!.Value with { Images = Count * PlanesOf(value, Batch) };

    /// <summary>The piece's images of a value.</summary>
    public Span<float> Of(Frame frame, Value value)
    {
        BlockedLayout layout = value.Layout!.Value;
        int first = value.IsPassing ? Lane * Most : First,
            image = PlanesOf(value, Batch) * layout.ImagePitch;
        return frame.Floats(value).Slice(first * image, Count * image);
    }

    /// <summary>The piece's images of a value about to be written, its halo zeroed.</summary>
    public Span<float> Clean(Frame frame, Value value)
    {
        Span<float> floats = Of(frame, value);
        BlockedHalo.Clear(floats, Layout(value), Workers.Serial);
        return floats;
    }

    /// <summary>How many times the first axis of a value counts each image.</summary>
    public static int PlanesOf(Value value, int batch) => value.Shape[0] / batch;

    /// <summary>The piece's rows of a plain value, whose first axis counts images.</summary>
    public Span<float> Rows(Frame frame, Value value)
    {
        int row = value.Shape.Count / Batch;
        return frame.Floats(value).Slice(First * row, Count * row);
    }
}

/// <summary>
/// One step of a training program. Either it takes the batch as a whole, or it treats images independently and takes a piece at a time;
/// what it gathers over the batch is then joined when all pieces are through.
/// </summary>
/// <param name="Label">What it does, for profiles and messages.</param>
/// <param name="Reads">Values it reads.</param>
/// <param name="Writes">Values it makes or changes.</param>
internal sealed record TrainingStep(string Label, ImmutableArray<Value> Reads, ImmutableArray<Value> Writes)
{
    public Action<Frame>? Whole { get; init; }

    public Action<Frame, Piece>? Images { get; init; }

    /// <summary>Joins what the lanes gathered.</summary>
    public Action<Frame>? Join { get; init; }

    /// <summary>The step, if any, whose joined result this one needs.</summary>
    public TrainingStep? Awaits { get; init; }

    /// <summary>The label without the layer it names, together with the size of what is made.</summary>
    public string Kind => $"{Label[(Label.IndexOf(' ') + 1)..]} {(Writes.IsEmpty ? "" : string.Join('×', Writes[0].Shape.Skip(1)))}";

    public override string ToString() => Label;
}
