using System.Collections.Immutable;

namespace Tensorial.Decompositions;

/// <summary>
/// A tensor's modes split into several each, 64 into 4·4·4: a row-major reshape, so that the first part counts slowest. A mode whose extent
/// has no such factors is padded with zeros to one that has.
/// </summary>
/// <param name="Shape">Extents of the tensor.</param>
/// <param name="Parts">For each mode, the extents of its parts; their product is at least the mode's extent.</param>
public sealed record Folding(Shape Shape, ImmutableArray<Shape> Parts)
{
    /// <summary>The extents after padding.</summary>
    public Shape Padded => [.. Parts.Select(static parts => parts.ElementCount)];

    /// <summary>The extents of all parts, in order.</summary>
    public Shape Folded => [.. Parts.SelectMany(static parts => parts)];

    /// <summary>The tensor itself, no mode split.</summary>
    public static Folding None(Shape shape) => new(shape, [.. shape.Select(static extent => Shape.From(extent))]);

    /// <summary>
    /// The first <paramref name="channels"/> modes split into <paramref name="order"/> parts each, the others left whole. The parts ascend
    /// and are as equal as the extent's factors allow; an extent that would leave a part larger than twice its share is padded to the next
    /// that does not (13 becomes 16 = 4·4, 10 = 2·5 stays).
    /// </summary>
    /// <exception cref="BadInputException">The order is below 1.</exception>
    public static Folding From(Shape shape, int order, int channels = 2)
    {
        if (order < 1)
            throw new BadInputException($"A mode is split into 1 part or more, not {order}.");
        return new(shape, [.. shape.Select((extent, mode) => mode < channels ? Balanced(extent, order) : Shape.From(extent))]);
    }

    /// <summary>The tensor with its modes padded and split.</summary>
    /// <exception cref="ShapeException">The tensor has other extents.</exception>
    public Tensor<T> Fold<T>(Tensor<T> tensor)
        where T : unmanaged
    {
        if (tensor.Shape != Shape)
            throw new ShapeException($"This folding is for tensors {Shape}, not {tensor.Shape}.");
        if (Padded == Shape)
            return tensor.As(Folded);
        Tensor<T> padded = new(Padded);
        Strided.Copy<T>(Shape, tensor.Values, 0, Shape.Strides(), padded.Values, 0, Padded.Strides());
        return padded.As(Folded);
    }

    /// <summary>The tensor again, padding dropped.</summary>
    /// <exception cref="ShapeException">The folded tensor has other extents.</exception>
    public Tensor<T> Unfold<T>(Tensor<T> folded)
        where T : unmanaged
    {
        if (folded.Shape != Folded)
            throw new ShapeException($"This folding makes tensors {Folded}, not {folded.Shape}.");
        if (Padded == Shape)
            return folded.As(Shape);
        Tensor<T> tensor = new(Shape);
        Strided.Gather<T>(Shape, folded.Values, 0, Padded.Strides(), tensor.Values);
        return tensor;
    }

    /// <inheritdoc/>
    public bool Equals(Folding? other) => other is not null && Shape == other.Shape && Parts.SequenceEqual(other.Parts);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Shape, Folded);

    /// <summary>For example <c>64×64×3×3 as 4·4·4×4·4·4×3×3</c>.</summary>
    public override string ToString() => $"{Shape} as {string.Join('×', Parts.Select(static parts => string.Join('·', parts)))}";

    private static Shape Balanced(int extent, int order)
    {
        for (int padded = Math.Max(1, extent); ; padded++)
        {
            int[] parts = Split(padded, order);
            if (parts[^1] <= 2 * Math.Pow(extent, 1.0 / order) + 1)
                return Shape.From(parts);
        }
    }

    /// <summary>The largest prime first, each to the part that is smallest so far.</summary>
    private static int[] Split(int extent, int order)
    {
        int[] parts = [.. Enumerable.Repeat(1, order)];
        List<int> primes = [];
        for (int prime = 2; extent > 1; prime = prime * prime > extent ? extent : prime + 1)
        for (; extent % prime == 0; extent /= prime)
            primes.Add(prime);
        foreach (int prime in primes.OrderDescending())
            parts[Array.IndexOf(parts, parts.Min())] *= prime;
        Array.Sort(parts);
        return parts;
    }
}
