using System.Collections.Immutable;
using Tensorial.Compression;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Tests.Compression;

public class InputScaleTests
{
    /// <summary>The statistics a batch norm would learn of independent inputs, written down by a plain sum over its weights.</summary>
    [Theory]
    [InlineData(0, 1), InlineData(127, 60), InlineData(-0.4, 0.02)]
    public void The_inputs_of_training_are_told_from_the_first_batch_norm(double mean, double deviation)
    {
        InputScale scale = InputScale.From(Network(mean, deviation, new Identity()))!;
        Assert.Equal("bn", scale.Layer);
        Assert.InRange(scale.Deviation, 0.9 * deviation, 1.1 * deviation);
        Assert.InRange(scale.Mean, mean - 0.1 * deviation, mean + 0.1 * deviation);
        ReadOnlySpan<float> values = RandomInputs.Create(Network(mean, deviation, new Identity()), 4, 1, scale)["x"].Of<float>().Values;
        double average = values.ToArray().Average(static value => (double)value);
        Assert.InRange(average, mean - 0.2 * deviation, mean + 0.2 * deviation);
    }

    [Fact]
    public void Behind_a_function_that_is_not_linear_nothing_is_told() => Assert.Null(InputScale.From(Network(0, 1, new Relu())));

    [Fact]
    public void Shapes_are_read_and_fitted_to_what_is_open()
    {
        Graph graph = Network(0, 1, new Identity());
        graph = graph with { Inputs = [graph.Inputs[0] with { Dimensions = [new(null, "N"), new(3), new(null, "h"), new(null, "w")] }] };
        Graph sized = InputShape.Apply(graph, [InputShape.Parse("x=1x3x640x480")]);
        Assert.Equal("1x3x640x480", string.Join('x', sized.Inputs[0].Dimensions!.Value));
        Assert.Equal($"{sized.Inputs[0]}", $"{InputShape.Apply(graph, [InputShape.Parse("1x3x640x480")]).Inputs.Single()}");
        Assert.Contains(
            "'x' is declared",
            Assert.Throws<BadInputException>(() => InputShape.Apply(graph, [InputShape.Parse("1x4x8x8")])).Message
        );
        Assert.Contains(
            "no input 'y'",
            Assert.Throws<BadInputException>(() => InputShape.Apply(graph, [InputShape.Parse("y=1x3x8x8")])).Message
        );
        foreach (string text in (string[])["", "x=", "x=1x-3", "x=0x3", "=1x3", "1,3"])
            Assert.Throws<BadInputException>(() => InputShape.Parse(text));
    }

    private static Graph Network(double mean, double deviation, Operation between)
    {
        Random random = new(3);
        Tensor<float> kernel = new([16, 3, 3, 3]);
        foreach (ref float value in kernel.Values)
            value = (float)(random.NextDouble() - 0.3);
        Tensor<float> means = new([16]),
            variances = new([16]);
        for (int channel = 0; channel < 16; channel++)
        {
            double[] weights = [.. kernel.Values.Slice(channel * 27, 27).ToArray().Select(static value => (double)value)];
            means.Values[channel] = (float)(mean * weights.Sum());
            variances.Values[channel] = (float)(deviation * deviation * weights.Sum(static value => value * value));
        }
        return new(
            "scaled",
            [
                new("conv", new Convolution(), ["x", "w"], ["a"]),
                new("between", between, ["a"], ["b"]),
                new("bn", new BatchNormalization(), ["b", "scale", "shift", "means", "variances"], ["y"]),
            ],
            [new("x", ElementType.Float32, [new(null, "N"), new(3), new(24), new(24)])],
            [new("y", ElementType.Float32, null)],
            ImmutableDictionary<string, Tensor>
                .Empty.Add("w", kernel)
                .Add("scale", new Tensor<float>([16], Enumerable.Repeat(1f, 16).ToArray()))
                .Add("shift", new Tensor<float>([16]))
                .Add("means", means)
                .Add("variances", variances)
        );
    }
}
