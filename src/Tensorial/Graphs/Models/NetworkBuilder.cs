using System.Collections.Immutable;
using Tensorial.Decompositions;
using Tensorial.Equations;
using Tensorial.Operations;

namespace Tensorial.Graphs;

/// <summary>A feature map, or a row of features, on its way through a network that is being built.</summary>
/// <param name="Name">The value's name.</param>
/// <param name="Extents">Its extents without the batch.</param>
public readonly record struct Features(string Name, Shape Extents)
{
    /// <summary>Extent of the first axis.</summary>
    public int Channels => Extents[0];
}

/// <summary>
/// Builds a network layer by layer, weights drawn from a seed: kernels from a normal distribution of variance 2 / fan-out (He et al. 2015,
/// as ResNets are trained), dense layers evenly from ± 1 / √inputs, scales 1, shifts and biases 0. Nodes and weights are called by the
/// names given.
/// </summary>
public sealed class NetworkBuilder
{
    private readonly string _name;
    private readonly Random _random;
    private readonly Port _input;
    private readonly ImmutableArray<Node>.Builder _nodes = ImmutableArray.CreateBuilder<Node>();
    private readonly ImmutableDictionary<string, Tensor>.Builder _weights = ImmutableDictionary.CreateBuilder<string, Tensor>();

    /// <param name="name">The network's name.</param>
    /// <param name="image">Channels, height and width of an image.</param>
    /// <param name="seed">Decides the weights.</param>
    public NetworkBuilder(string name, Shape image, int seed)
    {
        (_name, _random) = (name, new(seed));
        _input = new("input", ElementType.Float32, [new(null, "batch"), .. image.Select(static extent => new Dimension(extent))]);
        Input = new("input", image);
    }

    /// <summary>The images.</summary>
    public Features Input { get; }

    /// <summary>A square convolution; without a bias where a normalisation follows.</summary>
    public Features Convolution(string name, Features x, int channels, int kernel, int stride = 1, int padding = 0, bool bias = false)
    {
        string weights = Weight(
            $"{name}.weight",
            [channels, x.Channels, kernel, kernel],
            shape => InitialWeights.Kernel(shape, channels * kernel * kernel, _random)
        );
        string[] inputs = bias ? [x.Name, weights, Weight($"{name}.bias", [channels], Zeros)] : [x.Name, weights];
        Convolution operation = new()
        {
            KernelShape = [kernel, kernel],
            Strides = [stride, stride],
            Pads = [padding, padding, padding, padding],
        };
        return Apply(
            name,
            operation,
            [channels, (x.Extents[1] + 2 * padding - kernel) / stride + 1, (x.Extents[2] + 2 * padding - kernel) / stride + 1],
            inputs
        );
    }

    /// <summary>Batch normalisation over the channel axis, with fresh statistics.</summary>
    public Features BatchNormalization(string name, Features x) =>
        Apply(
            name,
            new BatchNormalization(),
            x.Extents,
            x.Name,
            Weight($"{name}.weight", [x.Channels], Ones),
            Weight($"{name}.bias", [x.Channels], Zeros),
            Weight($"{name}.running_mean", [x.Channels], Zeros),
            Weight($"{name}.running_var", [x.Channels], Ones)
        );

    /// <summary>max(x, 0).</summary>
    public Features Relu(string name, Features x) => Apply(name, new Relu(), x.Extents, x.Name);

    /// <summary>x + y.</summary>
    public Features Add(string name, Features x, Features y) => Apply(name, new Add(), x.Extents, x.Name, y.Name);

    /// <summary>Largest value of each window of kernel × kernel.</summary>
    public Features MaxPool(string name, Features x, int kernel, int stride, int padding = 0) =>
        Apply(
            name,
            new MaxPool
            {
                KernelShape = [kernel, kernel],
                Strides = [stride, stride],
                Pads = [padding, padding, padding, padding],
            },
            [x.Channels, (x.Extents[1] + 2 * padding - kernel) / stride + 1, (x.Extents[2] + 2 * padding - kernel) / stride + 1],
            x.Name
        );

    /// <summary>The mean of every plane, as a row of features.</summary>
    public Features GlobalAverage(string name, Features x) =>
        Flatten($"{name}.flat", Apply(name, new GlobalAveragePool(), [x.Channels, 1, 1], x.Name));

    /// <summary>All axes but the batch joined into one.</summary>
    public Features Flatten(string name, Features x) => Apply(name, new Flatten(), [x.Extents.ElementCount], x.Name);

    /// <summary>y = W x + b.</summary>
    public Features Dense(string name, Features x, int outputs) =>
        Apply(
            name,
            new Gemm { TransposeB = true },
            [outputs],
            x.Name,
            Weight($"{name}.weight", [outputs, x.Channels], shape => InitialWeights.Matrix(shape, x.Channels, _random)),
            Weight($"{name}.bias", [outputs], Zeros)
        );

