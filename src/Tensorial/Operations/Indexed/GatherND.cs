using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>Slices of the data that tuples of indices name; the first axes may be a batch that data and indices share.</summary>
public sealed record GatherND(int BatchAxes = 0) : Operation
{
    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo data = inputs.Required(0, "data"),
            indices = inputs.Required(1, "indices");
        IndexTuples.CheckType(indices);
        if (BatchAxes < 0 || BatchAxes >= Math.Min(data.Shape.Rank, indices.Shape.Rank))
            throw new ShapeException($"batch_dims is {BatchAxes}, for data {data.Shape} and indices {indices.Shape}.");
        if (!data.Shape.Take(BatchAxes).SequenceEqual(indices.Shape.Take(BatchAxes)))
            throw new ShapeException($"data {data.Shape} and indices {indices.Shape} share no {BatchAxes} batch axes.");
        int depth = IndexTuples.Depth(indices.Shape, data.Shape.Rank - BatchAxes);
        return [new(data.Type, [.. indices.Shape.SkipLast(1), .. data.Shape.Skip(BatchAxes + depth)])];
    }

    internal override void Forward(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor data = inputs[0]!;
        (int[] places, int slice) = Places(data.Shape, inputs[1]!);
        for (int i = 0; i < places.Length && slice > 0; i++)
            data.Bytes(places[i], slice).CopyTo(outputs[0].Bytes(i * slice, slice));
    }

    internal override Reads? GradientReads(int input) => input == 0 ? Reads.Input(1) : null;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Gradient(0) is not { } data)
            return;
        (int[] places, int slice) = Places(data.Shape, pull.Inputs[1]!);
        for (int i = 0; i < places.Length; i++)
        {
            Span<T> sums = data.Values.Slice(places[i], slice);
            TensorPrimitives.Add(sums, pull.Dy.Values.Slice(i * slice, slice), sums);
        }
    }

    private (int[] Places, int Slice) Places(Shape data, Tensor indices)
    {
        Shape entry = [.. data.Skip(BatchAxes)];
        int depth = IndexTuples.Depth(indices.Shape, entry.Rank),
            batches = data.ElementCountOf(0, BatchAxes);
        int[] places = IndexTuples.Places(indices, entry, depth);
        int each = places.Length / Math.Max(1, batches);
        for (int i = 0; i < places.Length; i++)
            places[i] += i / each * entry.ElementCount;
        return (places, entry.ElementCountOf(depth, entry.Rank));
    }
}
