using System.Collections.Immutable;
using Tensorial.Einsum;

namespace Tensorial.Decompositions;

/// <summary>
/// A way to write a convolution kernel K[o,i,h,w] as factors: an equation. Every format is a chain: the inner factors lead from the input's
/// channels to a few values at each place, the last factor from these to the output's channels, so that
/// K[o, ihw] = Σₓ A[o, x] B[x, ihw] with B made of the inner factors.
/// </summary>
/// <param name="Name">The name on the command line and in files.</param>
/// <param name="Inner">Axes of the inner factors, in the order a chain applies them. r, s and t are bonds.</param>
/// <param name="Last">Axes of the last factor, o first. A capital H or W says that it works along that axis of space itself.</param>
public sealed record KernelFormat(string Name, ImmutableArray<string> Inner, string Last)
{
    private const string Bonds = "rst";

    public static KernelFormat SvdOut { get; } = new("svd-out", ["rihw"], "or");

    public static KernelFormat SvdIn { get; } = new("svd-in", ["ri"], "orHW");

    public static KernelFormat SpatialSvd { get; } = new("spatial-svd", ["riw"], "orH");

    public static KernelFormat Tucker2 { get; } = new("tucker2", ["ri", "srhw"], "os");

    public static KernelFormat Cp { get; } = new("cp", ["ri", "rh", "rw"], "or");

    /// <summary>CP of the kernel with height and width as one axis: full spatial filters, and one depthwise convolution instead of two.</summary>
    public static KernelFormat Cp3 { get; } = new("cp3", ["ri", "rhw"], "or");

    public static KernelFormat TensorTrain { get; } = new("tt", ["ri", "srh", "tsw"], "ot");

    /// <summary>All of them.</summary>
    public static ImmutableArray<KernelFormat> All { get; } = [SvdOut, SvdIn, SpatialSvd, Tucker2, Cp, Cp3, TensorTrain];

    /// <summary>The format of a name.</summary>
    /// <exception cref="BadInputException">There is none.</exception>
    public static KernelFormat Parse(string name) => All.FirstOrDefault(format => format.Name == name)
        ?? throw new BadInputException($"'{name}' is no format; there are {string.Join(", ", All.Select(static format => format.Name))}.");

    /// <summary>Whether no singular vectors say where to start: sums of rank-one terms.</summary>
    internal bool IsRandomlyStarted => Inner.All(static axes => axes[0] == 'r') && Inner.Length > 1;

    /// <summary>Bonds the format has, and so ranks it takes.</summary>
    public int RankCount => Bonds.Count(bond => Last.Contains(bond) || Inner.Any(axes => axes.Contains(bond)));

    /// <summary>Axes of all factors, the last one's in small letters.</summary>
    public ImmutableArray<string> Factors => [.. Inner, Last.ToLowerInvariant()];

    /// <summary>How the factors make the kernel.</summary>
    public Equation Whole => new(Factors, "oihw");

    /// <summary>How the inner factors make B: [x, ihw]. Axes of space that belong to the last factor come in through identities.</summary>
    internal Equation InnerProduct => new([.. Inner, .. Spatial.Select(static axis => $"{axis}{char.ToLowerInvariant(axis)}")], Last[1..] + "ihw");

    /// <summary>Axes of space that the last factor works along: H, W.</summary>
    internal string Spatial => string.Concat(Last.Where(char.IsUpper));

    /// <summary>Extents of an axis or bond.</summary>
    public static int Extent(char axis, Shape kernel, ImmutableArray<int> ranks) => axis switch
    {
        'o' => kernel[0],
        'i' => kernel[1],
        'h' or 'H' => kernel[2],
        'w' or 'W' => kernel[3],
        _ => ranks[Bonds.IndexOf(axis)],
    };

    /// <summary>Extents of a factor's axes.</summary>
    public static Shape ShapeOf(string axes, Shape kernel, ImmutableArray<int> ranks) => [.. axes.Select(axis => Extent(axis, kernel, ranks))];

    /// <summary>Parameters of the factors of a kernel at some ranks.</summary>
    public long Parameters(Shape kernel, ImmutableArray<int> ranks) => Factors.Sum(axes => (long)ShapeOf(axes, kernel, ranks).Count);

    /// <summary>The largest ranks that can still change the kernel.</summary>
    public ImmutableArray<int> MaxRanks(Shape kernel)
    {
        (int o, int i, int h, int w) = (kernel[0], kernel[1], kernel[2], kernel[3]);
        return Name switch
        {
            "svd-out" => [Math.Min(o, i * h * w)],
            "svd-in" => [Math.Min(i, o * h * w)],
            "spatial-svd" => [Math.Min(o * h, i * w)],
            "tucker2" => [Math.Min(i, o * h * w), Math.Min(o, i * h * w)],
            "tt" => [Math.Min(i, o * h * w), Math.Min(i * h, o * w), Math.Min(o, i * h * w)],
            // Bounds on the rank of any tensor of these extents: the product of all but the largest.
            "cp3" => [(int)Math.Min(int.MaxValue, (long)o * i * h * w / Math.Max(Math.Max(o, i), h * w))],
            _ => [(int)Math.Min(int.MaxValue, (long)o * i * h * w / Math.Max(Math.Max(o, i), Math.Max(h, w)))],
        };
    }

    public override string ToString() => Name;
}
