using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>
/// A convolution along one to three axes, a transposed one, a dense layer seen as one of 1×1, or the product of a recurrent layer with its
/// input, whose kernel can be written as factors.
/// </summary>
/// <param name="Weight">The weights in the network.</param>
/// <param name="Kernel">
/// The same as [o, i, h, w], float64; i of one group, h all axes of space but the last: 1 for one axis, depth times height for three.
/// </param>
/// <param name="Uses">The nodes that multiply with them: several where layers share their weights.</param>
internal sealed record CompressibleLayer(KernelWeight Weight, Tensor<double> Kernel, ImmutableArray<LayerUse> Uses)
{
    /// <summary>Formats of whole channels that part a kernel along a single axis of space.</summary>
    private static readonly ImmutableArray<KernelFormat> AlongOneAxis =
    [
        KernelFormat.SvdOut,
        KernelFormat.SvdIn,
        KernelFormat.Tucker2,
        KernelFormat.Cp3,
    ];

    /// <summary>Name of its weight.</summary>
    public string Name => Weight.Name;

    /// <summary>Its only use, or the first one.</summary>
    internal LayerUse Use => Uses[0];

    /// <summary>Extents of what the layer reads, for one image.</summary>
    public Shape Input => Use.Input;

    /// <summary>Extents of what it answers.</summary>
    public Shape Output => Use.Output;

    /// <summary>Whether it is a dense or recurrent layer, without axes of space.</summary>
    public bool IsDense => Use.Space == 0;

    /// <summary>Values of its weight.</summary>
    public long Parameters => Kernel.Shape.ElementCount;

    /// <summary>Multiply-accumulates of the dense layer for one image.</summary>
    public long Macs => Uses.Sum(use => Parameters * use.Products);

    /// <summary>Groups of a convolution.</summary>
    public int Groups => Weight.Groups;

    /// <summary>Whether height and width of the input are numbers, whatever the batch.</summary>
    public bool HasFixedPlaces { get; init; } = true;

    /// <summary>Whether what is added to its answers, if anything, is one number for each output.</summary>
    public bool HasChannelBias { get; init; } = true;

    /// <summary>The layer as one of its uses sees it.</summary>
    internal CompressibleLayer At(LayerUse use) => this with { Uses = [use] };

    /// <summary>
    /// Formats that make sense here, the first the one that every other can be replaced by: a kernel of 1×1 has no axes of space to part, one
    /// along a single axis no second one, a depthwise one no channels.
    /// </summary>
    public ImmutableArray<KernelFormat> Formats => [.. KernelFormat.All.Where(Suits)];

    /// <summary>Whether a format makes sense here.</summary>
    public bool Suits(KernelFormat format)
    {
        // A product with the input before the layer, and fewer columns in it.
        if (Use.IsRecurrent)
            return format == KernelFormat.SvdIn;
        if (!format.Terms.IsEmpty)
            return format.Terms.All(Suits);
        int taps = Kernel.Shape.ElementCountOf(2, Kernel.Shape.Rank);
        // Depthwise branches are written for convolutions of planes.
        bool canBranch = format.Ragged is null || (Use.Space == 2 && Use.Node.Operation is Convolution);
        bool partsOneAxis = Use.Space != 1 || taps == 1 || format.IsReshaped || AlongOneAxis.Contains(format);
        return canBranch && partsOneAxis && format.Suits(new(Kernel.Shape[0] / Groups, Kernel.Shape[1], taps, Groups));
    }

    /// <summary>For each format the largest ranks whose factors are smaller than the kernel; formats that never are are left out.</summary>
    public ImmutableSortedDictionary<string, ValueList<int>> BreakEven =>
        Formats
            .Select(format => (Format: format, Form: FormOf(format)))
            .Select(static pair => (pair.Format, pair.Form, Ranks: pair.Form.RanksAt(1 - 1e-9)))
            .Where(pair => pair.Form.Parameters(pair.Ranks.AsSpan()) < Parameters)
            .ToImmutableSortedDictionary(static pair => pair.Format.ToString(), static pair => (ValueList<int>)[.. pair.Ranks]);

    /// <summary>A format on this layer's kernel.</summary>
    /// <exception cref="BadInputException">It makes no sense there.</exception>
    public KernelForm FormOf(KernelFormat format) =>
        Suits(format)
            ? KernelForm.From(format, Kernel.Shape, Groups)
            : throw new BadInputException(
                $"{format} makes no sense for '{Name}' of shape {Kernel.Shape}{(Groups > 1 ? $" in {Groups} groups" : "")}, which takes {string.Join(", ", Formats)}."
            );

    /// <summary>A kernel [o, i, h, w] in the form and type of the network's weights.</summary>
    internal Tensor StoredAs(Tensor<double> kernel) => LayoutOf(Weight).FromKernel(kernel).To(Weight.Weights.ElementType);

    /// <summary>Extents of the window along all axes of space; none of a dense layer.</summary>
    internal ImmutableArray<int> Taps =>
        [
            .. Weight
                .Axes.Select((axis, place) => (axis, place))
                .Where(static pair => pair.axis is not ("o" or "i" or "s"))
                .OrderBy(static pair => pair.axis, StringComparer.Ordinal)
                .Select(pair => Weight.Weights.Shape[pair.place]),
        ];

