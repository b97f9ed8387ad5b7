using System.Globalization;
using System.Text.Json;
using Tensorial.Graphs;
using Tensorial.Tests.Data;

namespace Tensorial.Tests.Cli;

/// <summary>tensorial compare: formats at equal sizes.</summary>
public sealed class CompareTests
{
    private static string Sample => Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");

    /// <summary>The norm loss that singular values past a rank leave, of a kernel as a matrix with o in its rows.</summary>
    private const string NormLoss = """
        import numpy, sys
        kernel = numpy.load(sys.argv[1])
        s = numpy.linalg.svd(kernel.reshape(len(kernel), -1).astype(numpy.float64), compute_uv=False)
        for rank in sys.argv[2:]:
            print(numpy.sqrt((s[int(rank):] ** 2).sum() / (s ** 2).sum()))
        """;

    private static JsonElement[] Rows(JsonElement root, string name) => [.. root.GetProperty(name).EnumerateArray()];

    [OracleFact(Oracle.NumPy)]
    public async Task Errors_of_svd_are_those_of_numpy()
    {
        using TemporaryFolder folder = new();
        string json = Path.Combine(folder.Path, "compare.json"),
            kernel = Path.Combine(folder.Path, "kernel.npy");
        CommandRun run = await CommandRun.Of(
            "compare",
            Sample,
            "--formats",
            "svd-out",
            "--rates",
            "0.2,0.5",
            "--layers",
            "dense*",
            "--json",
            json
        );
        Assert.Equal((0, ""), (run.Code, run.Error));
        Graph graph = Tensorial.Onnx.OnnxFile.Read(Sample);
        NpyFile.Write((Tensor<float>)graph.Initializers["dense.weight"], kernel);
        JsonElement[] layers = Rows(JsonDocument.Parse(File.ReadAllText(json)).RootElement, "layers");
        Assert.Equal(2, layers.Length);
        // 10×576: a rank costs 586 numbers of 5,760. No batch norm behind it scales its answers.
        Assert.Equal([1, 4], layers.Select(static row => row.GetProperty("ranks")[0].GetInt32()));
        double[] expected =
        [
            .. Oracles
                .RunPython(NormLoss, kernel, "1", "4")
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(static line => double.Parse(line, CultureInfo.InvariantCulture)),
        ];
        foreach ((double right, JsonElement row) in expected.Zip(layers))
            Assert.Equal(right, row.GetProperty("relativeError").GetDouble(), 1e-6);
    }

    [Fact]
    public async Task Formats_are_compared_on_the_same_layers_within_the_same_sizes()
    {
        using TemporaryFolder folder = new();
        string json = Path.Combine(folder.Path, "compare.json"),
            html = Path.Combine(folder.Path, "compare.html"),
            csv = Path.Combine(folder.Path, "csv");
        CommandRun run = await CommandRun.Of(
            "compare",
            Sample,
            "--formats",
            "svd-out,tucker2",
            "--formats",
            "tt",
            "--rates",
            "0.5,0.25",
            "--json",
            json,
            "--csv",
            csv,
            "--report",
            html
        );
        Assert.Equal((0, ""), (run.Code, run.Error));
        JsonElement root = JsonDocument.Parse(File.ReadAllText(json)).RootElement;
        JsonElement[] networks = Rows(root, "networks"),
            layers = Rows(root, "layers");
        Assert.Equal(6, networks.Length);
        Assert.Equal(12, layers.Length);
        Assert.Equal(["conv2.weight", "conv3.weight"], layers.Select(static row => row.GetProperty("name").GetString()).Distinct());
        foreach (JsonElement row in layers)
            Assert.InRange(
                row.GetProperty("parameters").GetInt64(),
                1,
                (long)(row.GetProperty("rate").GetDouble() * row.GetProperty("parametersBefore").GetInt64())
            );
        foreach (JsonElement row in networks)
        {
            JsonElement[] own =
            [
                .. layers.Where(layer =>
                    layer.GetProperty("format").GetString() == row.GetProperty("format").GetString()
                    && layer.GetProperty("rate").GetDouble() == row.GetProperty("rate").GetDouble()
                ),
            ];
            Assert.Equal(
                own.Sum(static layer => layer.GetProperty("parameters").GetInt64()),
                row.GetProperty("layerParameters").GetInt64()
            );
            Assert.Equal(
                root.GetProperty("parameters").GetInt64() - root.GetProperty("layerParameters").GetInt64(),
                row.GetProperty("parameters").GetInt64() - row.GetProperty("layerParameters").GetInt64()
            );
            // What is not dominated has no other that is smaller and better.
            bool beaten = networks.Any(other =>
                other.GetProperty("parameters").GetInt64() < row.GetProperty("parameters").GetInt64()
                && other.GetProperty("relativeError").GetDouble() < row.GetProperty("relativeError").GetDouble()
            );
            Assert.True(!beaten || row.GetProperty("dominated").GetBoolean());
        }
        Assert.Contains("it does not suit tucker2, tt", run.Output);
        Assert.Equal(7, File.ReadAllLines(Path.Combine(csv, "networks.csv")).Length);
        Assert.Equal(13, File.ReadAllLines(Path.Combine(csv, "layers.csv")).Length);
        Assert.Contains("runner-up", File.ReadAllText(html));
    }

