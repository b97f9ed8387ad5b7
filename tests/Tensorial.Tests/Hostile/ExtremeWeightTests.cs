using Tensorial.Compression;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Operations;
using Tensorial.Tests.Cli;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Hostile;

/// <summary>
/// Networks whose weights training never gives and files may hold, and images without variation, through every command that looks at
/// weights: a file that can be read and is close to the network, or one sentence that is true.
/// </summary>
public sealed class ExtremeWeightTests : IDisposable
{
    private static readonly Convolution Padded = new() { Pads = [1, 1, 1, 1] };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    private string At(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>
    /// What is done to the middle kernel [6, 4, 3, 3] at [o, i, h, w], and what to the kernels around it at [_, o] and [i, _], so that the
    /// network's answers are of a usual size.
    /// </summary>
    private sealed record Case(
        Func<int, int, int, int, float, float> Middle,
        Func<int, float>? Before = null,
        Func<int, float>? Behind = null
    );

    private static readonly Dictionary<string, Case> Cases = new()
    {
        ["zeros"] = new(static (o, i, h, w, value) => 0),
        ["output channels of zeros"] = new(static (o, i, h, w, value) => o < 3 ? 0 : value),
        ["input channels of zeros"] = new(static (o, i, h, w, value) => i < 2 ? 0 : value),
        ["rank one"] = new(static (o, i, h, w, value) => 0.01f * (o + 1) * (i - 1.5f) * (h + 0.5f) * (w - 1.5f)),
        ["output channels of 1e-15 and 1e15"] = new(
            static (o, i, h, w, value) => value * (o % 2 == 0 ? 1e-15f : 1e15f),
            Behind: static o => o % 2 == 0 ? 1e15f : 1e-15f
        ),
        ["input channels of 1e-15 and 1e15"] = new(
            static (o, i, h, w, value) => value * (i % 2 == 0 ? 1e-15f : 1e15f),
            static i => i % 2 == 0 ? 1e15f : 1e-15f
        ),
        ["near the largest float32"] = new(static (o, i, h, w, value) => value * 1e37f, static i => 1e-4f, static o => 1e-35f),
        ["subnormal"] = new(static (o, i, h, w, value) => value * 1e-39f, Behind: static o => 1e38f),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Every_command_handles_the_weights(string name)
    {
        OnnxFile.Write(Network(Cases[name]), At("net.onnx"));
        string data = Images(static (image, at) => MathF.Sin(image * 37 + at * 1.3f));
        foreach (
            string command in (string[])
                [
                    "inspect NET",
                    "analyze NET --json JSON --threads 1",
                    "plan NET --target params=0.8 --objective size --format svd-out --layers w2 --threads 1 --out JSON",
                    "search NET --rate 0.5 --layers w2 --threads 1 --json JSON",
                ]
        )
            await Try(command);
        Check(name, Compressed("cp3"));
        Check(name, Compressed("svd-out", data), Compressed("tucker2", data));
        CommandRun tuned = await Run(
            $"tune OUT {At("tuned.onnx")} --teacher NET --epochs 1 --batch 12 --lr 1e-6 --no-test --threads 1 --data {data}"
        );
        if (tuned.Code == 0)
            Assert.All(Floats(OnnxFile.Read(At("tuned.onnx"))), static value => Assert.True(float.IsFinite(value)));
        else
            Assert.True(tuned.Code == 5 && tuned.Error.Contains("diverged") && !File.Exists(At("tuned.onnx")), tuned.Error);
    }

    /// <summary>
    /// The layer as factors of every format, written and read again: the answers are those of the network with the kernel that the factors
    /// make, as float64 gives them.
    /// </summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Factors_in_every_format_answer_as_the_kernel_that_they_make(string name)
    {
        // The rounding of large kernels is all that large inputs of small ones show.
        Graph graph = Network(
            name.StartsWith("input channels of 1e", StringComparison.Ordinal) ? Cases[name] with { Before = null } : Cases[name]
        );
        CompressibleLayer layer = CompressibleLayer.Of(graph.WithGuessedExtents()).Layers.Single(static layer => layer.Name == "w2");
        Tensor<float> x = new Sketch(9).Random([2, 1, 8, 8]);
        List<string> wrong = [];
        foreach (KernelFormat format in KernelFormat.All)
        {
            KernelStarts starts = new(layer.Kernel, KernelMetric.Plain);
            LayerForm form = LayerForm.From(layer, format, layer.FormOf(format).RanksAt(starts, 0.5));
            TensorFactors<double> factors = KernelFactorization.Fit(starts, form.Form, form.Ranks).Balanced();
            Graph small = OnnxFile.Read(OnnxFile.ToBytes(FactorRewrite.Apply(graph, layer, form, factors)), "small");
            using Inference network = new(small, 1);
            double[] expected = Wide(graph.With("w2", layer.StoredAs(factors.Reconstruct())), x),
                answers = [.. network.Run(x).Values.ToArray().Select(static value => (double)value)];
            double gap = Math.Sqrt(expected.Zip(answers, static (a, b) => (a - b) * (a - b)).Sum() / expected.Sum(static a => a * a));
            if (!(factors.RelativeError is >= 0 and <= 1 + 1e-9) || !(gap <= 1e-3))
                wrong.Add($"{format} at {string.Join('×', form.Ranks)}: error {factors.RelativeError}, answers off by {gap}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Theory]
    [InlineData("equal images", 12)]
    [InlineData("images of zeros", 12)]
    [InlineData("one image", 1)]
    [InlineData("a dead channel", 12)]
    [InlineData("tiny pixels", 12)]
    [InlineData("huge pixels", 12)]
    public void Images_without_variation_are_calibrated_on(string name, int count)
    {
        OnnxFile.Write(Network(new(static (o, i, h, w, value) => value)), At("net.onnx"));
        string data = Images(
            (image, at) =>
                name switch
                {
                    "equal images" => MathF.Sin(at),
                    "images of zeros" => 0,
                    "a dead channel" => at < 64 ? 0 : MathF.Sin(image * 37 + at),
                    "tiny pixels" => 1e-30f * MathF.Sin(image * 37 + at),
                    "huge pixels" => 1e30f * MathF.Sin(image * 37 + at),
                    _ => MathF.Sin(image * 37 + at),
                },
            count
        );
        foreach (
            string format in name == "equal images" ? (string[])["tucker2", "cp3", "svd-in", "decoupled-in"] : ["svd-in", "decoupled-in"]
        )
        {
            if (name == "huge pixels")
                Assert.Contains("range of float32", Assert.Throws<NumericalException>(() => Compressed(format, data)).Message);
            else
                Check(name, Compressed(format, data));
        }
    }

    /// <summary>Nothing reads it: it is no matter what it holds.</summary>
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public async Task A_constant_that_nothing_reads_may_hold_anything(float value)
    {
        Graph graph = Network(new(static (o, i, h, w, value) => value));
        OnnxFile.Write(
            graph with
            {
                Initializers = graph.Initializers.Add("unused", new Tensor<float>([2], new[] { value, 1 })),
            },
            At("net.onnx")
        );
        await Try("inspect NET");
        await Try("analyze NET --json JSON --threads 1");
        Check("", Compressed("svd-out"));
    }

    [Theory]
    [InlineData("analyze NET --json JSON")]
    [InlineData("plan NET --target params=0.7 --out JSON")]
    [InlineData("search NET --rate 0.5 --json JSON")]
    [InlineData("compress NET OUT --target params=0.7")]
    [InlineData("truncate NET OUT --cut o|ihw --rank 2")]
    [InlineData("train NET OUT --no-test --data DATA")]
    [InlineData("tune NET OUT --teacher NET --no-test --data DATA")]
    public async Task A_kernel_that_holds_NaN_is_named(string command)
    {
        OnnxFile.Write(Network(new(static (o, i, h, w, value) => o == 1 ? float.NaN : value)), At("net.onnx"));

        CommandRun run = await Run(command.Replace("DATA", Images(static (image, at) => MathF.Sin(image * 37 + at))));

        Assert.True(run.Code is 3 or 5, $"{run.Code}: {run.Error}");
        Assert.Contains("w2", run.Error);
        Assert.False(File.Exists(At("out.onnx")) || File.Exists(At("out.json")));
    }

    /// <summary>The network with w2 in one of the formats, which OUT holds then; as the command makes it, without its timings.</summary>
    private CompressedNetwork Compressed(string format, string? data = null)
    {
        CompressedNetwork small = OnnxFile
            .Read(At("net.onnx"))
            .Compress(
                new CompressionOptions
                {
                    Targets = [CompressionTarget.Parse("params=0.8")],
                    Formats = [KernelFormat.Parse(format)],
                    Objective = Objective.Size,
                    Layers = ["w2"],
                    CalibrationImages = 12,
                    Threads = 1,
                },
                data is null ? null : DataSource.Parse(data).Open(DataSplit.Train, Normalization.None)
            );
        OnnxFile.Write(small.Graph, At("out.onnx"));
        return small;
    }

    private void Check(string name, params ReadOnlySpan<CompressedNetwork> networks)
    {
        foreach (CompressedNetwork network in networks)
        {
            CompressedLayer layer = network.Layers.Single(static layer => layer.Name == "w2");
            Assert.True(layer.RelativeError is not null, layer.KeptBecause);
            Assert.InRange(layer.RelativeError.Value, 0, name is "zeros" or "rank one" ? 2e-3 : 1 + 1e-6);
            Assert.DoesNotContain("w2", network.Graph.Initializers.Keys);
        }
        Graph written = OnnxFile.Read(At("out.onnx"));
        Assert.All(
            Floats(written with { Initializers = written.Initializers.Remove("unused") }),
            static v => Assert.True(float.IsFinite(v))
        );
    }

    private static IEnumerable<float> Floats(Graph graph) =>
        graph.Initializers.Values.OfType<Tensor<float>>().SelectMany(static value => value.Values.ToArray());

    private async Task<CommandRun> Try(string command)
    {
        CommandRun run = await Run(command);
        Assert.True(run.Code == 0, $"{command}: {run.Code}: {run.Error}");
        return run;
    }

    private Task<CommandRun> Run(string command) =>
        CommandRun.Of([
            .. command.Replace("NET", At("net.onnx")).Replace("OUT", At("out.onnx")).Replace("JSON", At("out.json")).Split(' '),
            "--quiet",
        ]);

    /// <summary>Three convolutions and a dense layer; the second convolution's kernel is w2.</summary>
    private static Graph Network(Case kernels)
    {
        Sketch sketch = new(4);
        Tensor<float> first = sketch.Random([4, 1, 3, 3], -0.5f, 0.5f),
            second = sketch.Random([6, 4, 3, 3]),
            third = sketch.Random([8, 6, 3, 3], -0.5f, 0.5f);
        for (int at = 0; at < first.Shape.ElementCount; at++)
            first.Values[at] *= kernels.Before?.Invoke(at / 9) ?? 1;
        for (int at = 0; at < second.Shape.ElementCount; at++)
            second.Values[at] = kernels.Middle(at / 36, at / 9 % 4, at / 3 % 3, at % 3, second.Values[at]);
        for (int at = 0; at < third.Shape.ElementCount; at++)
            third.Values[at] *= kernels.Behind?.Invoke(at / 9 % 6) ?? 1;
        sketch.Node("a", Padded, "x", sketch.Constant("w1", first));
        sketch.Node("b", new Relu(), "a");
        sketch.Node("c", Padded, "b", sketch.Constant("w2", second));
        sketch.Node("d", new Relu(), "c");
        sketch.Node("e", Padded, "d", sketch.Constant("w3", third));
        sketch.Node("f", new GlobalAveragePool(), "e");
        sketch.Node("g", new Flatten(), "f");
        sketch.Node("h", new Gemm { TransposeB = true }, "g", sketch.Weights("dense", [10, 8], -3, 3), sketch.Weights("bias", [10]));
        return sketch.Graph(1, 8, 8);
    }

    /// <summary>The network's answers, every node in float64 as its operation defines it.</summary>
    private static double[] Wide(Graph graph, Tensor<float> x)
    {
        Dictionary<string, Tensor> values = graph.Initializers.ToDictionary(
            static pair => pair.Key,
            static pair => pair.Value.To(ElementType.Float64)
        );
        values["x"] = x.To(ElementType.Float64);
        foreach (Node node in graph.Nodes)
            values[node.Outputs[0]] = node.Operation.Apply([.. node.Inputs.Select(input => values[input])])[0];
        return values[graph.Outputs[0].Name].Of<double>().Values.ToArray();
    }

    private string Images(Func<int, int, float> pixel, int count = 12)
    {
        Tensor<float> images = new([count, 1, 8, 8]);
        for (int at = 0; at < images.Shape.ElementCount; at++)
            images.Values[at] = pixel(at / 64, at % 64);
        NpyFile.Write(images, At("images.npy"));
        NpyFile.Write(new Tensor<long>([count], Enumerable.Range(0, count).Select(static k => (long)k % 10).ToArray()), At("labels.npy"));
        return $"npy:{At("images.npy")},{At("labels.npy")},nchw";
    }
}
