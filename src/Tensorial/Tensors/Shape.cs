using System.Collections;
using System.Runtime.CompilerServices;

namespace Tensorial;

/// <summary>The extents of a tensor, outermost first. A scalar has the empty shape. Never changes; equal when all extents are.</summary>
[CollectionBuilder(typeof(Shape), nameof(From))]
public readonly struct Shape : IEquatable<Shape>, IReadOnlyList<int>
{
    private readonly int[]? _extents;

    private Shape(int[] extents) => _extents = extents;

    /// <summary>The shape with these extents.</summary>
    /// <exception cref="ShapeException">An extent is negative, or the product does not fit an array.</exception>
    public static Shape From(params ReadOnlySpan<int> extents)
    {
        long count = 1;
        foreach (int extent in extents)
        {
            if (extent < 0)
                throw new ShapeException($"A tensor cannot have the extent {extent}, as in {Join(extents)}.");
            count = Math.Min(count * extent, (long)int.MaxValue + 1);
        }
        if (count > Array.MaxLength)
            throw new ShapeException($"A tensor of shape {Join(extents)} is too large: more than {Array.MaxLength:N0} values.");
        return new(extents.ToArray());
    }

    private ReadOnlySpan<int> Span => _extents;

    /// <summary>Number of axes.</summary>
    public int Rank => Span.Length;

    /// <summary>
    /// The number of axes, under the name by which the compiler measures <c>shape[^1]</c>, <c>[n, .. shape]</c> and list patterns; it would
    /// else take <see cref="ElementCount"/>.
    /// </summary>
    public int Length => Rank;

    int IReadOnlyCollection<int>.Count => Rank;

    /// <summary>Number of values: the product of the extents, 1 for a scalar.</summary>
    public int ElementCount
    {
        get
        {
            int count = 1;
            foreach (int extent in Span)
                count *= extent;
            return count;
        }
    }

    /// <summary>The extent of an axis.</summary>
    public int this[int axis] => Span[axis];

    /// <summary>The extents themselves.</summary>
    public ReadOnlySpan<int> Extents => Span;

    /// <summary>Row-major distances, in values, between neighbours along each axis.</summary>
    public int[] Strides()
    {
        int[] strides = new int[Rank];
        for (int axis = Rank - 1, stride = 1; axis >= 0; stride *= Span[axis--])
            strides[axis] = stride;
        return strides;
    }

    /// <summary>This shape with one extent replaced.</summary>
    public Shape With(int axis, int extent)
    {
        int[] extents = Span.ToArray();
        extents[axis] = extent;
        return From(extents);
    }

    /// <summary>Product of the extents from <paramref name="first"/> up to, not including, <paramref name="end"/>.</summary>
    public int ElementCountOf(int first, int end)
    {
        int count = 1;
        for (int axis = first; axis < end; axis++)
            count *= Span[axis];
        return count;
    }

    /// <inheritdoc/>
    public bool Equals(Shape other) => Span.SequenceEqual(other.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (int extent in Span)
            hash.Add(extent);
        return hash.ToHashCode();
    }

    /// <summary>Whether extents are equal.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Whether extents differ.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)(_extents ?? [])).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>For example <c>64×32×3×3</c>; <c>scalar</c> without axes.</summary>
    public override string ToString() => Join(Span);

    private static string Join(ReadOnlySpan<int> extents) => extents.IsEmpty ? "scalar" : string.Join('×', extents.ToArray());
}
