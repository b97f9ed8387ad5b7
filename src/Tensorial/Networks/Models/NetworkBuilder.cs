using System.Collections.Immutable;
using Tensorial.Autodiff;
using Tensorial.Autodiff.Operations;

namespace Tensorial.Networks.Models;

/// <summary>A feature map, or a row of features, on its way through a network that is being built.</summary>
/// <param name="Name">The value's name.</param>
/// <param name="Extents">Its extents without the batch.</param>
public readonly record struct Features(string Name, Shape Extents)
{
    public int Channels => Extents[0];
}

/// <summary>
/// Builds a network layer by layer, weights drawn from a seed: kernels from a normal distribution of variance 2 / fan-out (He et al. 2015, as ResNets
/// are trained), dense layers evenly from ± 1 / √inputs, scales 1, shifts and biases 0. Nodes and weights are called by the names given.
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
        string weights = Weight($"{name}.weight", [channels, x.Channels, kernel, kernel], () => Normal(Math.Sqrt(2.0 / (channels * kernel * kernel))));
        string[] inputs = bias ? [x.Name, weights, Weight($"{name}.bias", [channels], static () => 0)] : [x.Name, weights];
        Convolution operation = new() { KernelShape = [kernel, kernel], Strides = [stride, stride], Pads = [padding, padding, padding, padding] };
        return Apply(name, operation, [channels, (x.Extents[1] + 2 * padding - kernel) / stride + 1, (x.Extents[2] + 2 * padding - kernel) / stride + 1], inputs);
    }

    public Features BatchNormalization(string name, Features x) => Apply(
        name, new BatchNormalization(), x.Extents, x.Name, Weight($"{name}.weight", [x.Channels], static () => 1), Weight($"{name}.bias", [x.Channels], static () => 0),
        Weight($"{name}.running_mean", [x.Channels], static () => 0), Weight($"{name}.running_var", [x.Channels], static () => 1));

    public Features Relu(string name, Features x) => Apply(name, new Relu(), x.Extents, x.Name);

    public Features Add(string name, Features x, Features y) => Apply(name, new Add(), x.Extents, x.Name, y.Name);

    public Features MaxPool(string name, Features x, int kernel, int stride, int padding = 0) => Apply(
        name, new MaxPool { KernelShape = [kernel, kernel], Strides = [stride, stride], Pads = [padding, padding, padding, padding] },
        [x.Channels, (x.Extents[1] + 2 * padding - kernel) / stride + 1, (x.Extents[2] + 2 * padding - kernel) / stride + 1], x.Name);

    /// <summary>The mean of every plane, as a row of features.</summary>
    public Features GlobalAverage(string name, Features x) =>
        Flatten($"{name}.flat", Apply(name, new GlobalAveragePool(), [x.Channels, 1, 1], x.Name));

    public Features Flatten(string name, Features x) => Apply(name, new Flatten(), [x.Extents.Count], x.Name);

    /// <summary>y = W x + b.</summary>
    public Features Dense(string name, Features x, int outputs)
    {
        double bound = 1 / Math.Sqrt(x.Channels);
        return Apply(
            name, new Gemm { TransposeB = true }, [outputs], x.Name, Weight($"{name}.weight", [outputs, x.Channels], () => bound * (2 * _random.NextDouble() - 1)),
            Weight($"{name}.bias", [outputs], static () => 0));
    }

    /// <summary>The network from its images to these features, which the last layer made; they are called "output".</summary>
    public Graph ToGraph(Features output)
    {
        if (_nodes[^1].Outputs[0] != output.Name) throw new ArgumentException($"The last layer makes '{_nodes[^1].Outputs[0]}', not '{output.Name}'.");
        _nodes[^1] = _nodes[^1] with { Outputs = ["output"] };
        Port port = new("output", ElementType.Float32, [new(null, "batch"), .. output.Extents.Select(static extent => new Dimension(extent))]);
        return new(_name, _nodes.ToImmutable(), [_input], [port], _weights.ToImmutable());
    }

    private Features Apply(string name, Operation operation, Shape extents, params ReadOnlySpan<string> inputs)
    {
        _nodes.Add(new(name, operation, [.. inputs], [name]));
        return new(name, extents);
    }

    private string Weight(string name, Shape shape, Func<double> draw)
    {
        _weights[name] = new Tensor<float>(shape, Enumerable.Range(0, shape.Count).Select(_ => (float)draw()).ToArray());
        return name;
    }

    /// <summary>A number from a normal distribution (Box and Muller 1958).</summary>
    private double Normal(double deviation) =>
        deviation * Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
}
