using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>The heads of an attention, each a matrix of queries, keys and values.</summary>
internal sealed class AttentionHeads<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T[]? _mask;

    public AttentionHeads(AttentionExtents extents, ReadOnlySpan<Tensor?> inputs)
    {
        Extents = extents;
        Queries = Split(inputs[0]!.Of<T>(), extents.Heads);
        Keys = Joined(inputs.Optional(4), Split(inputs[1]!.Of<T>(), extents.KeyHeads));
        Values = Joined(inputs.Optional(5), Split(inputs[2]!.Of<T>(), extents.KeyHeads));
        Shape products = [extents.Batch, extents.Heads, extents.Queries, extents.Keys];
        if (inputs.Optional(3) is { } mask)
            _mask = Broadcasting.Stretched(Summands(mask), products).ToArray();
    }

    public AttentionExtents Extents { get; }

    public Tensor<T> Queries { get; }

    public Tensor<T> Keys { get; }

    public Tensor<T> Values { get; }

    public required T Scale { get; init; }

    public required T Cap { get; init; }

    public required bool IsCausal { get; init; }

    /// <summary>Computes one head.</summary>
    public void Attend(int head, Tensor<T> y, Tensor<T>? products, int productsAfter)
    {
        (int queries, int keys, int size) = (Extents.Queries, Extents.Keys, Extents.ValueSize);
        T[] weights = Weights(
            head,
            products is null ? default : products.Values.Slice(head * queries * keys, queries * keys),
            productsAfter
        );
        Kernels.MatrixProduct.Multiply(
            queries,
            size,
            keys,
            T.One,
            weights,
            keys,
            1,
            Part(Values, Key(head)),
            size,
            1,
            T.Zero,
            Part(y, head),
            size,
            Workers.Serial
        );
    }

    /// <summary>Adds the gradients of one head.</summary>
    public void Back(int head, Tensor<T> upstream, Tensor<T> dq, Tensor<T> dk, Tensor<T> dv)
    {
        (int queries, int keys, int size, int wide) = (Extents.Queries, Extents.Keys, Extents.Size, Extents.ValueSize);
        T[] bounded = new T[queries * keys],
            weights = Weights(head, bounded, 1),
            slopes = new T[queries * keys];
        int key = Key(head);
        Span<T> dy = Part(upstream, head);
        Kernels.MatrixProduct.Multiply(
            keys,
            wide,
            queries,
            T.One,
            weights,
            1,
            keys,
            dy,
            wide,
            1,
            T.One,
            Part(dv, key),
            wide,
            Workers.Serial
        );
        Kernels.MatrixProduct.Multiply(
            queries,
            keys,
            wide,
            T.One,
            dy,
            wide,
            1,
            Part(Values, key),
            1,
            wide,
            T.Zero,
            slopes,
            keys,
            Workers.Serial
        );
        for (int row = 0; row < queries; row++)
        {
            Span<T> own = slopes.AsSpan(row * keys, keys);
            ReadOnlySpan<T> shares = weights.AsSpan(row * keys, keys);
            T mean = TensorPrimitives.Dot(own, shares);
            for (int i = 0; i < keys; i++)
            {
                own[i] = shares[i] * (own[i] - mean) * Scale;
                // The cap is tanh: its slope is 1 - (z / cap)², z being what came out of it; where masked the share is 0.
                if (Cap > T.Zero && shares[i] != T.Zero)
                    own[i] *= T.One - bounded[row * keys + i] / Cap * (bounded[row * keys + i] / Cap);
            }
        }
        Kernels.MatrixProduct.Multiply(
            queries,
            size,
            keys,
            T.One,
            slopes,
            keys,
            1,
            Part(Keys, key),
            size,
            1,
            T.One,
            Part(dq, head),
            size,
            Workers.Serial
        );
        Kernels.MatrixProduct.Multiply(
            keys,
            size,
            queries,
            T.One,
            slopes,
            1,
            keys,
            Part(Queries, head),
            size,
            1,
            T.One,
            Part(dk, key),
            size,
            Workers.Serial
        );
    }

    /// <summary>[n,heads,t,d] from [n,t,heads d].</summary>
    public static Tensor<T> Split(Tensor<T> x, int heads)
    {
        if (x.Shape.Rank == 4)
            return x;
        Shape apart = [x.Shape[0], x.Shape[1], heads, x.Shape[2] / heads];
        Tensor<T> split = new([apart[0], heads, apart[1], apart[3]]);
        Strided.Permute<T>(apart, x.Values, [0, 2, 1, 3], split.Values);
        return split;
    }

    /// <summary>The way back, or a copy where the axes stay apart.</summary>
    public static void Join(Tensor<T> heads, Tensor<T> y)
    {
        if (y.Shape.Rank == 4)
            heads.Values.CopyTo(y.Values);
        else
            Strided.Permute<T>(heads.Shape, heads.Values, [0, 2, 1, 3], y.Values);
    }

    private int Key(int head) => head / Extents.Heads * Extents.KeyHeads + head % Extents.Heads / (Extents.Heads / Extents.KeyHeads);

    private static Span<T> Part(Tensor<T> tensor, int index)
    {
        int length = tensor.Shape[2] * tensor.Shape[3];
        return tensor.Values.Slice(index * length, length);
    }

    /// <summary>Softmax of the products; <paramref name="kept"/> takes them as they are after a stage.</summary>
    private T[] Weights(int head, Span<T> kept, int stage)
    {
        (int queries, int keys, int size) = (Extents.Queries, Extents.Keys, Extents.Size);
        T[] products = new T[queries * keys];
        Kernels.MatrixProduct.Multiply(
            queries,
            keys,
            size,
            Scale,
            Part(Queries, head),
            size,
            1,
            Part(Keys, Key(head)),
            1,
            size,
            T.Zero,
            products,
            keys,
            Workers.Serial
        );
        if (stage == 0)
            Keep(products, kept);
        if (Cap > T.Zero)
            foreach (ref T product in products.AsSpan())
                product = Cap * T.Tanh(product / Cap);
        if (stage == 1)
            Keep(products, kept);
        if (_mask is not null)
            TensorPrimitives.Add<T>(products, _mask.AsSpan(head * products.Length, products.Length), products);
        for (int row = 0; IsCausal && row < queries; row++)
            if (row + Extents.Past + 1 < keys)
                products.AsSpan(row * keys + row + Extents.Past + 1, keys - row - Extents.Past - 1).Fill(T.NegativeInfinity);
        if (stage == 2)
            Keep(products, kept);
        for (int row = 0; row < queries; row++)
            SoftMax(products.AsSpan(row * keys, keys));
        if (stage == 3)
            Keep(products, kept);
        return products;
    }

    private static void Keep(T[] products, Span<T> kept)
    {
        if (!kept.IsEmpty)
            products.CopyTo(kept);
    }

    private static void SoftMax(Span<T> line)
    {
        T most = line.IsEmpty ? T.Zero : TensorPrimitives.Max<T>(line);
        // A row that is masked throughout attends to nothing.
        if (T.IsNegativeInfinity(most))
        {
            line.Clear();
            return;
        }
        TensorPrimitives.Subtract(line, most, line);
        Kernels.Exponential.Exp<T>(line, line);
        TensorPrimitives.Divide(line, TensorPrimitives.Sum<T>(line), line);
    }

    /// <summary>Keys or values of earlier steps, then the fresh ones.</summary>
    private static Tensor<T> Joined(Tensor? past, Tensor<T> fresh) => past is null ? fresh : new Concat(2).Apply(past, fresh)[0].Of<T>();

    /// <summary>A mask as what is added to the products; truth values say what takes part.</summary>
    private static Tensor<T> Summands(Tensor mask)
    {
        if (mask is not Tensor<bool> flags)
            return mask.To(ElementTypes.Of<T>()).Of<T>();
        Tensor<T> summands = new(flags.Shape);
        for (int i = 0; i < flags.Shape.ElementCount; i++)
            summands.Values[i] = flags.Values[i] ? T.Zero : T.NegativeInfinity;
        return summands;
    }
}