    /// <summary>
    /// A tensorial layer on features of any order, nothing flattened: a sum of products of the features with factors, axes behind a bar
    /// convolved, then a bias. For example <c>nchw,cap,phwb->nab</c> for features of 16×5×5 to 12×10 by way of a bond p, or
    /// <c>nchw,rc,rhw,or->nohw|hw</c> for a convolution in CP form. Factors are drawn so that the kernel they make together has the
    /// variance of a dense layer's (<see cref="InitialFactors"/>); they are called name.factor1, name.factor2, ...
    /// </summary>
    /// <param name="name">The layer's name.</param>
    /// <param name="x">Features.</param>
    /// <param name="equation">Axes of the features, batch first, and of each factor; then of the result, batch first.</param>
    /// <param name="extents">Extents of axes that the features do not have and, for convolved axes, of the kernels.</param>
    /// <exception cref="BadInputException">The equation is not of this form, or an axis has no extent or two.</exception>
    public Features Contraction(string name, Features x, string equation, IReadOnlyDictionary<char, int> extents)
    {
        Equation parsed = Equation.Parse(equation);
        (string features, string output) = (parsed.Inputs[0], parsed.Output);
        HashSet<char> convolved = [.. parsed.Windows.Select(static window => window.Axis)];
        if (
            parsed.HasEllipsis
            || parsed.Inputs.Length < 2
            || features.Length != x.Extents.Rank + 1
            || output.Length == 0
            || output[0] != features[0]
            || parsed.Inputs.Skip(1).Any(factor => factor.Contains(features[0]))
        )
            throw new BadInputException(
                $"Features {x.Extents} take an equation of their {x.Extents.Rank + 1} axes, batch first, and of factors without the batch, such as nchw,cap,phwb->nab; not {equation}."
            );
        Dictionary<char, int> known = features.Skip(1).Zip(x.Extents).Where(axis => !convolved.Contains(axis.First)).ToDictionary();
        foreach ((char axis, int extent) in extents)
            if (!known.TryAdd(axis, extent))
                throw new BadInputException(
                    $"Axis {axis} of {equation} has the extent {known[axis]} of the features, and {extent} was given."
                );
        ImmutableArray<Shape> shapes = [.. parsed.Inputs.Skip(1).Select(axes => ExtentsOf(axes))];
        Shape result = [.. parsed.Infer([Shape.From([1, .. x.Extents]), .. shapes]).Skip(1)];
        char[] bonds =
        [
            .. parsed
                .Inputs.Skip(1)
                .SelectMany(static factor => factor)
                .Distinct()
                .Where(a => !features.Contains(a) && !output.Contains(a)),
        ];
        // What one value of the result sums up: channels that end here, and the taps of the kernels together.
        int summed = ExtentsOf(features.Skip(1).Where(axis => !convolved.Contains(axis) && !output.Contains(axis))).ElementCount;
        foreach (char axis in convolved)
            summed *= parsed.Inputs.Skip(1).Sum(factor => factor.Contains(axis) ? known[axis] - 1 : 0) + 1;
        ImmutableArray<Tensor<double>> factors = InitialFactors.Draw(
            shapes,
            ExtentsOf(bonds).ElementCount,
            1 / Math.Sqrt(3.0 * summed),
            _random
        );
        string[] names =
        [
            .. factors.Select(
                (factor, k) => Weight($"{name}.factor{k + 1}", factor.Shape, _ => (Tensor<float>)factor.To(ElementType.Float32))
            ),
        ];
        Features product = Apply($"{name}.product", new EinsumOf(parsed), result, [x.Name, .. names]);
        // A bias for each value that the layer makes, the same at all places that it slides over.
        Shape bias = [.. result.Select((extent, axis) => convolved.Contains(output[axis + 1]) ? 1 : extent)];
        return Apply(name, new Add(), result, product.Name, Weight($"{name}.bias", bias, Zeros));

        Shape ExtentsOf(IEnumerable<char> axes) =>
            [
                .. axes.Select(axis =>
                    known.TryGetValue(axis, out int extent)
                        ? extent
                        : throw new BadInputException($"Axis {axis} of {equation} has no extent.")
                ),
            ];
    }

    /// <summary>The network from its images to these features, which the last layer made; they are called "output".</summary>
    public Graph ToGraph(Features output)
    {
        if (_nodes[^1].Outputs[0] != output.Name)
            throw new ArgumentException($"The last layer makes '{_nodes[^1].Outputs[0]}', not '{output.Name}'.");
        _nodes[^1] = _nodes[^1] with { Outputs = ["output"] };
        Port port = new(
            "output",
            ElementType.Float32,
            [new(null, "batch"), .. output.Extents.Select(static extent => new Dimension(extent))]
        );
        return new(_name, _nodes.ToImmutable(), [_input], [port], _weights.ToImmutable());
    }

    private Features Apply(string name, Operation operation, Shape extents, params ReadOnlySpan<string> inputs)
    {
        _nodes.Add(new(name, operation, [.. inputs], [name]));
        return new(name, extents);
    }

    private string Weight(string name, Shape shape, Func<Shape, Tensor<float>> draw)
    {
        _weights[name] = draw(shape);
        return name;
    }

    private static Tensor<float> Zeros(Shape shape) => new(shape);

    private static Tensor<float> Ones(Shape shape)
    {
        Tensor<float> ones = new(shape);
        ones.Values.Fill(1);
        return ones;
    }
}