    /// <summary>At nearly all of their parameters networks answer nearly as the dense one does, and worse at fewer.</summary>
    [Fact]
    public async Task With_data_damage_and_accuracy_are_measured()
    {
        using TemporaryFolder folder = new();
        string json = Path.Combine(folder.Path, "compare.json");
        CommandRun run = await CommandRun.Of(
            "compare",
            Sample,
            "--formats",
            "tucker2",
            "--rates",
            "0.1,0.9",
            "--layers",
            "conv3*",
            "--data",
            "sample",
            "--limit",
            "200",
            "--calibration",
            "200",
            "--json",
            json
        );
        Assert.Equal((0, ""), (run.Code, run.Error));
        JsonElement root = JsonDocument.Parse(File.ReadAllText(json)).RootElement;
        JsonElement[] networks = Rows(root, "networks"),
            layers = Rows(root, "layers");
        double dense = root.GetProperty("dense").GetProperty("top1").GetDouble();
        Assert.InRange(dense - networks[1].GetProperty("top1").GetDouble(), -0.02, 0.02);
        Assert.True(networks[0].GetProperty("klDivergence").GetDouble() > networks[1].GetProperty("klDivergence").GetDouble());
        Assert.True(layers[0].GetProperty("sensitivity").GetDouble() > layers[1].GetProperty("sensitivity").GetDouble());
    }

    [Theory]
    [InlineData("tt,tr,rih,orw->oihw", "tt", "tr", "rih,orw->oihw")]
    [InlineData("svd-out,ri,sr,shw,os->oihw,tt", "svd-out", "ri,sr,shw,os->oihw", "tt")]
    [InlineData("rcp:3,spatial-svd+rih,orw->oihw,cp3", "rcp:3", "spatial-svd+rih,orw->oihw", "cp3")]
    public async Task An_equation_stands_among_names(string formats, params string[] expected)
    {
        using TemporaryFolder folder = new();
        string json = Path.Combine(folder.Path, "compare.json");
        CommandRun run = await CommandRun.Of(
            "compare",
            Sample,
            "--formats",
            formats,
            "--rates",
            "0.3",
            "--layers",
            "conv2*",
            "--json",
            json
        );
        Assert.Equal((0, ""), (run.Code, run.Error));
        JsonElement[] networks = Rows(JsonDocument.Parse(File.ReadAllText(json)).RootElement, "networks");
        Assert.Equal(expected, networks.Select(static row => row.GetProperty("format").GetString()));
    }

    [Theory]
    [InlineData("--formats tucker2,zip", 2, "zip")]
    [InlineData("--formats tuker2", 2, "Did you mean tucker2?")]
    [InlineData("--rates 0.5,1.5", 2, "above 0 and below 1")]
    [InlineData("--formats tucker2 --layers dense*", 3, "No layer suits all of tucker2")]
    public async Task What_cannot_be_compared_is_refused(string words, int code, string named)
    {
        CommandRun run = await CommandRun.Of(["compare", Sample, .. words.Split(' ')]);
        Assert.Equal(code, run.Code);
        Assert.Contains(named, run.Error);
    }
}
