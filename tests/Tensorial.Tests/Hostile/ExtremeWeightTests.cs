using System.Text.Json;
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
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    private readonly List<string> _wrong = [];

    public void Dispose() => _folder.Delete(true);

    private string At(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>The middle kernel [8, 6, 3, 3] by output, input, height, width and what it would be.</summary>
    private static readonly Dictionary<string, Func<int, int, int, int, float, float>> Kernels = new()
    {
        ["usual"] = static (o, i, h, w, value) => value,
        ["zeros"] = static (o, i, h, w, value) => 0,
        ["output channels of zeros"] = static (o, i, h, w, value) => o < 3 ? 0 : value,
        ["input channels of zeros"] = static (o, i, h, w, value) => i < 3 ? 0 : value,
        ["rank one"] = static (o, i, h, w, value) => 0.01f * (o + 1) * (i - 1.5f) * (h + 0.5f) * (w - 1.5f),
        ["channels of 1e-15 and 1e15"] = static (o, i, h, w, value) => value * (o % 2 == 0 ? 1e-15f : 1e15f),
        ["inputs of 1e-15 and 1e15"] = static (o, i, h, w, value) => value * (i % 2 == 0 ? 1e-15f : 1e15f),
        ["near the largest float32"] = static (o, i, h, w, value) => value * 1e38f,
        ["subnormal"] = static (o, i, h, w, value) => value * 1e-41f,
    };

    public static TheoryData<string> Names => [.. Kernels.Keys];

    private static readonly string[] Fitted = ["svd-out", "tucker2", "cp3", "tt", "tr", "decoupled-in", "auto"];

    private static readonly string[] Unseen =
    [
        .. Tensorial.Decompositions.KernelFormat.All.Select(static format => format.Name),
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_network_is_handled(string name)
    {
        Write(Kernels[name]);
        string data = Images((image, at) => MathF.Sin(image * 37 + at * 1.3f));
        await Try("inspect", At("net.onnx"));
        await Try("analyze", At("net.onnx"), "--json", At("spectra.json"));
        await Try("plan", At("net.onnx"), "--target", "params=0.7", "--objective", "size", "--out", At("plan.json"));
        await Try("search", At("net.onnx"), "--rate", "0.5", "--json", At("search.json"));
        foreach (string format in Unseen)
            await Compress(name, format);
        foreach (string format in Fitted)
            await Compress(name, format, data);
        if (File.Exists(At("tucker2.onnx")))
            await Try(
                [.. $"tune {At("tucker2.onnx")} {At("tuned.onnx")} --teacher {At("net.onnx")} --epochs 1 --batch 8 --no-test --data {data}".Split(' ')]
            );
        Assert.True(_wrong.Count == 0, string.Join('\n', _wrong));
    }

    [Theory]
    [InlineData("equal images", 12)]
    [InlineData("images of zeros", 12)]
    [InlineData("one image", 1)]
    [InlineData("a dead channel", 12)]
    [InlineData("tiny pixels", 12)]
    [InlineData("huge pixels", 12)]
    public async Task Images_without_variation_are_handled(string name, int count)
    {
        Write(Kernels["usual"]);
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
        foreach (string format in Fitted)
            await Compress(name, format, data);
        Assert.True(_wrong.Count == 0, string.Join('\n', _wrong));
    }

    private async Task Compress(string name, string format, string? data = null)
    {
        string output = At($"{format}.onnx"),
            where = $"{format}{(data is null ? "" : " with images")}";
        File.Delete(output);
        string[] arguments =
        [
            .. $"compress {At("net.onnx")} {output} --target params=0.75 --objective size --format {format} --json {At("c.json")} --layers w2".Split(
                ' '
            ),
            .. data is null ? Array.Empty<string>() : ["--data", data],
        ];
        CommandRun run = await Try(arguments);
        if (run.Code != 0)
            return;
        JsonElement layer = JsonDocument
            .Parse(File.ReadAllBytes(At("c.json")))
            .RootElement.GetProperty("layers")
            .EnumerateArray()
            .Single(static layer => layer.GetProperty("name").GetString() == "w2");
        if (!layer.TryGetProperty("relativeError", out JsonElement error))
            _wrong.Add($"{where}: kept because {layer.GetProperty("keptBecause")}");
        else if (!(error.GetDouble() is >= 0 and <= 1 + 1e-6) || name == "rank one" && !(error.GetDouble() <= 1e-3))
            _wrong.Add($"{where}: the error is {error.GetDouble()}");
        Graph written = OnnxFile.Read(output);
        foreach ((string constant, Tensor value) in written.Initializers)
            if (value is Tensor<float> floats && floats.Values.ToArray().Any(static v => !float.IsFinite(v)))
                _wrong.Add($"{where}: '{constant}' holds values that are not finite");
    }

    /// <summary>Runs a command: done, or refused in one sentence.</summary>
    private async Task<CommandRun> Try(params string[] arguments)
    {
        CommandRun run = await CommandRun.Of([.. arguments, "--quiet", .. arguments[0] is "inspect" ? Array.Empty<string>() : ["--threads", "1"]]);
        if (run.Code != 0)
            _wrong.Add($"{string.Join(' ', arguments)}: {run.Code} {run.Error}");
        return run;
    }

    /// <summary>Three convolutions and a dense layer; the second convolution's kernel is w2.</summary>
    private void Write(Func<int, int, int, int, float, float> second)
    {
        Sketch sketch = new(4);
        sketch.Node("a", new Convolution { Pads = [1, 1, 1, 1] }, "x", sketch.Weights("w1", [6, 1, 3, 3]));
        sketch.Node("b", new Relu(), "a");
        Tensor<float> kernel = sketch.Random([8, 6, 3, 3]);
        for (int at = 0; at < kernel.Shape.ElementCount; at++)
            kernel.Values[at] = second(at / 54, at / 9 % 6, at / 3 % 3, at % 3, kernel.Values[at]);
        sketch.Node("c", new Convolution { Pads = [1, 1, 1, 1] }, "b", sketch.Constant("w2", kernel));
        sketch.Node("d", new Relu(), "c");
        sketch.Node("e", new Convolution { Pads = [1, 1, 1, 1] }, "d", sketch.Weights("w3", [8, 8, 3, 3]));
        sketch.Node("f", new Relu(), "e");
        sketch.Node("g", new GlobalAveragePool(), "f");
        sketch.Node("h", new Flatten(), "g");
        sketch.Node("i", new Gemm { TransposeB = true }, "h", sketch.Weights("dense", [10, 8], -3, 3));
        OnnxFile.Write(sketch.Graph(1, 8, 8), At("net.onnx"));
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
