using System.Collections.Immutable;
using Tensorial.Decompositions;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>
/// One stage of a factored layer as a grouped convolution. The channels that reach it have named axes; those the factors share and a later
/// stage needs again are groups, those they share for the last time are summed, those they do not have are free and folded into the batch axis:
/// x[batch · free, groups · summed, …] to y[batch · free, groups · made, …].
/// </summary>
/// <param name="Factors">Places of the factors in the equation.</param>
/// <param name="Before">Axes of the channels as they come.</param>
/// <param name="Free">Axes folded into the batch axis.</param>
/// <param name="Groups">Axes of groups.</param>
/// <param name="Summed">Axes that end here.</param>
/// <param name="Made">Axes that begin here.</param>
/// <param name="HasHeight">Whether the stage has the axis of height, and with it the layer's stride, padding and dilation along it.</param>
/// <param name="HasWidth">The same for width.</param>
/// <param name="Outputs">Channels that begin here, of one group.</param>
/// <param name="Making">What it takes to make one weight of the stage's factors, as a number of multiply-accumulates.</param>
/// <param name="Macs">Multiply-accumulates for one image.</param>
/// <param name="Read">Values that reach it, for one image.</param>
/// <param name="Written">Values that it makes.</param>
internal sealed record StagePlan(
    ImmutableArray<int> Factors,
    string Before,
    string Free,
    string Groups,
    string Summed,
    string Made,
    bool HasHeight,
    bool HasWidth,
    long Outputs,
    long Making,
    long Macs,
    long Read,
    long Written
)
{
    /// <summary>
    /// Multiply-accumulates in the time of writing one value, and of moving one to another layout: a core does some 140 a nanosecond, and a
    /// few values go to and from its second-level cache. Measured layers (bench formats) order themselves as this says.
    /// </summary>
    internal const int MacsPerWrite = 16,
        MacsPerMove = 64;

    /// <summary>What the stage takes, as a number of multiply-accumulates.</summary>
    internal long Work => Macs + MacsPerWrite * Written + (Transposes || Free.Length > 0 ? MacsPerMove * (Read + Written) : 0);

    /// <summary>Whether it is a convolution over height and width that sums over channels.</summary>
    internal bool IsPlane => HasHeight && HasWidth && Summed.Length > 0;

    /// <summary>Axes of the channels behind the stage.</summary>
    public string After => Free + Groups + Made;

    /// <summary>Whether the channels have to be moved before the stage.</summary>
    public bool Transposes => Before != Free + Groups + Summed;

    /// <summary>Whether stages are a product of matrices: nothing but sums over all that comes.</summary>
    internal static bool IsMatrices(IReadOnlyList<StagePlan> stages, KernelForm form) =>
        stages.All(static stage => stage is { Free.Length: 0, Groups.Length: 0, Transposes: false }) && stages[^1].After == form.OutputAxes;

    /// <summary>Whether a dense layer reads rows [n, i] and adds at most one number for each output, as a convolution of 1×1 can.</summary>
    private static bool HasPlainRows(LayerUse use, CompressibleLayer layer) =>
        use is { Operand: 1, Input.Rank: 2, Node.Operation: MatMul or Gemm { TransposeA: false, Alpha: 1, Beta: 1 } }
        && layer.HasChannelBias;

    /// <summary>
    /// The stages of a layer in an order; null where it takes what is not there: extents of the input that are not known, channels that are
    /// padded.
    /// </summary>
    public static ImmutableArray<StagePlan>? Of(KernelForm form, ImmutableArray<int> ranks, FactorOrder order, CompressibleLayer layer)
    {
        // Padded channels exist in the kernel's parts only: the whole kernel is cut to size.
        if (!order.IsWhole && form.Folding.Padded.ElementCount != form.Folding.Shape.ElementCount)
            return null;
        // Where ranks differ by channel, factors are written channel by channel in their order, and no whole kernel is made of them.
        RaggedBond? ragged = form.Tensor.Ragged;
        if (ragged is not null && (order.IsWhole ? ranks.Distinct().Count() > 1 : order.Stages is not [[0], [1]]))
            return null;
        ImmutableArray<string> factors = form.Tensor.Equation.Inputs;
        ImmutableArray<Shape> shapes = form.Tensor.FactorShapes(form.Folding.Folded, ranks.AsSpan());
        Dictionary<char, int> extents = [];
        for (int k = 0; k < factors.Length; k++)
        for (int axis = 0; axis < factors[k].Length; axis++)
            extents[factors[k][axis]] = shapes[k][axis];
        (char down, char right) = form.Space;
        LayerUse use = layer.Use;
        (int height, int width) = use.Read;
        string channels = form.InputAxes;
        var stages = ImmutableArray.CreateBuilder<StagePlan>();
        for (int k = 0; k < order.Stages.Length; k++)
        {
            string own = string.Concat(order.Stages[k].SelectMany(factor => factors[factor]).Distinct());
            string later =
                form.OutputAxes
                + string.Concat(order.Stages.Skip(k + 1).SelectMany(static stage => stage).Select(factor => factors[factor]));
            string free = Kept(channels, axis => !own.Contains(axis)),
                groups = Kept(channels, axis => own.Contains(axis) && later.Contains(axis));
            string summed = Kept(channels, axis => own.Contains(axis) && !later.Contains(axis));
            string made = Kept(own, axis => !channels.Contains(axis) && axis != down && axis != right && later.Contains(axis));
            (bool hasHeight, bool hasWidth) = (own.Contains(down), own.Contains(right));
            (long before, long read) = ((long)height * width, Count(channels) * height * width);
            (height, width) = (hasHeight ? use.Written.Rows : height, hasWidth ? use.Written.Columns : width);
            int taps = (hasHeight ? extents[down] : 1) * (hasWidth ? extents[right] : 1);
            // A transposed convolution multiplies for every value that it spreads.
            long products = use.IsTransposed && hasHeight | hasWidth ? before : (long)height * width;
            // A kernel made whole is the dense layer again, padding cut off.
            long macs = order.IsWhole ? layer.Macs : Count(free + groups + summed + made) * taps * products;
            long making = FactorProducts
                .Pairs(
                    [.. order.Stages[k].Select(factor => factors[factor])],
                    [.. order.Stages[k].Select(factor => shapes[factor])],
                    Kept(own, $"{later}{channels}{down}{right}".Contains)
                )
                .Work;
            stages.Add(
                new(
                    order.Stages[k],
                    channels,
                    free,
                    groups,
                    summed,
                    made,
                    hasHeight,
                    hasWidth,
                    Count(made),
                    making,
                    macs,
                    read,
                    Count(free + groups + made) * height * width
                )
            );
            channels = free + groups + made;
        }
        if (order.IsWhole || IsMatrices(stages, form))
            return stages.ToImmutable();
        // Moving channels takes height and width as numbers, and a dense layer's rows as the only axis beside them.
        bool moves = stages.Any(static stage => stage.Transposes) || channels != form.OutputAxes;
        return moves && !layer.HasFixedPlaces || layer.IsDense && !HasPlainRows(use, layer) ? null : stages.ToImmutable();

        static string Kept(string axes, Func<char, bool> which) => string.Concat(axes.Where(which));

        long Count(string axes)
        {
            long count = axes.Aggregate(1L, (product, axis) => product * extents[axis]);
            // Channels have as many values along a ragged bond as their own rank says.
            return ragged is { } own && axes.Contains(own.Axis) && axes.Contains(own.Along)
                ? count / extents[own.Axis] * ranks.Sum() / ranks.Length
                : count;
        }
    }
}
