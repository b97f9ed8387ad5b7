using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Compression;

/// <summary>A two-dimensional convolution, or a dense layer seen as one of 1×1, whose kernel can be written as factors.</summary>
/// <param name="Weight">The weights in the network.</param>
/// <param name="Kernel">The same as [o, i, h, w], float64; i of one group.</param>
/// <param name="Input">Extents of what the layer reads, for one image: [1, i, ...].</param>
/// <param name="Output">Extents of what it answers.</param>
public sealed record CompressibleLayer(KernelWeight Weight, Tensor<double> Kernel, Shape Input, Shape Output)
{
    public string Name => Weight.Name;

    public bool IsDense => Weight.Node.Operation is not Convolution;

    public long Parameters => Kernel.Shape.Count;

    /// <summary>Multiply-accumulates of the dense layer for one image.</summary>
    public long Macs => Parameters * Places(Output);

    /// <summary>Groups of a convolution.</summary>
    public int Groups => Weight.Groups;

    /// <summary>Whether height and width of the input are numbers, whatever the batch.</summary>
    public bool HasFixedPlaces { get; init; } = true;

    /// <summary>Whether its windows are such that they can be computed transformed (Winograd): 3×3, side by side.</summary>
    internal bool IsTransformed =>
        Weight.Node.Operation is Convolution { Groups: 1 } convolution
        && Kernel.Shape[2] == 3
        && Kernel.Shape[3] == 3
        && convolution.Strides.All(static stride => stride == 1)
        && convolution.Dilations.All(static dilation => dilation == 1);

    /// <summary>Formats that make sense here: a kernel of 1×1 has no axes of space to part, a depthwise one no channels.</summary>
    public ImmutableArray<KernelFormat> Formats
    {
        get
        {
            int outputs = Kernel.Shape[0] / Groups,
                inputs = Kernel.Shape[1],
                taps = Kernel.Shape[2] * Kernel.Shape[3];
            ImmutableArray<KernelFormat> formats =
                outputs * inputs == 1 ? [KernelFormat.SpatialSvd]
                : taps == 1 ? [KernelFormat.SvdOut]
                : [.. KernelFormat.All.Where(static format => !format.IsReshaped)];
            return Groups == 1 ? [.. formats, .. KernelFormat.Reshaped] : formats;
        }
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
        Formats.Any(known => known.Name == format.Name)
            ? KernelForm.Of(format, Kernel.Shape, Groups)
            : throw new BadInputException(
                $"{format} makes no sense for '{Name}' of shape {Kernel.Shape}{(Groups > 1 ? $" in {Groups} groups" : "")}, which takes {string.Join(", ", Formats)}."
            );

    /// <summary>The layers of a network that can be factored, and why the others cannot.</summary>
    /// <exception cref="NumericalException">A constant of the network holds values that are not finite; names it.</exception>
    public static (ImmutableArray<CompressibleLayer> Layers, ImmutableArray<KeptLayer> Kept) Of(Graph graph)
    {
        if (NonFiniteWeights.Of(graph) is [{ } broken, ..])
            throw new NumericalException(
                $"'{broken.Name}' holds {broken.NaN + broken.Infinite:N0} values that are not finite numbers; a network is compressed from finite ones."
            );
        IReadOnlyDictionary<string, Operand> shapes = ShapeInference.Explore(graph).Operands;
        KernelWeights weights = KernelWeights.Of(graph);
        bool fixedPlaces = graph.FreeInputs.All(static port =>
            port.Dimensions is { } dimensions && dimensions.Skip(2).All(static dimension => dimension.Extent is not null)
        );
        var layers = ImmutableArray.CreateBuilder<CompressibleLayer>();
        var kept = ImmutableArray.CreateBuilder<KeptLayer>();
        foreach (KernelWeight weight in weights.Kernels)
        {
            if (Obstacle(weight, shapes) is { } reason)
                kept.Add(new(weight.Name, weight.Weights.Shape.Count, reason));
            else
                layers.Add(
                    new(weight, KernelOf(weight), shapes[weight.Node.Inputs[0]].Shape, shapes[weight.Node.Outputs[0]].Shape)
                    {
                        HasFixedPlaces = fixedPlaces,
                    }
                );
        }
        kept.AddRange(weights.Uncut.Select(static uncut => new KeptLayer(uncut.Name, uncut.Shape?.Count ?? 0, uncut.Reason)));
        return (layers.ToImmutable(), kept.ToImmutable());
    }

    private static string? Obstacle(KernelWeight weight, IReadOnlyDictionary<string, Operand> shapes)
    {
        if (!shapes.ContainsKey(weight.Node.Inputs[0]) || !shapes.ContainsKey(weight.Node.Outputs[0]))
            return "the extents of what it reads are not known";
        if (weight.Node.Inputs[1] != weight.Name)
            return "its weights reach it through other nodes";
        if (weight.Weights.ElementType != ElementType.Float32)
            return $"its weights are {weight.Weights.ElementType}; float32 is factored";
        return weight.Node.Operation switch
        {
            Convolution when weight.Axes.Length == 4 => null,
            Convolution => "only two-dimensional convolutions are factored",
            Gemm { TransposeA: false, Alpha: 1, Beta: 1 } => null,
            MatMul when shapes[weight.Node.Inputs[0]].Shape.Rank == 2 => null,
            _ => $"{weight.Node.Operation.Name} is not factored in this form",
        };
    }

    /// <summary>A kernel [o, i, h, w] in the form and type of the network's weights.</summary>
    internal Tensor StoredAs(Tensor<double> kernel)
    {
        if (Weight.Weights.Shape.Rank == 2)
        {
            kernel = kernel.As([kernel.Shape[0], kernel.Shape[1]]);
            if (Weight.Axes[0] == "i")
            {
                Tensor<double> turned = new([kernel.Shape[1], kernel.Shape[0]]);
                Strided.Permute<double>(kernel.Shape, kernel.Values, [1, 0], turned.Values);
                kernel = turned;
            }
        }
        return kernel.To(Weight.Weights.ElementType);
    }

    private static Tensor<double> KernelOf(KernelWeight weight)
    {
        Tensor<double> values = (Tensor<double>)weight.Weights.To(ElementType.Float64);
        if (values.Shape.Rank == 4)
            return values;
        if (weight.Axes[0] == "i")
        {
            Tensor<double> turned = new([values.Shape[1], values.Shape[0]]);
            Strided.Permute<double>(values.Shape, values.Values, [1, 0], turned.Values);
            values = turned;
        }
        return values.As([values.Shape[0], values.Shape[1], 1, 1]);
    }

    private static long Places(Shape shape) => shape.Rank > 2 ? shape.CountOf(2, shape.Rank) : 1;
}

/// <summary>A layer that stays as it is, and why: a clause that follows "because".</summary>
public sealed record KeptLayer(string Name, long Parameters, string Reason);