    /// <summary>The weights as its first use reads them, in float32.</summary>
    internal KernelWeight AsRead(Node node)
    {
        if (Use.IsRecurrent)
            return new(Name, node, Weight.Axes, Weight.Weights.To(ElementType.Float32), Groups);
        string space = "dhw"[(3 - Taps.Length)..];
        bool isTurned =
            Use.Node.Operation is ConvolutionTranspose or Gemm { TransposeB: false } || Use.Node.Operation is MatMul && Use.Operand == 1;
        ImmutableArray<string> axes = [.. $"{(isTurned ? "io" : "oi")}{space}".Select(static axis => axis.ToString())];
        Shape shape = [.. axes.Select(axis => Weight.Weights.Shape[Weight.Axes.IndexOf(axis)])];
        Tensor weights = new KernelLayout(axes, shape, Groups, Use.IsTransposed).FromKernel(Kernel).To(ElementType.Float32);
        return new(Name, node, axes, weights, Groups);
    }

    /// <summary>The layers of a network that can be factored, and why the others cannot.</summary>
    /// <param name="graph">The network, whose weights are looked for in <see cref="WeightsAsInitializers"/>.</param>
    /// <exception cref="NumericalException">A constant of the network holds values that are no numbers, or a kernel infinite ones; names it.</exception>
    public static (ImmutableArray<CompressibleLayer> Layers, ImmutableArray<KeptLayer> Kept) Of(Graph graph)
    {
        graph = WeightsAsInitializers.Apply(graph);
        InferredShapes inferred = ShapeInference.Explore(graph);
        IReadOnlyDictionary<string, ValueInfo> shapes = inferred.Operands;
        string unknown = "the extents of what it reads are not known";
        if (inferred.Failures is [{ } first, ..])
            unknown += $" ({first.Reason.Message.TrimEnd('.')})";
        KernelWeights weights = KernelWeights.From(graph);
        // Infinite constants beside the kernels are masks, as attention adds them.
        if (
            NonFiniteWeights.Of(graph).FirstOrDefault(found => found.NaN > 0 || weights.Kernels.Any(kernel => kernel.Name == found.Name)) is
            { } broken
        )
            throw new NumericalException(
                $"'{broken.Name}' holds {broken.NaN + broken.Infinite:N0} values that are not finite numbers; a network is compressed from finite ones."
            );
        bool fixedPlaces = graph.FreeInputs.All(static port =>
            port.Dimensions is { } dimensions && dimensions.Skip(2).All(static dimension => dimension.Extent is not null)
        );
        var layers = ImmutableArray.CreateBuilder<CompressibleLayer>();
        var kept = ImmutableArray.CreateBuilder<KeptLayer>();
        foreach (KernelWeight weight in weights.Kernels)
        {
            LayerUse?[] uses = [.. weight.Nodes.Select(node => UseOf(weight, node, shapes))];
            string? reason = uses.Contains(null)
                ? unknown
                : uses.Select(use => Obstacle(weight, use!)).FirstOrDefault(static found => found is not null);
            if (reason is not null)
                kept.Add(new(weight.Name, weight.Weights.Shape.ElementCount, reason));
            else
                layers.Add(
                    new(weight, LayoutOf(weight).ToKernel(weight.Weights), [.. uses!])
                    {
                        HasFixedPlaces = fixedPlaces,
                        HasChannelBias = weight.Nodes.All(node => AddsByChannel(node, shapes)),
                    }
                );
        }
        kept.AddRange(weights.Uncut.Select(static uncut => new KeptLayer(uncut.Name, uncut.Shape?.ElementCount ?? 0, uncut.Reason)));
        return (layers.ToImmutable(), kept.ToImmutable());
    }

    private static KernelLayout LayoutOf(KernelWeight weight) =>
        new(weight.Axes, weight.Weights.Shape, weight.Groups, weight.Node.Operation is ConvolutionTranspose);

    private static LayerUse? UseOf(KernelWeight weight, Node node, IReadOnlyDictionary<string, ValueInfo> shapes)
    {
        // Weights may reach the node under another name, through a Cast or a Transpose.
        int operand = node.Operation is MatMul or Gemm && IsConstant(node.Inputs[0]) ? 0 : 1;
        return
            shapes.TryGetValue(node.Inputs[1 - operand], out ValueInfo? input)
            && shapes.TryGetValue(node.Outputs.FirstOrDefault(static name => name.Length > 0) ?? "", out ValueInfo? output)
            ? new(node, operand, input.Shape, output.Shape)
            : null;

        bool IsConstant(string name) => name == weight.Name || shapes.TryGetValue(name, out ValueInfo? known) && known.Value is not null;
    }

    private static bool AddsByChannel(Node node, IReadOnlyDictionary<string, ValueInfo> shapes) =>
        node.Operation is Recurrent
        || node.Inputs.ElementAtOrDefault(2) is not { Length: > 0 } bias
        || shapes.TryGetValue(bias, out ValueInfo? added) && added.Shape == [shapes[node.Outputs[0]].Shape[1]];

    private static string? Obstacle(KernelWeight weight, LayerUse use) =>
        use.Node.Operation switch
        {
            Windowed
                when weight.Axes.Length == 3 && LayoutOf(weight).Kernel is var kernel && kernel[0] == weight.Groups && kernel[1] == 1 =>
                "a depthwise kernel along one axis has nothing to part",
            ConvolutionTranspose { OutputShape.IsEmpty: false } => "it declares the extents of its output",
            Convolution or ConvolutionTranspose => null,
            Gemm when use.Operand == 0 => "Gemm with its weights on the left is not factored",
            MatMul when use.Input.Rank < 2 => "it multiplies a vector",
            Gemm or MatMul or Recurrent => null,
            _ => $"{use.Node.Operation.Name} is not factored in this form",
        };
}

/// <summary>A layer that stays as it is, and why: a clause that follows "because".</summary>
internal sealed record KeptLayer(string Name, long Parameters, string Reason);
