using System.Text.Json;
using Tensorial.Compression;
using Tensorial.Data;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Cli;

/// <summary>Networks whose samples are no images, or whose values put another axis before that of the samples, in commands that take data.</summary>
public sealed class OtherSamplesTests : IDisposable
{
    private static readonly string[] Size = ["--target", "params=0.75", "--format", "svd-out", "--objective", "size"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    /// <summary>A recurrent network that puts time first, as PyTorch's do, and answers so.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public async Task Time_may_come_before_the_samples(bool isFixed)
    {
        Graph graph = TimeFirst();
        if (isFixed)
            graph = graph.WithBatch(1);
        OnnxFile.Write(graph, At("net.onnx"));
        NpyFile.Write(new Sketch(3).Random([24, 12, 8]), At("x.npy"));
        string[] data = ["--data", $"npy:{At("x.npy")}"];
        await Works(["compress", At("net.onnx"), At("small.onnx"), .. Size, "--calibration", "16", .. data]);
        double before = await Error("small.onnx", data);
        string[] tuning = ["--teacher", At("net.onnx"), "--epochs", "2", "--batch", "4", .. data, "--no-test"];
        await Works(["tune", At("small.onnx"), At("tuned.onnx"), .. tuning]);
        await Works(["tune", At("small.onnx"), At("blocks.onnx"), "--mode", "sequential", "--block-epochs", "2", .. tuning]);
        foreach (string tuned in (string[])["tuned.onnx", "blocks.onnx"])
        {
            Assert.Equal(graph.Outputs[0].Name, Assert.Single(OnnxFile.Read(At(tuned)).Outputs).Name);
            Assert.True(await Error(tuned, data) < before, tuned);
        }
    }

    /// <summary>What a layer reads has the same moments whatever axis its samples lie along, and whether or not the file fixes the batch.</summary>
    [Fact]
    public void Moments_do_not_depend_on_the_order_of_axes()
    {
        ImageSet images = new("x", new Sketch(3).Random([7, 12, 8]), Normalization.None);
        Tensor<double> plain = MomentsOf(Sums(timeFirst: false));
        foreach (Graph graph in (Graph[])[Sums(timeFirst: true), Sums(timeFirst: true).WithBatch(1), Sums(timeFirst: false).WithBatch(1)])
        {
            Tensor<double> other = MomentsOf(graph);
            for (int k = 0; k < plain.Values.Length; k++)
                Assert.Equal(plain.Values[k], other.Values[k], 1e-5);
        }

        Tensor<double> MomentsOf(Graph graph) =>
            InputMoments
                .From(CompressibleLayer.Of(graph).Layers.Single(), graph, null, images, 5, 2, CancellationToken.None)
                .Own(centred: false);
    }

    /// <summary>Tokens are read as they are, not as pixels.</summary>
    [Fact]
    public async Task Whole_numbers_are_no_pixels()
    {
        Graph graph = Tokens(32, 500);
        Tensor<float> table = graph.Initializers["table"].Of<float>().Clone();
        table.Values[^1] += 1;
        OnnxFile.Write(graph, At("net.onnx"));
        OnnxFile.Write(graph.With("table", table), At("other.onnx"));
        NpyFile.Write(new Tensor<long>([3, 4], new long[] { 1, 2, 3, 4, 5, 6, 7, 499, 8, 9, 10, 11 }), At("x.npy"));

        Assert.True(await Error("other.onnx", "--data", $"npy:{At("x.npy")}") > 0);
        await Refuses(
            "so they are not images",
            "samples come from npy:FILE",
            "verify",
            At("net.onnx"),
            At("other.onnx"),
            "--data",
            "sample"
        );
        foreach (
            string[] command in (string[][])
                [
                    ["compress", At("net.onnx"), At("small.onnx"), .. Size],
                    ["analyze", At("net.onnx")],
                ]
        )
            await Refuses(command[0], "Leave --data out", [.. command, "--data", $"npy:{At("x.npy")}"]);
    }

    /// <summary>A rate or a switch is one number for all samples.</summary>
    [Fact]
    public async Task A_single_number_is_the_same_for_all_samples()
    {
        Sketch net = new();
        net.Node("y", new Mul(), net.Node("m", new MatMul(), "x", net.Weights("w", [8, 6])), "rate");
        Graph graph = net.Graph(8);
        graph = graph with { Inputs = [.. graph.Inputs, new("rate", ElementType.Float32, [])] };
        OnnxFile.Write(graph, At("net.onnx"));
        OnnxFile.Write(graph.With("w", new Sketch(7).Random([8, 6])), At("other.onnx"));
        NpzFile.Write(
            At("x.npz"),
            new Dictionary<string, Tensor> { ["x"] = new Sketch(3).Random([5, 8]), ["rate"] = new Tensor<float>([], new[] { 2f }) }
        );
        Assert.True(await Error("other.onnx", "--data", $"npz:{At("x.npz")}") > 0);
    }

    /// <summary>A table of 32 positions is shorter than the extents guessed first.</summary>
    [Fact]
    public async Task Open_extents_may_have_to_be_short()
    {
        OnnxFile.Write(Tokens(32, 50), At("net.onnx"));
        await Works(["compress", At("net.onnx"), At("small.onnx"), "--layers", "w", "--target", "params=0.95", .. Size[2..]]);
    }

    private static Graph TimeFirst()
    {
        Sketch net = new();
        net.Node("a", new Relu(), net.Node("m", new MatMul(), "x", net.Weights("w0", [8, 24])));
        net.Node("t", new Transpose([1, 0, 2]), net.Node("n", new MatMul(), "a", net.Weights("w3", [24, 24])));
        net.Node("lstm", new Lstm(), "t", net.Weights("W", [1, 64, 24]), net.Weights("R", [1, 64, 16]));
        net.Node("flat", new Squeeze { Axes = [1] }, "lstm");
        net.Node("y", new MatMul(), net.Node("r", new MatMul(), "flat", net.Weights("w1", [16, 16])), net.Weights("w2", [16, 12]));
        return net.Graph(12, 8);
    }

    private static Graph Sums(bool timeFirst)
    {
        Sketch net = new();
        net.Node("t", new Transpose(timeFirst ? [1, 0, 2] : [0, 1, 2]), net.Node("r", new Relu(), "x"));
        net.Node("y", new MatMul(), net.Node("e", new Exp(), "t"), net.Weights("w", [8, 6]));
        return net.Graph(12, 8);
    }

    /// <summary>Embeddings of tokens [N, T] and of so many positions, and a dense layer.</summary>
    private static Graph Tokens(int positions, int words)
    {
        Sketch net = new();
        net.Constant("zero", new Tensor<long>([], new long[] { 0 }));
        net.Constant("one", new Tensor<long>([], new long[] { 1 }));
        net.Node("length", new Gather(0), net.Node("shape", new ShapeOf(), "x"), "one");
        net.Node("places", new Tensorial.Operations.Range(), "zero", "length", "one");
        net.Node("at", new Gather(0), net.Weights("positions", [positions, 16]), "places");
        net.Node("word", new Gather(0), net.Weights("table", [words, 16]), "x");
        net.Node("y", new MatMul(), net.Node("sum", new Add(), "word", "at"), net.Weights("w", [16, 16]));
        return net.Graph(1) with { Inputs = [new("x", ElementType.Int64, [new Dimension(null, "batch"), new Dimension(null, "length")])] };
    }

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private async Task<double> Error(string small, params string[] data)
    {
        await Works(["verify", At("net.onnx"), At(small), .. data, "--json", At("verify.json")]);
        return JsonDocument
            .Parse(File.ReadAllBytes(At("verify.json")))
            .RootElement.GetProperty("result")
            .GetProperty("outputs")[0]
            .GetProperty("relativeError")
            .GetDouble();
    }

    private static async Task Refuses(string why, string sentence, params string[] arguments)
    {
        CommandRun run = await CommandRun.Of(arguments);
        Assert.True(run.Code == 3, $"{why}: {run.Code} {run.Error}");
        Assert.Contains(sentence, run.Error, StringComparison.Ordinal);
    }

    private static async Task Works(string[] arguments)
    {
        CommandRun run = await CommandRun.Of(arguments);
        Assert.True(run.Code == 0, $"{string.Join(' ', arguments)}: {run.Code} {run.Error}");
    }
}
