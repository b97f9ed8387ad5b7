using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Execution;

public class InferenceTests
{
    /// <summary>Small networks that between them hold every fusion, layout change and fallback of the executor.</summary>
    public static TheoryData<string> Names => [.. Networks.Keys];

    private static readonly Dictionary<string, Graph> Networks = new()
    {
        ["convolution"] = Make(
            static s => s.Node("y", new Convolution { Pads = [1, 1, 1, 1] }, "x", s.Weights("w", [20, 3, 3, 3]), s.Weights("b", [20])),
            3,
            9,
            7
        ),
        ["strided, dilated, asymmetric"] = Make(
            static s =>
                s.Node(
                    "y",
                    new Convolution
                    {
                        Pads = [0, 2, 3, 1],
                        Strides = [2, 1],
                        Dilations = [1, 2],
                    },
                    "x",
                    s.Weights("w", [16, 5, 3, 2])
                ),
            5,
            11,
            12
        ),
        ["same padding"] = Make(
            static s => s.Node("y", new Convolution { AutoPad = AutoPad.SameUpper, Strides = [2, 2] }, "x", s.Weights("w", [7, 4, 3, 3])),
            4,
            10,
            10
        ),
        ["grouped"] = Make(
            static s => s.Node("y", new Convolution { Groups = 2, Pads = [1, 1, 1, 1] }, "x", s.Weights("w", [32, 16, 3, 3])),
            32,
            6,
            6
        ),
        ["grouped, odd"] = Make(static s => s.Node("y", new Convolution { Groups = 3 }, "x", s.Weights("w", [6, 2, 3, 3])), 6, 6, 6),
        ["depthwise"] = Make(
            static s =>
                s.Node(
                    "y",
                    new Convolution
                    {
                        Groups = 24,
                        Pads = [1, 1, 1, 1],
                        Strides = [2, 2],
                    },
                    "x",
                    s.Weights("w", [24, 1, 3, 3])
                ),
            24,
            8,
            8
        ),
        ["one axis"] = Make(static s => s.Node("y", new Convolution { Pads = [1, 1] }, "x", s.Weights("w", [5, 4, 3])), 4, 12),
        ["batch norm, relu"] = Make(static s => Norm(s, s.Node("c", new Convolution(), "x", s.Weights("w", [18, 3, 3, 3])), 18), 3, 6, 6),
        ["batch norm alone"] = Make(static s => Norm(s, "x", 5), 5, 4, 4),
        ["residual block"] = Make(
            static s =>
            {
                string a = Norm(s, s.Node("c1", new Convolution { Pads = [1, 1, 1, 1] }, "x", s.Weights("w1", [16, 3, 3, 3])), 16, "1");
                string b = s.Node("c2", new Convolution { Pads = [1, 1, 1, 1] }, a, s.Weights("w2", [16, 16, 3, 3]));
                s.Node("y", new Relu(), s.Node("sum", new Add(), b, a));
            },
            3,
            8,
            8
        ),
        ["two convolutions added"] = Make(
            static s =>
            {
                string a = s.Node("c1", new Convolution(), "x", s.Weights("w1", [16, 3, 1, 1])),
                    b = s.Node("c2", new Convolution(), "x", s.Weights("w2", [16, 3, 1, 1]));
                s.Node("y", new Clip(0, 0.5f), s.Node("sum", new Add(), a, b));
            },
            3,
            8,
            8
        ),
        ["a value read three times"] = Make(
            static s =>
            {
                string a = s.Node("c1", new Convolution { Pads = [1, 1, 1, 1] }, "x", s.Weights("w1", [16, 3, 3, 3]));
                string b = s.Node("c2", new Convolution { Pads = [2, 2, 2, 2] }, a, s.Weights("w2", [16, 16, 5, 5]));
                s.Node("y", new Mul(), s.Node("sum", new Add(), b, a), a);
            },
            3,
            8,
            8
        ),
        ["shortcut by slice and pad"] = Make(
            static s =>
            {
                string a = s.Node("c1", new Convolution { Pads = [1, 1, 1, 1] }, "x", s.Weights("w1", [16, 3, 3, 3]));
                string b = s.Node("c2", new Convolution { Pads = [1, 1, 1, 1], Strides = [2, 2] }, a, s.Weights("w2", [32, 16, 3, 3]));
                s.Constant("starts", Longs(0, 0));
                s.Constant("ends", Longs(long.MaxValue, long.MaxValue));
                s.Constant("axes", Longs(2, 3));
                s.Constant("steps", Longs(2, 2));
                string half = s.Node("half", new Slice(), a, "starts", "ends", "axes", "steps");
                s.Constant("pads", Longs(0, 8, 0, 0, 0, 8, 0, 0));
                s.Node("y", new Relu(), s.Node("sum", new Add(), b, s.Node("wide", new Pad(), half, "pads")));
            },
            3,
            8,
            8
        ),
        ["pools and dense"] = Make(
            static s =>
            {
                string a = s.Node("c1", new Convolution { Pads = [1, 1, 1, 1] }, "x", s.Weights("w1", [20, 3, 3, 3]));
                string b = s.Node(
                    "max",
                    new MaxPool
                    {
                        KernelShape = [3, 3],
                        Strides = [2, 2],
                        Pads = [1, 1, 1, 1],
                    },
                    a
                );
                string c = s.Node(
                    "mean",
                    new AveragePool
                    {
                        KernelShape = [2, 2],
                        Pads = [0, 0, 1, 1],
                        CountIncludePad = true,
                    },
                    b
                );
                string d = s.Node("flat", new Flatten(), s.Node("global", new GlobalAveragePool(), c));
                s.Node(
                    "y",
                    new Softmax(-1),
                    s.Node("dense", new Gemm { TransposeB = true }, d, s.Weights("fc", [10, 20]), s.Weights("fb", [10]))
                );
            },
            3,
            9,
            9
        ),
        ["pools of plain maps"] = Make(
            static s =>
            {
                string p = s.Node("p", new MaxPool { KernelShape = [3, 2], Strides = [2, 2] }, "x");
                s.Node("y", new AveragePool { KernelShape = [2, 2] }, s.Node("t", new Transpose([0, 1, 3, 2]), p));
            },
            20,
            9,
            8
        ),
        ["divided by numbers"] = Make(
            static s =>
            {
                string c = s.Node("c", new Convolution(), "x", s.Weights("w", [20, 3, 1, 1]));
                s.Constant("three", new Tensor<float>([1], new[] { 3f }));
                s.Constant("channels", new Tensor<float>([20, 1, 1], Enumerable.Range(1, 20).Select(static k => k / 7f).ToArray()));
                string third = s.Node("third", new Div(), s.Node("r", new Relu(), c), "three");
                s.Node("y", new Convolution(), s.Node("d", new Div(), third, "channels"), s.Weights("w2", [4, 20, 1, 1]));
            },
            3,
            6,
            5
        ),
        ["boxes behind the last convolution"] = Make(
            static s =>
            {
                string c = s.Node("c", new Convolution(), "x", s.Weights("w", [6, 16, 1, 1])),
                    at = s.Node("at", new Mul(), s.Node("gate", new Sigmoid(), c), s.Weights("scale", [1, 6, 1, 1]));
                s.Node("y", new Transpose([0, 2, 3, 1]), s.Node("shifted", new Add(), at, s.Weights("shift", [1, 6, 1, 1])));
            },
            16,
            5,
            6
        ),
        ["squeeze and excitation"] = Make(
            static s =>
            {
                string a = s.Node("c1", new Convolution { Pads = [1, 1, 1, 1] }, "x", s.Weights("w1", [24, 3, 3, 3]));
                string squeezed = s.Node(
                    "c2",
                    new Convolution(),
                    s.Node("global", new GlobalAveragePool(), a),
                    s.Weights("w2", [8, 24, 1, 1])
                );
                string excited = s.Node(
                    "gate",
                    new Sigmoid(),
                    s.Node("c3", new Convolution(), s.Node("r", new Relu(), squeezed), s.Weights("w3", [24, 8, 1, 1]))
                );
                s.Node("y", new Convolution(), s.Node("scaled", new Mul(), a, excited), s.Weights("w4", [9, 24, 1, 1]));
            },
            3,
            6,
            6
        ),
        ["branches joined"] = Make(
            static s =>
            {
                string a = s.Node("c1", new Convolution(), "x", s.Weights("w1", [16, 3, 1, 1])),
                    b = s.Node("c2", new Convolution(), "x", s.Weights("w2", [12, 3, 1, 1]));
                string joined = s.Node("joined", new Concat(1), a, s.Node("leaky", new LeakyRelu(0.1f), b), a);
                s.Node("y", new Convolution { Pads = [1, 1, 1, 1] }, joined, s.Weights("w3", [5, 44, 3, 3]));
            },
            3,
            6,
            6
        ),
        ["bounds as numbers"] = Make(
            static s =>
            {
                s.Constant("low", new Tensor<float>([], new[] { -0.1f }));
                s.Constant("high", new Tensor<float>([1], new[] { 0.3f }));
                string a = s.Node("leaky", new LeakyRelu(0.2f), s.Node("c1", new Convolution(), "x", s.Weights("w1", [20, 3, 1, 1])));
                s.Node("y", new Min(), s.Node("max", new Max(), a, "low"), "high");
            },
            3,
            6,
            6
        ),
        ["transposed convolutions and upsampling"] = Make(
            static s =>
            {
                ConvolutionTranspose up = new()
                {
                    Strides = [2, 2],
                    Pads = [1, 0, 0, 1],
                    OutputPadding = [1, 0],
                };
                string a = s.Node("c1", new Convolution(), "x", s.Weights("w1", [20, 3, 1, 1]));
                string b = s.Node("up", up, a, s.Weights("w2", [20, 6, 3, 3]), s.Weights("b2", [6]));
                s.Constant("scales", new Tensor<float>([4], new[] { 1f, 1, 2, 3 }));
                Resize nearest = new()
                {
                    Sampling = new() { Interpolation = ResizeInterpolation.Nearest, Coordinates = Coordinates.Asymmetric },
                };
                s.Node("y", new Convolution { Groups = 6 }, s.Node("big", nearest, b, "scales"), s.Weights("w3", [6, 1, 3, 3]));
            },
            3,
            5,
            6
        ),
        ["resizing between pixels, and a bound of four axes"] = Make(
            static s =>
            {
                s.Constant("scales", new Tensor<float>([4], new[] { 1f, 1, 1.5f, 2 }));
                s.Constant("low", new Tensor<float>([1, 1, 1, 1], new[] { -0.1f }));
                Resize linear = new()
                {
                    Sampling = new() { Interpolation = ResizeInterpolation.Linear, Coordinates = Coordinates.PytorchHalfPixel },
                };
                string a = s.Node("c1", new Convolution(), "x", s.Weights("w1", [20, 3, 1, 1]));
                string b = s.Node("max", new Max(), s.Node("big", linear, a, "scales"), "low");
                s.Node("y", new Convolution { Pads = [1, 1, 1, 1] }, b, s.Weights("w3", [6, 20, 3, 3]));
            },
            3,
            6,
            5
        ),
        ["one axis, deep"] = Make(
            static s =>
            {
                string a = s.Node("c1", new Convolution { Pads = [2, 2] }, "x", s.Weights("w1", [20, 4, 5]), s.Weights("b1", [20]));
                string b = s.Node("p", new MaxPool { KernelShape = [2], Strides = [2] }, s.Node("r", new Relu(), a));
                string c = s.Node("c2", new Convolution { Groups = 20, Pads = [1, 1] }, b, s.Weights("w2", [20, 1, 3]));
                s.Node("y", new GlobalAveragePool(), s.Node("joined", new Concat(1), c, b));
            },
            4,
            24
        ),
        ["activations"] = Make(
            static s =>
            {
                string a = s.Node("c1", new Convolution(), "x", s.Weights("w1", [20, 3, 1, 1]));
                string swish = s.Node("swish", new Mul(), s.Node("sigmoid", new Sigmoid(), a), a);
                string hard = s.Node("hard", new HardSwish(), s.Node("tanh", new Tanh(), swish));
                s.Node(
                    "y",
                    new Convolution { Pads = [1, 1, 1, 1] },
                    s.Node("prelu", new PRelu(), hard, s.Weights("slope", [20, 1, 1])),
                    s.Weights("w2", [4, 20, 3, 3])
                );
            },
            3,
            6,
            6
        ),
        ["whole numbers that a later layer outlives"] = Make(
            static s =>
            {
                string a = s.Node("c1", new Convolution { Pads = [1, 1, 1, 1] }, "x", s.Weights("w1", [20, 3, 3, 3])),
                    places = s.Node("places", new ArgMax { Axis = 1 }, a),
                    b = s.Node("c2", new Convolution { Pads = [1, 1, 1, 1] }, a, s.Weights("w2", [20, 20, 3, 3]));
                s.Node("y", new Mul(), b, s.Node("numbers", new Cast(ElementType.Float32), places));
            },
            3,
            6,
            6
        ),
        ["a mean over the batch"] = Make(
            static s =>
            {
                string a = s.Node("c1", new Convolution { Pads = [1, 1, 1, 1] }, "x", s.Weights("w1", [20, 3, 3, 3]));
                s.Node("y", new Sub(), a, s.Node("mean", new ReduceMean { Axes = [0] }, a));
            },
            3,
            6,
            6
        ),
        ["gelu behind a convolution and behind a product"] = Make(
            static s =>
            {
                s.Constant("half", new Tensor<float>([], new[] { 0.5f }));
                s.Constant("one", new Tensor<float>([], new[] { 1f }));
                s.Constant("root", new Tensor<float>([], new[] { MathF.Sqrt(2) }));
                string a = Gelu(s, "a", s.Node("c1", new Convolution { Pads = [1, 1, 1, 1] }, "x", s.Weights("w1", [20, 3, 3, 3])));
                string b = s.Node("flat", new Flatten(), s.Node("pool", new GlobalAveragePool(), a));
                s.Node("y", new Gelu(true), Gelu(s, "b", s.Node("dense", new MatMul(), b, s.Weights("w2", [20, 9]))));
            },
            3,
            6,
            6
        ),
    };

