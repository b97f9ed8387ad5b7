using System.Collections.Immutable;
using Tensorial.Decompositions;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>
/// One step of a factored layer's plan as a grouped convolution. The channels that reach it have named axes; those the factors share and a
/// later stage needs again are groups, those they share for the last time are summed, those they do not have are free and folded into the
/// batch axis: x[batch · free, groups · summed, …] to y[batch · free, groups · made, …].
/// </summary>
/// <param name="Factors">Places of the factors in the equation.</param>
/// <param name="Before">Axes of the channels as they come.</param>
/// <param name="Free">Axes folded into the batch axis.</param>
/// <param name="Groups">Axes of groups.</param>
/// <param name="Summed">Axes that end here.</param>
/// <param name="Made">Axes that begin here.</param>
/// <param name="HasHeight">Whether the stage has the axis of height, and with it the layer's stride, padding and dilation along it.</param>
/// <param name="HasWidth">The same for width.</param>
internal sealed record Stage(
    ImmutableArray<int> Factors,
    string Before,
    string Free,
    string Groups,
    string Summed,
    string Made,
    bool HasHeight,
    bool HasWidth
)
{
    /// <summary>Axes of the channels behind the stage.</summary>
    public string After => Free + Groups + Made;

    /// <summary>Whether the channels have to be moved before the stage.</summary>
    private bool Transposes => Before != Free + Groups + Summed;

    /// <summary>Whether stages are a product of matrices: nothing but sums over all that comes.</summary>
    internal static bool IsMatrices(IReadOnlyList<Stage> stages, KernelForm form) =>
        stages.All(static stage => stage is { Free.Length: 0, Groups.Length: 0, Transposes: false }) && stages[^1].After == form.OutputAxes;

    /// <summary>Whether a dense layer reads rows [n, i] and adds at most one number for each output, as a convolution of 1×1 can.</summary>
    private static bool HasPlainRows(LayerUse use, CompressibleLayer layer) =>
        use is { Operand: 1, Input.Rank: 2, Node.Operation: MatMul or Gemm { TransposeA: false, Alpha: 1, Beta: 1 } }
        && layer.HasChannelBias;

    /// <summary>Whether channels of a layer may be moved between its stages: all else is known as numbers there.</summary>
    internal static bool CanMove(CompressibleLayer layer) => layer.HasFixedPlaces && (!layer.IsDense || HasPlainRows(layer.Use, layer));

    /// <summary>
    /// The stages of a layer in an order; null where it takes what is not there: extents of the input that are not known, channels that are
    /// padded.
    /// </summary>
    public static ImmutableArray<Stage>? Of(KernelForm form, ImmutableArray<int> ranks, FactorOrder order, CompressibleLayer layer)
    {
        // Padded channels exist in the kernel's parts only: the whole kernel is cut to size.
        if (!order.IsWhole && form.Folding.Padded.ElementCount != form.Folding.Shape.ElementCount)
            return null;
        // Where ranks differ by channel, factors are written channel by channel in their order, and no whole kernel is made of them.
        if (form.Tensor.Ragged is not null && (order.IsWhole ? ranks.Distinct().Count() > 1 : order.Stages is not [[0], [1]]))
            return null;
        ImmutableArray<string> factors = form.Tensor.Equation.Inputs;
        (char down, char right) = form.Space;
        string channels = form.InputAxes;
        var stages = ImmutableArray.CreateBuilder<Stage>();
        for (int k = 0; k < order.Stages.Length; k++)
        {
            string own = string.Concat(order.Stages[k].SelectMany(factor => factors[factor]).Distinct());
            string later =
                form.OutputAxes
                + string.Concat(order.Stages.Skip(k + 1).SelectMany(static stage => stage).Select(factor => factors[factor]));
            string free = Kept(channels, axis => !own.Contains(axis)),
                groups = Kept(channels, axis => own.Contains(axis) && later.Contains(axis)),
                summed = Kept(channels, axis => own.Contains(axis) && !later.Contains(axis)),
                made = Kept(own, axis => !channels.Contains(axis) && axis != down && axis != right && later.Contains(axis));
            stages.Add(new(order.Stages[k], channels, free, groups, summed, made, own.Contains(down), own.Contains(right)));
            channels = free + groups + made;
        }
        if (layer.Use.IsRecurrent)
            return order.Stages.Length == 2 && IsMatrices(stages, form) ? stages.ToImmutable() : null;
        if (order.IsWhole || IsMatrices(stages, form))
            return stages.ToImmutable();
        // Moving channels takes height and width as numbers, and a dense layer's rows as the only axis beside them.
        bool moves = stages.Any(static stage => stage.Transposes) || channels != form.OutputAxes;
        return moves && !layer.HasFixedPlaces || layer.IsDense && !HasPlainRows(layer.Use, layer) ? null : stages.ToImmutable();

        static string Kept(string axes, Func<char, bool> which) => string.Concat(axes.Where(which));
    }
}
