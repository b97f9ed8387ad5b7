using System.Collections.Immutable;

namespace Tensorial.Compression;

/// <summary>
/// Between weights as a network stores them and the kernel [o, i, h, w] that is factored. Height stands for all axes of space but the last
/// one: it is 1 for a convolution along one axis, and depth times height for one along three. The directions of a recurrent layer are
/// outputs.
/// </summary>
/// <param name="Axes">Letters of the stored axes.</param>
/// <param name="Stored">Their extents.</param>
/// <param name="Groups">Groups of a convolution.</param>
/// <param name="IsTransposed">Whether the groups stand with the input's channels, as in a transposed convolution.</param>
internal sealed record KernelLayout(ImmutableArray<string> Axes, Shape Stored, int Groups, bool IsTransposed)
{
    private static readonly ImmutableArray<string> Order = ["g", "s", "o", "i", "d", "h", "w"];

    /// <summary>The kernel in the order [g, s, o, i, d, h, w] of its own axes, and how the stored one's [g] axes are reordered to it.</summary>
    private (Shape Split, ImmutableArray<int> Permutation) Parts
    {
        get
        {
            // The axis that holds the groups is parted in two.
            string grouped = IsTransposed ? "i" : "o";
            (string Axis, int Extent)[] parts =
            [
                .. Axes.SelectMany(
                    (axis, place) =>
                        axis == grouped ? [("g", Groups), (axis, Stored[place] / Groups)] : ((string, int)[])[(axis, Stored[place])]
                ),
            ];
            return (
                [.. parts.Select(static part => part.Extent)],
                [.. Order.Select(axis => Array.FindIndex(parts, part => part.Axis == axis)).Where(static place => place >= 0)]
            );
        }
    }

    /// <summary>Extents [o, i, h, w], i of one group.</summary>
    public Shape Kernel
    {
        get
        {
            int Extent(string axis) => Axes.IndexOf(axis) is >= 0 and int place ? Stored[place] : 1;
            int outputs = Extent("s") * (IsTransposed ? Extent("o") * Groups : Extent("o")),
                inputs = IsTransposed ? Extent("i") / Groups : Extent("i");
            return [outputs, inputs, Extent("d") * Extent("h"), Extent("w")];
        }
    }

    /// <summary>The kernel of stored weights.</summary>
    public Tensor<double> ToKernel(Tensor weights)
    {
        Tensor<double> values = (Tensor<double>)weights.To(ElementType.Float64),
            kernel = new(Kernel);
        (Shape split, ImmutableArray<int> permutation) = Parts;
        Strided.Permute<double>(split, values.Values, permutation.AsSpan(), kernel.Values);
        return kernel;
    }

    /// <summary>A kernel as the network stores it.</summary>
    public Tensor<double> FromKernel(Tensor<double> kernel)
    {
        (Shape split, ImmutableArray<int> permutation) = Parts;
        Tensor<double> stored = new(Stored);
        int[] back = new int[permutation.Length];
        for (int k = 0; k < back.Length; k++)
            back[permutation[k]] = k;
        Strided.Permute<double>([.. permutation.Select(axis => split[axis])], kernel.Values, back, stored.Values);
        return stored;
    }
}
