using System.Collections.Immutable;
using System.Globalization;

namespace Tensorial.Decompositions;

/// <summary>
/// A way to write the weights of a layer as factors, by the name it has on the command line and in files. Together with the extents of a
/// weight it becomes an equation (<see cref="KernelForm"/>).
/// </summary>
/// <param name="Name">The name.</param>
/// <param name="Order">Modes that the output's and the input's channels are split into each; 1 leaves them whole.</param>
public sealed record KernelFormat(string Name, int Order = 1)
{
    /// <summary>Parts of each channel mode where a reshaped format does not say how many.</summary>
    private const int UsualOrder = 3;

    /// <summary>More parts leave nothing but twos.</summary>
    private const int MostParts = 6;

    public static KernelFormat SvdOut { get; } = new("svd-out");

    public static KernelFormat SvdIn { get; } = new("svd-in");

    public static KernelFormat SpatialSvd { get; } = new("spatial-svd");

    public static KernelFormat Tucker2 { get; } = new("tucker2");

    /// <summary>Matrices for all four modes and a core.</summary>
    public static KernelFormat Tucker { get; } = new("tucker");

    public static KernelFormat Cp { get; } = new("cp");

    /// <summary>
    /// CP of the kernel with height and width as one axis: full spatial filters, and one depthwise convolution instead of two.
    /// </summary>
    public static KernelFormat Cp3 { get; } = new("cp3");

    public static KernelFormat TensorTrain { get; } = new("tt");

    public static KernelFormat TensorRing { get; } = new("tr");

    /// <summary>Formats whose channels are split into several modes (J. Su, J. Li, B. Bhattacharjee, F. Huang, arXiv 1805.10352).</summary>
    public static ImmutableArray<KernelFormat> Reshaped { get; } =
    [new("rcp", UsualOrder), new("rtucker", UsualOrder), new("rtt", UsualOrder), new("rtr", UsualOrder)];

    /// <summary>All of them, the reshaped ones in their usual order.</summary>
    public static ImmutableArray<KernelFormat> All { get; } =
    [SvdOut, SvdIn, SpatialSvd, Tucker2, Tucker, Cp, Cp3, TensorTrain, TensorRing, .. Reshaped];

    public bool IsReshaped => Order > 1;

    /// <summary>The equation of a format with whole channels: o, i, h, w are the kernel's modes, r, s, t, u bonds.</summary>
    /// <remarks>
    /// Factors stand in the order in which a chain of convolutions applies them, output axes first; the last one holds o and leads to the
    /// output's channels, so that K[o, ihw] = Σₓ A[o, x] B[x, ihw] with B made of the others.
    /// </remarks>
    internal string Equation =>
        Name switch
        {
            "svd-out" => "rihw,or->oihw",
            "svd-in" => "ri,orhw->oihw",
            "spatial-svd" => "riw,orh->oihw",
            "tucker2" => "ri,srhw,os->oihw",
            "tucker" => "ri,srtu,th,uw,os->oihw",
            "cp" => "ri,rh,rw,or->oihw",
            "cp3" => "ri,rhw,or->oihw",
            "tt" => "ri,srh,tsw,ot->oihw",
            "tr" => "uri,srh,tsw,out->oihw",
            _ => throw new InvalidOperationException($"{Name} has an equation only together with a shape."),
        };

    /// <summary>The format of a name; <c>rcp:2</c> is <c>rcp</c> with channels split in two.</summary>
    /// <exception cref="BadInputException">There is none.</exception>
    public static KernelFormat Parse(string text)
    {
        string[] parts = text.Split(':');
        KernelFormat? format = All.FirstOrDefault(known => known.Name == parts[0]);
        if (format is null || parts.Length > 2)
            throw new BadInputException($"'{text}' is no format; there are {string.Join(", ", All.Select(static known => known.Name))}.");
        if (parts.Length == 1)
            return format;
        if (!format.IsReshaped)
            throw new BadInputException(
                $"'{text}': {format.Name} splits no channels; {string.Join(", ", Reshaped.Select(static known => known.Name))} do."
            );
        return int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int order) && order is >= 2 and <= MostParts
            ? format with
            {
                Order = order,
            }
            : throw new BadInputException($"'{text}': channels are split into 2 to {MostParts} parts, as in {format.Name}:{UsualOrder}.");
    }

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString() => IsReshaped ? $"{Name}:{Order}" : Name;
}
