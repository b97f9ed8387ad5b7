using System.Text.Json;

namespace Tensorial.Tests.Cli;

/// <summary>Small networks that once failed, in ../shared/cases where that is there: each with what must come out.</summary>
public sealed class SharedCaseTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    private static string Case(string name) => Path.Combine(Oracles.Cases, "networks", name);

    public void Dispose() => _folder.Delete(true);

    [OracleTheory(Oracle.SharedCases)]
    [InlineData("ir3-inputs/ir3.onnx", "params=0.5")]
    [InlineData("weight-norm/wn.onnx", "params=0.6")]
    [InlineData("shared-params/siamese.onnx", "params=0.6")]
    // The least that it names itself.
    [InlineData("shared-params/bias.onnx", "params=0.05854736260701464")]
    [InlineData("torchnets/dense.onnx", "params=0.7")]
    [InlineData("conv1d3d/one.onnx", "params=0.6")]
    [InlineData("conv1d3d/three.onnx", "params=0.6")]
    [InlineData("dtypes/f16io.onnx", "params=0.6")]
    [InlineData("nhwc/hwio4.onnx", "params=0.6")]
    [InlineData("names/dup.onnx", "params=0.6")]
    public async Task Compresses(string name, string target)
    {
        string output = Path.Combine(_folder.FullName, "small.onnx");
        CommandRun run = await CommandRun.Of("compress", Case(name), output, "--target", target);
        Assert.Equal((0, ""), (run.Code, run.Code == 0 ? "" : run.Error));
        Assert.True(new FileInfo(output).Length < new FileInfo(Case(name)).Length);
    }

    [OracleTheory(Oracle.SharedCases)]
    [InlineData("degenerate/net.onnx", "degenerate/same_i.npy", "degenerate/same_l.npy", "rcp:2")]
    public async Task Compresses_on_images_that_are_all_the_same(string name, string images, string labels, string format)
    {
        CommandRun run = await CommandRun.Of(
            "compress",
            Case(name),
            Path.Combine(_folder.FullName, "small.onnx"),
            "--target",
            "params=0.7",
            "--format",
            format,
            "--data",
            $"npy:{Case(images)},{Case(labels)}"
        );
        Assert.Equal((0, ""), (run.Code, run.Code == 0 ? "" : run.Error));
    }

    [OracleTheory(Oracle.SharedCases)]
    [InlineData("preact-bn/preact.onnx"), InlineData("preact-bn/norelu.onnx"), InlineData("shared-bn/twice.onnx")]
    [InlineData("shared-params/bn.onnx"), InlineData("shared-params/siamese.onnx"), InlineData("weight-norm/wn.onnx")]
    [InlineData("frozen/addbias.onnx"), InlineData("frozen/groupnorm.onnx"), InlineData("frozen/layernorm.onnx")]
    [InlineData("frozen/layerscale.onnx"), InlineData("frozen/muladd.onnx")]
    [InlineData("dtypes/f16.onnx"), InlineData("dtypes/f16io.onnx"), InlineData("dtypes/f64.onnx")]
    public async Task Trains_everything(string name)
    {
        CommandRun run = await CommandRun.Of(
            "train",
            Case(name),
            Path.Combine(_folder.FullName, "trained.onnx"),
            "--data",
            "sample",
            "--limit",
            "64",
            "--epochs",
            "1",
            "--batch",
            "16",
            "--lr",
            "0.01",
            "--no-test"
        );
        Assert.Equal((0, ""), (run.Code, run.Code == 0 ? "" : run.Error));
        Assert.DoesNotContain("not trained", run.Error);
    }

    /// <summary>The same function, whether constants are read directly, through Identity, or from Constant nodes.</summary>
    [OracleFact(Oracle.SharedCases)]
    public async Task Normalisations_renew_their_statistics_however_they_are_written()
    {
        List<double> reached = [];
        foreach (string how in (string[])["direct", "identity", "constbn"])
        {
            string json = Path.Combine(_folder.FullName, $"{how}.json");
            CommandRun run = await CommandRun.Of(
                "train",
                Case($"bn-identity/{how}.onnx"),
                Path.Combine(_folder.FullName, $"{how}.onnx"),
                "--epochs",
                "8",
                "--batch",
                "25",
                "--optimizer",
                "nesterov",
                "--lr",
                "0.1",
                "--data",
                "sample",
                "--limit",
                "500",
                "--test-limit",
                "500",
                "--json",
                json
            );
            Assert.Equal((0, ""), (run.Code, run.Code == 0 ? "" : run.Error));
            using JsonDocument result = JsonDocument.Parse(File.ReadAllBytes(json));
            reached.Add(result.RootElement.GetProperty("epochs")[7].GetProperty("testTop1").GetDouble());
        }
        Assert.Single(reached.Distinct());
        // Roundings decide about an image or two of the 500.
        Assert.Equal(0.764, reached[0], 0.0061);
    }

    [OracleFact(Oracle.SharedCases)]
    public async Task Fewer_classes_than_outputs_train()
    {
        CommandRun run = await CommandRun.Of(
            "train",
            Case("data/net26_1.onnx"),
            Path.Combine(_folder.FullName, "trained.onnx"),
            "--epochs",
            "1",
            "--data",
            $"npy:{Case("data/few_i.npy")},{Case("data/few_l.npy")}"
        );
        Assert.Equal((0, ""), (run.Code, run.Code == 0 ? "" : run.Error));
    }

    [OracleFact(Oracle.SharedCases)]
    public async Task Blocks_are_found_beside_an_auxiliary_head()
    {
        string small = Path.Combine(_folder.FullName, "small.onnx"),
            tuned = Path.Combine(_folder.FullName, "tuned.onnx");
        CommandRun compressed = await CommandRun.Of("compress", Case("inout/aux.onnx"), small, "--target", "params=0.6");
        Assert.Equal((0, ""), (compressed.Code, compressed.Code == 0 ? "" : compressed.Error));
        CommandRun run = await CommandRun.Of(
            "tune",
            small,
            tuned,
            "--teacher",
            Case("inout/aux.onnx"),
            "--mode",
            "sequential",
            "--data",
            "sample",
            "--limit",
            "64"
        );
        Assert.Equal((0, ""), (run.Code, run.Code == 0 ? "" : run.Error));
    }
}
