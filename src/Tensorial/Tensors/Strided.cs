using System.Numerics;
using System.Numerics.Tensors;

namespace Tensorial;

/// <summary>Copies between strided views: what transposing, slicing, broadcasting and padding have in common.</summary>
internal static class Strided
{
    /// <summary>
    /// target[t + Σ iₐ·targetStrides[a]] = source[s + Σ iₐ·sourceStrides[a]] for every index i below the extents. A source
    /// stride of 0 repeats, a negative one runs backwards.
    /// </summary>
    public static void Copy<T>(
        Shape extents,
        ReadOnlySpan<T> source,
        int s,
        ReadOnlySpan<int> sourceStrides,
        Span<T> target,
        int t,
        ReadOnlySpan<int> targetStrides
    )
    {
        if (extents.ElementCount == 0)
            return;
        Span<Axis> axes = stackalloc Axis[extents.Rank + 1];
        Copy(axes[..Merge(extents, sourceStrides, targetStrides, axes)], source, s, target, t);
    }

    /// <summary>
    /// As <see cref="Copy{T}(Shape, ReadOnlySpan{T}, int, ReadOnlySpan{int}, Span{T}, int, ReadOnlySpan{int})"/>, but adds to the target:
    /// the adjoint of the copy in the other direction. A target stride of 0 sums.
    /// </summary>
    public static void Add<T>(
        Shape extents,
        ReadOnlySpan<T> source,
        int s,
        ReadOnlySpan<int> sourceStrides,
        Span<T> target,
        int t,
        ReadOnlySpan<int> targetStrides
    )
        where T : INumberBase<T>
    {
        if (extents.ElementCount == 0)
            return;
        Span<Axis> axes = stackalloc Axis[extents.Rank + 1];
        Add(axes[..Merge(extents, sourceStrides, targetStrides, axes)], source, s, target, t);
    }

    /// <summary>Neighbouring axes that advance as one become one; returns how many are left.</summary>
    private static int Merge(Shape extents, ReadOnlySpan<int> sourceStrides, ReadOnlySpan<int> targetStrides, Span<Axis> axes)
    {
        int count = 0;
        axes[count++] = new(1, 0, 0);
        for (int axis = 0; axis < extents.Rank; axis++)
        {
            Axis next = new(extents[axis], sourceStrides[axis], targetStrides[axis]);
            if (next.Extent == 1)
                continue;
            Axis outer = axes[count - 1];
            bool merges = outer.Extent > 1 && outer.Source == next.Source * next.Extent && outer.Target == next.Target * next.Extent;
            if (merges)
                axes[count - 1] = next with { Extent = outer.Extent * next.Extent };
            else
                axes[count++] = next;
        }
        return count;
    }

    /// <summary>The values of <paramref name="source"/>, seen through strides, written one after another.</summary>
    public static void Gather<T>(Shape extents, ReadOnlySpan<T> source, int s, ReadOnlySpan<int> strides, Span<T> target) =>
        Copy(extents, source, s, strides, target, 0, extents.Strides());

    /// <summary>y[i permuted] = x[i]: axis a of the result is axis <c>order[a]</c> of <paramref name="x"/>.</summary>
    public static void Permute<T>(Shape shape, ReadOnlySpan<T> x, ReadOnlySpan<int> order, Span<T> y)
    {
        int[] strides = shape.Strides(),
            permuted = new int[order.Length],
            extents = new int[order.Length];
        for (int axis = 0; axis < order.Length; axis++)
            (permuted[axis], extents[axis]) = (strides[order[axis]], shape[order[axis]]);
        Gather(Shape.From(extents), x, 0, permuted, y);
    }

    private readonly record struct Axis(int Extent, int Source, int Target);

    private static void Copy<T>(ReadOnlySpan<Axis> axes, ReadOnlySpan<T> source, int s, Span<T> target, int t)
    {
        Axis axis = axes[0];
        if (axes.Length > 1)
        {
            for (int i = 0; i < axis.Extent; i++, s += axis.Source, t += axis.Target)
                Copy(axes[1..], source, s, target, t);
            return;
        }
        switch (axis)
        {
            case (_, 1, 1):
                source.Slice(s, axis.Extent).CopyTo(target[t..]);
                break;
            case (_, 0, 1):
                target.Slice(t, axis.Extent).Fill(source[s]);
                break;
            default:
                for (int i = 0; i < axis.Extent; i++, s += axis.Source, t += axis.Target)
                    target[t] = source[s];
                break;
        }
    }

    private static void Add<T>(ReadOnlySpan<Axis> axes, ReadOnlySpan<T> source, int s, Span<T> target, int t)
        where T : INumberBase<T>
    {
        Axis axis = axes[0];
        if (axes.Length > 1)
        {
            for (int i = 0; i < axis.Extent; i++, s += axis.Source, t += axis.Target)
                Add(axes[1..], source, s, target, t);
            return;
        }
        switch (axis)
        {
            case (_, 1, 1):
                Span<T> sums = target.Slice(t, axis.Extent);
                TensorPrimitives.Add(sums, source.Slice(s, axis.Extent), sums);
                break;
            case (_, 1, 0):
                target[t] += TensorPrimitives.Sum(source.Slice(s, axis.Extent));
                break;
            default:
                for (int i = 0; i < axis.Extent; i++, s += axis.Source, t += axis.Target)
                    target[t] += source[s];
                break;
        }
    }
}
