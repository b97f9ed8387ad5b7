using System.Globalization;
using System.Text.Json;
using Tensorial.Compression;
using Tensorial.Decompositions;
using Tensorial.Onnx;
using Tensorial.Tests.Data;
using Tensorial.Tests.Decompositions;

namespace Tensorial.Tests.Cli;

/// <summary>tensorial search, and what compress makes of what it finds.</summary>
public class SearchTests
{
    private static readonly string Sample = Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");

    [Fact]
    public async Task Grown_networks_are_told_within_the_rate_and_can_be_asked_for()
    {
        using TemporaryFolder folder = new();
        string json = Path.Combine(folder.Path, "search.json");
        CommandRun run = await CommandRun.Of("search", Sample, "--rate", "0.3", "--grow", "--layers", "conv2*", "--json", json);
        Assert.Equal(0, run.Code);
        Assert.Contains("best grown network", run.Output);
        Assert.Contains("Not searched, because --layers does not name it: ", run.Output);
        using JsonDocument read = JsonDocument.Parse(File.ReadAllText(json));
        JsonElement layer = Assert.Single(read.RootElement.GetProperty("layers").EnumerateArray()),
            grown = layer.GetProperty("forms").EnumerateArray().Single(static form => form.GetProperty("kind").GetString() == "grown");
        Assert.InRange(grown.GetProperty("parameters").GetInt64(), 1, (long)(0.3 * layer.GetProperty("parameters").GetInt64()));
        // No tree is better here, and the format is one that compress takes.
        double tree = layer
            .GetProperty("forms")
            .EnumerateArray()
            .First(static form => form.GetProperty("kind").GetString() == "tree")
            .GetProperty("fittedError")
            .GetDouble();
        Assert.InRange(grown.GetProperty("fittedError").GetDouble(), 0, tree);
        _ = KernelFormat.Parse(grown.GetProperty("format").GetString()!);

        run = await CommandRun.Of("search", Sample, "--grow", "--price", "macs");
        Assert.Equal(2, run.Code);
        Assert.Contains("--grow", run.Error);
    }

    /// <summary>What is told of a tree of one bond is the singular values' tail, as NumPy computes it from the kernel and the equation.</summary>
    [OracleFact(Oracle.NumPy)]
    public async Task Predicted_and_fitted_errors_are_those_of_the_kernels()
    {
        using TemporaryFolder folder = new();
        string json = Path.Combine(folder.Path, "search.json");
        CommandRun run = await CommandRun.Of(
            "search",
            Sample,
            "--rate",
            "0.3",
            "--rate",
            "0.6",
            "--fold",
            "2",
            "--layers",
            "conv2*",
            "--layers",
            "conv3*",
            "--json",
            json
        );
        Assert.Equal(0, run.Code);
        Assert.Contains("best tree", run.Output);
        using JsonDocument read = JsonDocument.Parse(File.ReadAllText(json));
        JsonElement[] layers = [.. read.RootElement.GetProperty("layers").EnumerateArray()];
        Assert.NotEmpty(layers);
        int compared = 0;
        foreach (JsonElement layer in layers)
        {
            CompressibleLayer own = CompressibleLayer
                .Of(OnnxFile.Read(Sample))
                .Layers.Single(l => l.Name == layer.GetProperty("name").GetString());
            foreach (JsonElement form in layer.GetProperty("forms").EnumerateArray())
            {
                long parameters = form.GetProperty("parameters").GetInt64();
                Assert.True(parameters <= form.GetProperty("rate").GetDouble() * own.Parameters);
                double fitted = form.GetProperty("fittedError").GetDouble();
                if (form.TryGetProperty("predictedError", out JsonElement predicted))
                    Assert.InRange(fitted, 0, predicted.GetDouble() + 1e-9);
                if (form.TryGetProperty("leastPredicted", out JsonElement least))
                    Assert.InRange(least.GetDouble(), 0, predicted.GetDouble() + 1e-9);
                string equation = form.GetProperty("equation").GetString()!;
                if (form.GetProperty("kind").GetString() != "tree" || form.GetProperty("ranks").GetArrayLength() != 1)
                    continue;
                double expected = double.Parse(
                    Oracles.RunPython(
                        """
                        import sys, numpy as np
                        K = np.load(sys.argv[1]); inner = sys.argv[2].split(',')[0]; rank = int(sys.argv[3])
                        rows = [a for a in range(4) if 'oihw'[a] in inner]; others = [a for a in range(4) if a not in rows]
                        s = np.linalg.svd(K.transpose(rows + others).reshape(np.prod([K.shape[a] for a in rows]), -1), compute_uv=False)
                        print(repr(float(np.sqrt((s[rank:] ** 2).sum() / (s ** 2).sum()))))
                        """,
                        Some.Saved(own.Kernel, folder.Path, "kernel"),
                        equation,
                        form.GetProperty("ranks")[0].GetInt32().ToString(CultureInfo.InvariantCulture)
                    ),
                    CultureInfo.InvariantCulture
                );
                Assert.Equal(expected, fitted, 1e-6);
                Assert.Equal(expected, predicted.GetDouble(), 1e-6);
                compared++;
            }
        }
        Assert.True(compared > 0);
    }

    [Fact]
    public async Task Prices_in_multiply_accumulates_are_kept()
    {
        using TemporaryFolder folder = new();
        string json = Path.Combine(folder.Path, "search.json");
        CommandRun run = await CommandRun.Of("search", Sample, "--price", "macs", "--rate", "0.4", "--layers", "conv2*", "--json", json);
        Assert.Equal(0, run.Code);
        using JsonDocument read = JsonDocument.Parse(File.ReadAllText(json));
        JsonElement layer = read.RootElement.GetProperty("layers")[0];
        Assert.All(
            layer.GetProperty("forms").EnumerateArray(),
            form => Assert.True(form.GetProperty("macs").GetInt64() <= 0.4 * layer.GetProperty("macs").GetInt64() + 1)
        );
    }

    [Theory]
    [InlineData("search"), InlineData("decoupled-in+spatial-svd"), InlineData("rih,orw->oihw")]
    public async Task Compress_writes_what_is_found(string format)
    {
        using TemporaryFolder folder = new();
        (string small, string plan) = (Path.Combine(folder.Path, "small.onnx"), Path.Combine(folder.Path, "plan.json"));
        CommandRun planned =
                await CommandRun.Of(
                    "plan",
                    Sample,
                    "--target",
                    "conv-params=0.5",
                    "--format",
                    format,
                    "--objective",
                    "size",
                    "--out",
                    plan
                ),
            run = await CommandRun.Of("compress", Sample, small, "--plan", plan),
            again = await CommandRun.Of("verify", Sample, small);
        Assert.Equal((0, 0, 0), (planned.Code, run.Code, again.Code));
        Assert.Contains("MACs", planned.Output);
    }

    [Theory]
    [InlineData("--rate", "1.5", "above 0 and below 1")]
    [InlineData("--fold", "4", "1 to 3 parts")]
    [InlineData("--price", "time", "time")]
    public async Task Options_that_make_no_sense_are_refused(string option, string value, string reason)
    {
        CommandRun run = await CommandRun.Of("search", Sample, option, value);
        Assert.Equal(2, run.Code);
        Assert.Contains(reason, run.Error);
    }

    [Fact]
    public async Task Uniform_rates_take_a_format()
    {
        using TemporaryFolder folder = new();
        CommandRun run = await CommandRun.Of("plan", Sample, "--target", "params=0.5", "--format", "search", "--allocate", "uniform");
        Assert.Equal(3, run.Code);
        Assert.Contains("search finds many", run.Error);
    }
}
