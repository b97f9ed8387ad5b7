using System.Collections.Immutable;
using System.Numerics;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// Scaled dot-product attention: softmax(cap(scale Q Kᵀ) + mask) V for every head. Q, K and V are [n,heads,t,d], or [n,t,heads d] with the numbers
/// of heads given; fewer heads of K and V serve several of Q. Further operands are a mask, which stretches to [n,heads,t,s] and holds
/// summands or truth values, and keys and values that go before K and V. Further results are all keys, all values, and the products.
/// </summary>
public sealed record Attention : FloatOperation
{
    /// <summary>Whether a query sees only keys up to its own position.</summary>
    public bool IsCausal { get; init; }

    /// <summary>Factor of the products; null for 1 / √d.</summary>
    public float? Scale { get; init; }

    /// <summary>Products are held within ±SoftCap by a tanh; 0 for no bound.</summary>
    public float SoftCap { get; init; }

    /// <summary>Heads of Q, where it has three axes.</summary>
    public int QueryHeads { get; init; }

    /// <summary>Heads of K and V, where they have three axes.</summary>
    public int KeyHeads { get; init; }

    /// <summary>What the fourth result holds: products (0), bounded (1), masked (2), after softmax (3).</summary>
    public int ProductsAfter { get; init; }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo q = inputs.Floating(0, "Q"),
            k = inputs.Floating(1, "K"),
            v = inputs.Floating(2, "V");
        AttentionExtents e = Extents(q.Shape, k.Shape, v.Shape, inputs.Optional(4)?.Shape, inputs.Optional(5)?.Shape);
        Shape products = [e.Batch, e.Heads, e.Queries, e.Keys];
        if (inputs.Optional(3) is { } mask)
        {
            if (mask.Type != ElementType.Bool && !mask.Type.IsFloating())
                throw new BadInputException($"the mask must hold floating-point numbers or truth values, not {mask.Type}.");
            if (!Broadcasting.Reaches(mask.Shape, products))
                throw new ShapeException($"a mask of {mask.Shape} does not stretch to {products}.");
        }
        return
        [
            new(
                q.Type,
                q.Shape.Rank == 4 ? [e.Batch, e.Heads, e.Queries, e.ValueSize] : [e.Batch, e.Queries, checked(e.Heads * e.ValueSize)]
            ),
            new(k.Type, [e.Batch, e.KeyHeads, e.Keys, e.Size]),
            new(v.Type, [e.Batch, e.KeyHeads, e.Keys, e.ValueSize]),
            new(q.Type, products),
        ];
    }

    private AttentionExtents Extents(Shape q, Shape k, Shape v, Shape? pastKeys, Shape? pastValues)
    {
        (int batch, int heads, int queries, int size) = Split(q, QueryHeads, "Q");
        (int batchK, int keyHeads, int fresh, int sizeK) = Split(k, KeyHeads, "K");
        (int batchV, int valueHeads, int freshV, int sizeV) = Split(v, KeyHeads, "V");
        if (batch != batchK || batch != batchV || size != sizeK || fresh != freshV || keyHeads != valueHeads)
            throw new ShapeException($"Q of {q}, K of {k} and V of {v} do not fit each other.");
        if (keyHeads < 1 || heads % keyHeads != 0)
            throw new ShapeException($"{heads} heads of Q do not share {keyHeads} of K.");
        int past = pastKeys is { Rank: 4 } given ? given[2] : 0;
        if (pastKeys is { } keys && keys != [batch, keyHeads, past, size])
            throw new ShapeException($"past keys of {keys} do not go before K of {k}.");
        if ((pastValues is null) != (pastKeys is null) || pastValues is { } values && values != [batch, keyHeads, past, sizeV])
            throw new ShapeException("past keys and past values must come together, with equal extents.");
        return new(batch, heads, keyHeads, queries, checked(past + fresh), size, sizeV, past);
    }

    private static (int Batch, int Heads, int Length, int Size) Split(Shape shape, int heads, string name)
    {
        if (shape.Rank == 4)
            return (shape[0], shape[1], shape[2], shape[3]);
        return shape.Rank == 3 && heads >= 1 && shape[2] % heads == 0
            ? (shape[0], heads, shape[1], shape[2] / heads)
            : throw new ShapeException($"{name} of shape {shape} does not split into {heads} heads.");
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        AttentionHeads<T> heads = Prepare<T>(inputs);
        Tensor<T> y = new([heads.Extents.Batch, heads.Extents.Heads, heads.Extents.Queries, heads.Extents.ValueSize]);
        Tensor<T>? products = outputs.Length > 3 ? outputs[3].Of<T>() : null;
        workers.For(heads.Extents.Batch * heads.Extents.Heads, head => heads.Attend(head, y, products, ProductsAfter));
        AttentionHeads<T>.Join(y, outputs[0].Of<T>());
        if (outputs.Length > 1)
            heads.Keys.Values.CopyTo(outputs[1].Of<T>().Values);
        if (outputs.Length > 2)
            heads.Values.Values.CopyTo(outputs[2].Of<T>().Values);
    }

    private AttentionHeads<T> Prepare<T>(ReadOnlySpan<Tensor?> inputs)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        AttentionExtents e = Extents(
            inputs[0]!.Shape,
            inputs[1]!.Shape,
            inputs[2]!.Shape,
            inputs.Optional(4)?.Shape,
            inputs.Optional(5)?.Shape
        );
        return new(e, inputs)
        {
            Scale = T.CreateChecked(Scale ?? 1 / MathF.Sqrt(e.Size)),
            Cap = T.CreateChecked(SoftCap),
            IsCausal = IsCausal,
        };
    }

    internal override Reads? GradientReads(int input) => input < 3 ? Reads.AllInputs : null;

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        if (pull.Upstream(0) is not { } dy || pull.Upstream(1) is not null || pull.Upstream(2) is not null || pull.Upstream(3) is not null)
            throw new UnsupportedException("only the first result of Attention has a gradient.");
        if (pull.Inputs.Optional(4) is not null)
            throw new UnsupportedException("Attention with past keys has no gradient.");
        AttentionHeads<T> heads = Prepare<T>(pull.Inputs);
        AttentionExtents e = heads.Extents;
        Tensor<T> dq = new(heads.Queries.Shape),
            dk = new(heads.Keys.Shape),
            dv = new(heads.Values.Shape),
            upstream = AttentionHeads<T>.Split(dy, e.Heads);
        for (int head = 0; head < e.Batch * e.Heads; head++)
            heads.Back(head, upstream, dq, dk, dv);
        foreach ((int input, Tensor<T> own) in ((int, Tensor<T>)[])[(0, dq), (1, dk), (2, dv)])
            if (pull.Gradient(input) is { } gradient)
            {
                Tensor<T> joined = new(gradient.Shape);
                AttentionHeads<T>.Join(own, joined);
                gradient.Add<T>(joined.Values);
            }
    }

    /// <summary>One for each product of a query with a key, and of a weight with a value.</summary>
    internal override long Macs(ReadOnlySpan<ValueInfo?> inputs, ReadOnlySpan<ValueInfo> outputs)
    {
        // Nodes may name the first result alone.
        AttentionExtents e = Extents(
            inputs[0]!.Shape,
            inputs[1]!.Shape,
            inputs[2]!.Shape,
            inputs.Optional(4)?.Shape,
            inputs.Optional(5)?.Shape
        );
        return (long)e.Batch * e.Heads * e.Queries * e.Keys * (e.Size + e.ValueSize);
    }
}

/// <summary>Extents of an attention.</summary>
internal readonly record struct AttentionExtents(
    int Batch,
    int Heads,
    int KeyHeads,
    int Queries,
    int Keys,
    int Size,
    int ValueSize,
    int Past
);
