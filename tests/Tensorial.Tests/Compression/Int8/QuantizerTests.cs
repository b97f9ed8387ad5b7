using System.Collections.Immutable;
using Microsoft.ML.OnnxRuntime;
using Tensorial.Compression;
using Tensorial.Compression.Int8;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.OnnxRuntime;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Compression.Int8;

/// <summary>
/// Quantized networks answer in ONNX Runtime, in integers, as in our executor, in float; and near to the float network. Judged by ONNX
/// Runtime and, where a graph is to be valid, by the checker of onnx.
/// </summary>
public sealed class QuantizerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public static TheoryData<string> Kinds() => [.. Networks.Keys];

    /// <summary>Networks of every kind of layer, and of what may lie between layers.</summary>
    private static readonly Dictionary<string, Func<(Graph Graph, Shape Sample)>> Networks = new()
    {
        ["1-D"] = static () => Of([6, 40], static s => s.Node("y", new Relu(), Conv(s, "c", "x", [8, 6, 5], pads: 2))),
        ["3-D"] = static () => Of([3, 6, 7, 8], static s => Conv(s, "y", "x", [5, 3, 3, 3, 3])),
        ["strided"] = static () => Of([5, 13, 12], static s => Conv(s, "y", "x", [7, 5, 3, 3], stride: 2, pads: 1)),
        ["grouped"] = static () => Of([8, 9, 9], static s => Conv(s, "y", "x", [12, 2, 3, 3], groups: 4)),
        ["depthwise"] = static () => Of([8, 9, 9], static s => Conv(s, "y", Conv(s, "d", "x", [8, 1, 3, 3], groups: 8), [6, 8, 1, 1])),
        ["transposed"] = static () =>
            Of(
                [4, 8, 8],
                static s =>
                    s.Node(
                        "y",
                        new ConvolutionTranspose { Strides = [2, 2] },
                        s.Node("r", new Relu(), Conv(s, "c", "x", [6, 4, 3, 3])),
                        s.Weights("t", [6, 5, 2, 2]),
                        s.Weights("tb", [5])
                    )
            ),
        ["dense"] = static () =>
            Of(
                [24],
                static s =>
                    s.Node(
                        "y",
                        new Gemm { TransposeB = true },
                        s.Node("r", new Relu(), s.Node("h", new Gemm(), "x", s.Weights("w1", [24, 16]), s.Weights("b1", [16]))),
                        s.Weights("w2", [10, 16]),
                        s.Weights("b2", [1, 10])
                    )
            ),
        ["product"] = static () =>
            Of([7, 24], static s => s.Node("y", new Add(), s.Node("m", new MatMul(), "x", s.Weights("w", [24, 12])), s.Weights("b", [12]))),
        ["batch norm"] = static () =>
            Of(
                [3, 10, 10],
                static s =>
                {
                    string convolved = s.Node("c", new Convolution(), "x", s.Weights("w", [8, 3, 3, 3]));
                    string normed = s.Node(
                        "n",
                        new BatchNormalization(),
                        convolved,
                        s.Weights("g", [8], 0.5f, 1.5f),
                        s.Weights("s", [8]),
                        s.Weights("mu", [8]),
                        s.Weights("v", [8], 0.5f, 1.5f)
                    );
                    Conv(s, "y", s.Node("r", new Clip(0, 2), normed), [4, 8, 3, 3]);
                }
            ),
        ["added constant"] = static () =>
            Of(
                [3, 8, 8],
                static s =>
                    s.Node("y", new Add(), s.Node("c", new Convolution(), "x", s.Weights("w", [6, 3, 3, 3])), s.Weights("b", [6, 1, 1]))
            ),
        ["residual"] = static () =>
            Of(
                [4, 12, 12],
                static s =>
                {
                    string stem = s.Node("r1", new Relu(), Conv(s, "c1", "x", [8, 4, 3, 3], pads: 1));
                    string branch = Conv(
                        s,
                        "c3",
                        s.Node("r2", new Relu(), Conv(s, "c2", stem, [8, 8, 3, 3], pads: 1)),
                        [8, 8, 3, 3],
                        pads: 1
                    );
                    string sum = s.Node("r3", new Relu(), s.Node("sum", new Add(), branch, stem));
                    string pooled = s.Node("pool", new MaxPool { KernelShape = [2, 2], Strides = [2, 2] }, sum);
                    string both = s.Node(
                        "cat",
                        new Concat(1),
                        pooled,
                        s.Node("mean", new AveragePool { KernelShape = [2, 2], Strides = [2, 2] }, sum)
                    );
                    string flat = s.Node("flat", new Flatten(), s.Node("gap", new GlobalAveragePool(), both));
                    s.Node("y", new Gemm { TransposeB = true }, flat, s.Weights("w", [10, 16]), s.Weights("b", [10]));
                }
            ),
        ["gated"] = static () =>
            Of(
                [4, 10, 10],
                static s =>
                {
                    string first = Conv(s, "c", "x", [8, 4, 3, 3]);
                    string swish = s.Node("m", new Mul(), first, s.Node("sig", new Sigmoid(), first));
                    Conv(s, "y", s.Node("leaky", new LeakyRelu(0.1f), Conv(s, "c2", swish, [8, 8, 1, 1])), [5, 8, 3, 3]);
                }
            ),
        ["upsampled"] = static () =>
            Of(
                [4, 6, 6],
                static s =>
                {
                    // An empty region, as exporters write one, before a linear and a nearest resize between integer layers.
                    s.Constant("none", new Tensor<float>([0]));
                    s.Constant("twice", new Tensor<float>([4], new float[] { 1, 1, 2, 2 }));
                    Resize linear =
                            new()
                            {
                                HasRegion = true,
                                Sampling = new() { Interpolation = ResizeInterpolation.Linear },
                            },
                        nearest = new() { HasRegion = true };
                    string larger = s.Node("l", linear, Conv(s, "c", "x", [32, 4, 3, 3], pads: 1), "none", "twice");
                    Conv(s, "y", s.Node("n", nearest, Conv(s, "c2", larger, [8, 32, 3, 3], pads: 1), "none", "twice"), [5, 8, 3, 3]);
                }
            ),
        ["shared weights"] = static () =>
            Of(
                [6, 10, 10],
                static s =>
                {
                    string weights = s.Weights("w", [6, 6, 3, 3]);
                    string first = s.Node("r", new Relu(), s.Node("c1", new Convolution(), "x", weights, s.Weights("b1", [6])));
                    s.Node("y", new Convolution(), s.Node("c2", new Convolution(), first, weights, s.Weights("b2", [6])), weights);
                }
            ),
        ["shared clamp"] = static () =>
            Of(
                [4, 10, 10],
                static s =>
                {
                    // The value before the clamp is read elsewhere too: the clamp stays.
                    string first = Conv(s, "c", "x", [8, 4, 3, 3]);
                    string clamped = s.Node("r", new Relu(), first);
                    s.Node("y", new Add(), Conv(s, "c2", clamped, [8, 8, 3, 3], pads: 1), Conv(s, "c3", first, [8, 8, 1, 1]));
                }
            ),
    };

    public void Dispose() => _folder.Delete(true);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Integers_in_onnx_runtime_are_what_our_executor_computes_in_float(string kind)
    {
        (Graph graph, Shape sample) = Networks[kind]();
        foreach (QuantizationOptions options in (QuantizationOptions[])[new(), new() { PerChannel = false, Method = RangeMethod.MinMax }])
        {
            QuantizedNetwork quantized = Quantize(graph, sample, options);
            Assert.All(quantized.Layers, static layer => Assert.Null(layer.KeptBecause));
            using ISession reference = OrtRuntime.Load(OnnxFile.ToBytes(graph), 1),
                integers = OrtRuntime.Load(OnnxFile.ToBytes(quantized.Graph), 1),
                floats = new OwnRuntime().Load(quantized.Graph, 1);
            IEnumerable<InputBatch> batches = Batches(sample, 9, 16);
            Verification runtimes = Verification.From(floats.Run, integers.Run, batches, null),
                change = Verification.From(reference.Run, integers.Run, batches, null);
            // A sum that lies between two steps may be rounded to either: less than what rounding itself changes.
            Assert.True(runtimes.RelativeError < 0.006, $"{kind}: runtimes differ by {runtimes.RelativeError}");
            Assert.True(runtimes.RelativeError < 0.5 * change.RelativeError, $"{kind}: {runtimes.RelativeError} of {change.RelativeError}");
            Assert.True(change.RelativeError < 0.03, $"{kind}: quantization changes {change.RelativeError}");
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Onnx_runtime_computes_the_layers_in_integers(string kind)
    {
        (Graph graph, Shape sample) = Networks[kind]();
        QuantizedNetwork quantized = Quantize(graph, sample, new());
        string path = Path.Combine(_folder.FullName, "optimized.onnx");
        using (
            SessionOptions options = new()
            {
                OptimizedModelFilePath = path,
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            }
        )
        using (InferenceSession session = new(OnnxFile.ToBytes(quantized.Graph), options))
            Assert.NotEmpty(session.OutputNames);
        string[] names = [.. OnnxFile.Read(path).Nodes.Select(static node => node.Operation.Name.Split('.')[^1])];
        Assert.DoesNotContain("Conv", names);
        Assert.DoesNotContain("Gemm", names);
        Assert.DoesNotContain("MatMul", names);
        Assert.Equal(graph.Nodes.Count(static node => node.Operation is Convolution), names.Count(static name => name == "QLinearConv"));
        if (kind == "residual")
            Assert.Equal(
                "Flatten, MaxPool, QGemm, QLinearAdd, QLinearAveragePool, QLinearConcat, QLinearConv, QLinearConv, QLinearConv, QLinearGlobalAveragePool, QuantizeLinear",
                string.Join(", ", names.Order(StringComparer.Ordinal))
            );
    }

    [OracleFact(Oracle.OnnxPython)]
    public void What_is_written_passes_the_checker()
    {
        foreach ((string kind, Func<(Graph, Shape)> make) in Networks)
        {
            (Graph graph, Shape sample) = make();
            // The checker wants extents, or at least their number, of every port.
            int rank = ShapeInference.Run(graph)["y"].Shape.Rank;
            graph = graph with { Outputs = [new("y", ElementType.Float32, [.. Enumerable.Repeat(new Dimension(null), rank)])] };
            OnnxFile.Write(Quantize(graph, sample, new()).Graph, Path.Combine(_folder.FullName, $"{kind}.onnx"));
        }
        Oracles.RunPython(
            "import glob, onnx, sys\nfor f in glob.glob(sys.argv[1] + '/*.onnx'): onnx.checker.check_model(onnx.load(f), full_check=True)",
            _folder.FullName
        );
    }

    [Fact]
    public void Neighbouring_products_do_not_saturate_sums_of_16_bits()
    {
        // All weights of a channel as large as they get, all inputs at the upper end: the worst case of processors without VNNI.
        Tensor<float> weights = new([2, 16, 3, 3]);
        for (int k = 0; k < weights.Values.Length; k++)
            weights.Values[k] = k < weights.Values.Length / 2 ? 1 : -1;
        Sketch sketch = new();
        sketch.Node("y", new Convolution(), "x", sketch.Constant("w", weights));
        Graph graph = sketch.Graph(16, 6, 6);
        IEnumerable<InputBatch> samples = [Batch(Filled([4, 16, 6, 6], 1))];
        QuantizedNetwork quantized = new Quantizer(graph, new(), new OwnRuntime()).Run(samples);
        Tensor<sbyte> stored = quantized.Graph.Initializers.Values.OfType<Tensor<sbyte>>().Single(static t => t.Shape.Rank == 4);
        Assert.All(stored.Values.ToArray(), static value => Assert.InRange(2 * Math.Abs((int)value), 0, 128));
        using ISession integers = OrtRuntime.Load(OnnxFile.ToBytes(quantized.Graph), 1);
        float[] answers = integers
            .Run(new Dictionary<string, Tensor> { ["x"] = Filled([1, 16, 6, 6], 1) })["y"]
            .Of<float>()
            .Values.ToArray();
        Assert.All(answers, static answer => Assert.InRange(Math.Abs(answer), 0.98f * 144, 1.02f * 144));
    }

    [Fact]
    public void Biases_take_out_the_mean_error()
    {
        (Graph graph, Shape sample) = Networks["residual"]();
        double MeanError(bool corrected)
        {
            QuantizedNetwork quantized = Quantize(graph, sample, new() { CorrectsBias = corrected, PerChannel = false });
            using ISession before = OrtRuntime.Load(OnnxFile.ToBytes(graph), 1),
                after = OrtRuntime.Load(OnnxFile.ToBytes(quantized.Graph), 1);
            double[] sums = new double[10];
            foreach (InputBatch batch in Batches(sample, 21, 256))
            {
                (float[] a, float[] b) = (
                    before.Run(batch.Inputs)["y"].Of<float>().Values.ToArray(),
                    after.Run(batch.Inputs)["y"].Of<float>().Values.ToArray()
                );
                for (int k = 0; k < a.Length; k++)
                    sums[k % 10] += b[k] - a[k];
            }
            return sums.Sum(static sum => sum * sum);
        }
        Assert.True(MeanError(true) < 0.5 * MeanError(false), $"{MeanError(true)} of {MeanError(false)}");
    }

    [Fact]
    public void A_limit_keeps_the_most_sensitive_layers_in_float()
    {
        // One channel of the first layer's result is a thousand times the others: 8 bits for all of it lose them.
        Sketch sketch = new();
        Tensor<float> weights = sketch.Random([8, 4, 3, 3]);
        for (int k = 0; k < 36; k++)
            weights.Values[k] *= 1000;
        string first = sketch.Node("c1", new Convolution(), "x", sketch.Constant("w1", weights));
        Tensor<float> second = sketch.Random([8, 8, 3, 3]);
        for (int k = 0; k < second.Values.Length; k++)
            second.Values[k] *= k / 9 % 8 == 0 ? 0 : 1;
        sketch.Node(
            "y",
            new Convolution(),
            sketch.Node("c2", new Convolution(), first, sketch.Constant("w2", second)),
            sketch.Weights("w3", [8, 8, 3, 3])
        );
        Graph graph = sketch.Graph(4, 12, 12);
        Shape sample = [4, 12, 12];
        QuantizedNetwork free = Quantize(graph, sample, new()),
            limited = new Quantizer(graph, new(), new OwnRuntime()).Run(
                Batches(sample, 1, 64),
                new(null, 0.03, Batches(sample, 5, 64), null)
            );
        Assert.All(free.Layers, static layer => Assert.Equal(8, layer.Bits));
        Assert.Contains(limited.Layers, static layer => layer.Bits == 8);
        Assert.Contains(limited.Layers, static layer => layer.Bits is null && layer.Sensitivity > 0);
        Assert.NotEmpty(limited.Trials);
        using ISession before = OrtRuntime.Load(OnnxFile.ToBytes(graph), 1),
            all = OrtRuntime.Load(OnnxFile.ToBytes(free.Graph), 1),
            some = OrtRuntime.Load(OnnxFile.ToBytes(limited.Graph), 1);
        Assert.True(Verification.From(before.Run, all.Run, Batches(sample, 7, 64), null).RelativeError > 0.03);
        Assert.True(Verification.From(before.Run, some.Run, Batches(sample, 7, 64), null).RelativeError < 0.035);
        Assert.Throws<GoalNotMetException>(() =>
            new Quantizer(graph, new(), new OwnRuntime()).Run(Batches(sample, 1, 64), new(null, 1e-9, Batches(sample, 5, 64), null))
        );
    }

    [Fact]
    public void Float16_networks_keep_their_ports()
    {
        (Graph graph, Shape sample) = Networks["residual"]();
        Graph half = graph with
        {
            Inputs = [graph.Inputs[0] with { Type = ElementType.Float16 }],
            Outputs = [graph.Outputs[0] with { Type = ElementType.Float16 }],
            Initializers = graph.Initializers.ToImmutableDictionary(static i => i.Key, static i => i.Value.To(ElementType.Float16)),
        };
        IEnumerable<InputBatch> samples = Batches(sample, 1, 32)
            .Select(static batch =>
                batch with
                {
                    Inputs = batch.Inputs.ToDictionary(static i => i.Key, static i => i.Value.To(ElementType.Float16)),
                }
            );
        QuantizedNetwork quantized = new Quantizer(half, new(), new OwnRuntime()).Run(samples);
        Assert.Equal(half.Inputs, quantized.Graph.Inputs);
        Assert.Equal(half.Outputs, quantized.Graph.Outputs);
        using ISession before = OrtRuntime.Load(OnnxFile.ToBytes(graph), 1),
            after = OrtRuntime.Load(OnnxFile.ToBytes(quantized.Graph), 1);
        foreach ((InputBatch wide, InputBatch narrow) in Batches(sample, 1, 32).Zip(samples))
        {
            Tensor expected = before.Run(wide.Inputs)["y"],
                actual = after.Run(narrow.Inputs)["y"];
            Assert.Equal(ElementType.Float16, actual.ElementType);
            OutputComparison comparison = new("y", null);
            comparison.Add(expected, actual, 32, 32);
            Assert.True(comparison.Result.RelativeError < 0.03);
        }
    }

    [Fact]
    public void What_cannot_be_quantized_is_refused_in_a_sentence()
    {
        (Graph graph, Shape sample) = Networks["residual"]();
        Graph quantized = Quantize(graph, sample, new()).Graph;
        Assert.Contains(
            "quantized already",
            Assert.Throws<BadInputException>(() => new Quantizer(quantized, new(), new OwnRuntime())).Message
        );
        Sketch bare = new();
        bare.Node("y", new Relu(), "x");
        Assert.Contains(
            "nothing to quantize",
            Assert.Throws<BadInputException>(() => new Quantizer(bare.Graph(3), new(), new OwnRuntime())).Message
        );
        Assert.Contains(
            "--keep names it",
            Assert.Throws<BadInputException>(() => new Quantizer(Networks["strided"]().Graph, new(), new OwnRuntime(), ["*"])).Message
        );
    }

    /// <summary>A kernel that is multiplied from factors stays by any of its names: the layer's, the value's, a factor's.</summary>
    [Theory]
    [InlineData("layer")]
    [InlineData("made")]
    [InlineData("right")]
    [InlineData("product")]
    public void A_kernel_made_of_factors_stays_in_float_by_each_of_its_names(string name)
    {
        Sketch sketch = new();
        string product = sketch.Node("product", new MatMul(), sketch.Weights("left", [16, 4]), sketch.Weights("right", [4, 27]));
        string made = sketch.Node(
            "made",
            new Reshape(),
            product,
            sketch.Constant("shape", new Tensor<long>([4], new long[] { 16, 3, 3, 3 }))
        );
        string normed = sketch.Node(
            "norm",
            new BatchNormalization(),
            sketch.Node("layer", new Convolution(), "x", made),
            sketch.Weights("g", [16], 0.5f, 1.5f),
            sketch.Weights("s", [16]),
            sketch.Weights("mu", [16]),
            sketch.Weights("v", [16], 0.5f, 1.5f)
        );
        Conv(sketch, "y", sketch.Node("r", new Relu(), normed), [4, 16, 3, 3]);
        Graph graph = sketch.Graph(3, 10, 10);

        Assert.Equal(2, Preparation.From(graph, []).Layers.Length);
        Preparation kept = Preparation.From(graph, [name]);

        Assert.Single(kept.Layers);
        Assert.Equal(("made", "--keep names it"), (Assert.Single(kept.Kept).Name, kept.Kept[0].Reason));
    }

    private static (Graph, Shape) Of(Shape sample, Action<Sketch> nodes)
    {
        Sketch sketch = new();
        nodes(sketch);
        return (sketch.Graph([.. sample]), sample);
    }

    private static string Conv(Sketch s, string name, string x, Shape weights, int stride = 1, int pads = 0, int groups = 1)
    {
        int axes = weights.Rank - 2;
        return s.Node(
            name,
            new Convolution
            {
                Groups = groups,
                Strides = [.. Enumerable.Repeat(stride, axes)],
                Pads = [.. Enumerable.Repeat(pads, 2 * axes)],
            },
            x,
            s.Weights($"{name}.w", weights),
            s.Weights($"{name}.b", [weights[0]])
        );
    }

    internal static QuantizedNetwork Quantize(Graph graph, Shape sample, QuantizationOptions options) =>
        new Quantizer(graph, options, new OwnRuntime()).Run(Batches(sample, 1, 64));

    private static IEnumerable<InputBatch> Batches(Shape sample, int seed, int count) =>
        [Batch(new Sketch(seed).Random([count, .. sample], -2, 2))];

    private static InputBatch Batch(Tensor<float> x) => new(new Dictionary<string, Tensor> { ["x"] = x }, x.Shape[0], x.Shape[0], default);

    private static Tensor<float> Filled(Shape shape, float value)
    {
        Tensor<float> tensor = new(shape);
        tensor.Values.Fill(value);
        return tensor;
    }
}