    [Theory, MemberData(nameof(Names))]
    public void Agrees_with_the_operations_one_by_one(string name)
    {
        Graph graph = Networks[name];
        using Inference inference = new(graph, threads: 2);
        foreach (int images in new[] { 1, 2, 5, 11 })
        {
            Tensor<float> x = new Sketch(7).Random([
                images,
                .. graph.Inputs[0].Dimensions!.Value.Skip(1).Select(static d => d.Extent!.Value),
            ]);
            AssertClose(Sketch.Evaluate(graph, x), inference.Run(x), 2e-5f);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Going_on_from_any_step_changes_no_bit(string name)
    {
        Graph graph = Networks[name];
        using Inference inference = new(graph, threads: 2);
        Tensor<float> x = new Sketch(7).Random([5, .. graph.Inputs[0].Dimensions!.Value.Skip(1).Select(static d => d.Extent!.Value)]);
        float[] expected = inference.Run(x).Values.ToArray();
        for (int step = 0; step <= inference.Steps; step++)
        {
            Activations halfway = inference.RunTo(step, x);
            Assert.Equal(expected, inference.RunFrom(inference.Continue(halfway, (step + inference.Steps) / 2)).Values.ToArray());
            Assert.Equal(expected, inference.RunFrom(halfway).Values.ToArray());
        }
    }

    /// <summary>The memory of a call serves the next, that of its results does not.</summary>
    [Fact]
    public void Results_of_one_call_stay_as_they_are_in_the_next()
    {
        using Inference inference = new(Networks["residual block"], 1);
        Tensor<float> Input(int seed) => new Sketch(seed).Random([2, 3, 8, 8]);
        Tensor Result(int seed) => inference.Run(new Dictionary<string, Tensor> { ["x"] = Input(seed) })["y"];

        Tensor first = Result(1);
        float[] before = [.. first.Of<float>().Values];
        Tensor second = Result(2);

        Assert.NotSame(first, second);
        Assert.Equal(before, first.Of<float>().Values);
        Assert.NotEqual(before, [.. second.Of<float>().Values]);
        Assert.Equal(before, Result(1).Of<float>().Values);
    }

    [Fact]
    public void Other_weights_in_the_same_network()
    {
        Graph graph = Networks["residual block"];
        using Inference inference = new(graph, threads: 2);
        Tensor<float> x = new Sketch(7).Random([3, 3, 8, 8]),
            before = inference.Run(x);
        Graph changed = graph.With("w2", new Sketch(9).Random([16, 16, 3, 3]));
        Inference other = inference.With(changed);

        AssertClose(Sketch.Evaluate(changed, x), other.Run(x), 2e-5f);
        Assert.Equal(before.Values.ToArray(), inference.Run(x).Values.ToArray());
        int step = inference.StepOf("w2");
        Assert.Equal(other.Run(x).Values.ToArray(), other.RunFrom(inference.RunTo(step, x)).Values.ToArray());
        Assert.Throws<BadInputException>(() => inference.StepOf("no such weights"));
    }

    private static string Gelu(Sketch s, string name, string x) =>
        s.Node(name, new Mul(), s.Node($"{name}/product", new Mul(), x, s.Node($"{name}/sum", new Add(), Erf(s, name, x), "one")), "half");

    private static string Erf(Sketch s, string name, string x) =>
        s.Node($"{name}/erf", new Erf(), s.Node($"{name}/scaled", new Div(), x, "root"));

    private static Graph Make(Action<Sketch> build, params int[] image)
    {
        Sketch sketch = new();
        build(sketch);
        return sketch.Graph(image);
    }

    private static string Norm(Sketch s, string input, int channels, string suffix = "") =>
        s.Node(
            $"relu{suffix}",
            new Relu(),
            s.Node(
                $"bn{suffix}",
                new BatchNormalization { Epsilon = 1e-3f },
                input,
                s.Weights($"gamma{suffix}", [channels], 0.5f, 2),
                s.Weights($"beta{suffix}", [channels]),
                s.Weights($"mean{suffix}", [channels]),
                s.Weights($"variance{suffix}", [channels], 0.1f, 3)
            )
        );

    private static Tensor<long> Longs(params long[] values) => new([values.Length], values);

    private static void AssertClose(Tensor<float> expected, Tensor<float> actual, float tolerance)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        for (int i = 0; i < expected.Values.Length; i++)
            Assert.True(
                Math.Abs(expected.Values[i] - actual.Values[i]) <= tolerance * (1 + Math.Abs(expected.Values[i])),
                $"[{i}] {expected.Values[i]} became {actual.Values[i]}"
            );
    }
}
