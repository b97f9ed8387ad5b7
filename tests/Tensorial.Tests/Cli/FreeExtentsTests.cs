using System.Text.Json;
using Tensorial.Compression;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Tests.Cli;

/// <summary>
/// A network whose height and width are open in its file takes those of the images, in every command that has images, and stays open in
/// what is written.
/// </summary>
public sealed class FreeExtentsTests : IDisposable
{
    private static readonly string[] Some = ["--data", "sample", "--limit", "200"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();
    private readonly Graph _fixed = OnnxFile.Read(Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx"));

    public FreeExtentsTests()
    {
        Port input = _fixed.Inputs[0];
        OnnxFile.Write(_fixed, At("fixed.onnx"));
        OnnxFile.Write(
            _fixed with
            {
                Inputs = [input with { Dimensions = [new(null, "N"), new(1), new(null, "height"), new(null)] }],
            },
            At("open.onnx")
        );
    }

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public async Task Accuracy_and_multiply_accumulates_are_those_of_the_images()
    {
        foreach (string name in (string[])["fixed", "open"])
        {
            await Runs(["evaluate", At($"{name}.onnx"), .. Some, "--json", At($"{name}.evaluation")]);
            await Runs([
                "analyze",
                At($"{name}.onnx"),
                .. Some,
                "--layers",
                "conv2.weight",
                "--cuts",
                "o|ihw",
                "--ranks",
                "4",
                "--json",
                At($"{name}.analysis"),
            ]);
        }
        foreach (string number in (string[])["top1", "loss"])
            Assert.Equal(Json("fixed.evaluation", number).GetDouble(), Json("open.evaluation", number).GetDouble(), 12);
        Assert.Equal(Json("fixed.analysis", "layers").GetRawText(), Json("open.analysis", "layers").GetRawText());
        Assert.Equal(
            Json("fixed.analysis", "truncations")[0].GetProperty("top1").GetDouble(),
            Json("open.analysis", "truncations")[0].GetProperty("top1").GetDouble()
        );
        CommandRun verified = await Runs(["verify", At("fixed.onnx"), At("open.onnx"), .. Some, "--max-difference", "0"]);
        Assert.Contains("200", verified.Output);
    }

    [Fact]
    public async Task What_is_compressed_trained_and_tuned_is_as_open_as_before()
    {
        foreach (string name in (string[])["fixed", "open"])
        {
            await Runs([
                "compress",
                At($"{name}.onnx"),
                At($"{name}.small.onnx"),
                "--target",
                "macs=0.5",
                "--format",
                "tucker2",
                "--objective",
                "size",
                .. Some,
                "--calibration",
                "64",
                "--json",
                At($"{name}.json"),
            ]);
            await Runs([
                "train",
                At($"{name}.onnx"),
                At($"{name}.trained.onnx"),
                .. Some,
                "--fresh",
                "--epochs",
                "1",
                "--batch",
                "50",
                "--test-limit",
                "50",
            ]);
            await Runs([
                "tune",
                At($"{name}.small.onnx"),
                At($"{name}.tuned.onnx"),
                "--teacher",
                At($"{name}.onnx"),
                "--mode",
                "sequential",
                .. Some,
                "--epochs",
                "1",
                "--block-images",
                "64",
                "--block-epochs",
                "1",
                "--test-limit",
                "50",
            ]);
        }
        Assert.Equal(Json("fixed.json", "after").GetProperty("macs").GetInt64(), Json("open.json", "after").GetProperty("macs").GetInt64());
        foreach (string made in (string[])["small", "trained", "tuned"])
        {
            (Graph closed, Graph open) = (OnnxFile.Read(At($"fixed.{made}.onnx")), OnnxFile.Read(At($"open.{made}.onnx")));
            Assert.Equal("N×1×height×?", string.Join('×', open.Inputs[0].Dimensions!.Value));
            foreach ((string name, Tensor value) in closed.Initializers)
                if (value is Tensor<float> weights)
                    Assert.Equal(weights.Values.ToArray(), open.Initializers[name].Of<float>().Values.ToArray());
        }
    }

    [Fact]
    public async Task Inspection_says_what_is_open()
    {
        Assert.Contains("leaves height, ? open", (await Runs(["inspect", At("open.onnx")])).Output);
        Assert.DoesNotContain("open:", (await Runs(["inspect", At("fixed.onnx")])).Output);
    }

    /// <summary>A chain that moves axes holds height and width as numbers: it would tie the file to the images it was made with.</summary>
    [Fact]
    public void No_layer_relies_on_extents_that_the_file_leaves_open()
    {
        Graph open = OnnxFile.Read(At("open.onnx"));
        Assert.All(
            LayerChoice.From(open.WithImageShape([1, 28, 28]), [], [], open).Layers,
            static layer => Assert.False(layer.HasFixedPlaces)
        );
        Assert.All(LayerChoice.From(_fixed, [], [], _fixed).Layers, static layer => Assert.True(layer.HasFixedPlaces));
    }

    [Fact]
    public void Extents_that_are_declared_stay()
    {
        Assert.Same(_fixed, _fixed.WithImageShape([3, 32, 32]));
        Assert.Same(_fixed, _fixed.WithImageShape(null));
        Graph unknown = _fixed with { Inputs = [_fixed.Inputs[0] with { Dimensions = null }] };
        Assert.Equal("batch×1×28×28", string.Join('×', unknown.WithImageShape([1, 28, 28]).Inputs[0].Dimensions!.Value));
        Assert.Equal<Port>(unknown.Inputs, unknown.WithImageShape([1, 28, 28]).WithDynamicDimensionsOf(unknown).Inputs.AsEnumerable());
    }

    private static async Task<CommandRun> Runs(string[] command)
    {
        CommandRun run = await CommandRun.Of(command);
        Assert.Equal((0, ""), (run.Code, run.Code == 0 ? "" : run.Error));
        return run;
    }

    private JsonElement Json(string file, string property) =>
        JsonDocument.Parse(File.ReadAllText(At(file))).RootElement.GetProperty(property);

    private string At(string name) => Path.Combine(_folder.FullName, name);
}
