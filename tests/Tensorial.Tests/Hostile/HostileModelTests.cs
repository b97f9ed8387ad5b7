using Google.Protobuf;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Onnx.Proto;
using Tensorial.Tests.Cli;
using Tensorial.Tests.Onnx;

namespace Tensorial.Tests.Hostile;

/// <summary>Networks of a few hundred bytes that ask for gigabytes: refused in words, or computed without them.</summary>
[Collection(nameof(Alone))]
public sealed class HostileModelTests : IDisposable
{
    /// <summary>Bytes that may be allocated in all; the libraries around us take some tens of millions.</summary>
    private const long MostBytes = 400_000_000;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    public static TheoryData<string> Cases() => [.. Models.Keys];

    private static readonly Dictionary<string, ModelProto> Models = new()
    {
        ["convolution whose padding wraps in 32 bits"] = OnImages(
            [TinyModel.Floats("w", [3, 1, 3, 3])],
            TinyModel.Node("Conv", "n", ["x", "w"], ["y"], TinyModel.Ints("pads", 16384, 16384, 16384, 16384))
        ),
        ["convolution behind a border of two thousand millions"] = OnImages(
            [TinyModel.Floats("w", [3, 1, 3, 3])],
            TinyModel.Node("Conv", "n", ["x", "w"], ["y"], TinyModel.Ints("pads", int.MaxValue, 0, int.MaxValue, 0))
        ),
        ["strided convolution behind a wide border"] = OnImages(
            [TinyModel.Floats("w", [3, 1, 3, 3])],
            TinyModel.Node(
                "Conv",
                "n",
                ["x", "w"],
                ["y"],
                TinyModel.Ints("pads", 40000, 40000, 40000, 40000),
                TinyModel.Ints("strides", 40000, 40000)
            )
        ),
        ["transposed convolution with wide strides"] = OnImages(
            [TinyModel.Floats("w", [1, 3, 3, 3])],
            TinyModel.Node("ConvTranspose", "n", ["x", "w"], ["y"], TinyModel.Ints("strides", 30000, 30000))
        ),
        ["pooling whose window is larger than any image"] = OnImages(
            [],
            TinyModel.Node(
                "MaxPool",
                "n",
                ["x"],
                ["y"],
                TinyModel.Ints("kernel_shape", 30000, 30000),
                TinyModel.Ints("pads", 15000, 15000, 15000, 15000)
            )
        ),
        ["padding"] = OnImages(
            [TinyModel.Longs("p", 0, 0, 30000, 30000, 0, 0, 30000, 30000)],
            TinyModel.Node("Pad", "n", ["x", "p"], ["y"])
        ),
        ["expansion"] = OnImages([TinyModel.Longs("s", 1, 1000, 1000, 1000)], TinyModel.Node("Expand", "n", ["c", "s"], ["y"])),
        ["constant of a shape"] = OnImages([TinyModel.Longs("s", 1000, 1000, 1000)], TinyModel.Node("ConstantOfShape", "n", ["s"], ["y"])),
        ["repetition"] = OnImages([TinyModel.Longs("s", 1, 1000, 1000, 1000)], TinyModel.Node("Tile", "n", ["x", "s"], ["y"])),
        ["range"] = OnImages(
            [TinyModel.Longs("a"), TinyModel.Scalar("first", 0), TinyModel.Scalar("last", 1_900_000_000), TinyModel.Scalar("step", 1)],
            TinyModel.Node("Range", "n", ["first", "last", "step"], ["y"])
        ),
        ["resizing"] = OnImages([TinyModel.Longs("s", 1, 1, 40000, 40000)], TinyModel.Node("Resize", "n", ["x", "", "", "s"], ["y"])),
        ["new axes without end"] = OnImages(
            [TinyModel.Longs("s", [.. Enumerable.Range(0, 100_000).Select(static axis => (long)axis)])],
            TinyModel.Node("Unsqueeze", "n", ["x", "s"], ["y"])
        ),
        ["a shape of a hundred thousand axes"] = OnImages(
            [TinyModel.Longs("s", [.. Enumerable.Repeat(1L, 100_000)])],
            TinyModel.Node("Expand", "n", ["c", "s"], ["y"])
        ),
        ["an outer product"] = OnImages(
            [TinyModel.Floats("v", [30000, 1]), TinyModel.Floats("u", [1, 30000])],
            TinyModel.Node("Mul", "m", ["v", "u"], ["a"]),
            TinyModel.Node("Mul", "n", ["a", "a"], ["y"])
        ),
        ["an equation of sixty thousand characters"] = OnImages(
            [],
            new NodeProto(TinyModel.Node("Einsum", "n", ["x"], ["y"]))
            {
                Attribute =
                {
                    new AttributeProto
                    {
                        Name = "equation",
                        Type = AttributeProto.Types.AttributeType.String,
                        S = ByteString.CopyFromUtf8(string.Join(',', Enumerable.Repeat("ab", 20_000)) + "->a"),
                    },
                },
            }
        ),
        ["two thousand constants that are folded"] = OnImages(
            [TinyModel.Longs("s", 256, 256), TinyModel.Floats("c1", [1])],
            [
                .. Enumerable
                    .Range(0, 2000)
                    .SelectMany(static i =>
                        (NodeProto[])
                            [
                                TinyModel.Node("Expand", $"e{i}", ["c1", "s"], [$"e{i}"]),
                                TinyModel.Node("Relu", $"r{i}", [$"e{i}"], [$"r{i}"]),
                            ]
                    ),
                TinyModel.Node("Relu", "n", ["x"], ["y"]),
            ]
        ),
        ["a chain of thirty thousand nodes"] = OnImages(
            [],
            [
                .. Enumerable.Range(0, 30_000).Select(static i => TinyModel.Node("Identity", "", [i == 0 ? "x" : $"v{i}"], [$"v{i + 1}"])),
                TinyModel.Node("Relu", "n", ["v30000"], ["y"]),
            ]
        ),
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task It_is_refused_or_computed_within_what_it_holds(string name)
    {
        string model = Path.Combine(_folder.FullName, "model.onnx");
        File.WriteAllBytes(model, Models[name].ToByteArray());
        NpyFile.Write(new Tensor<float>([4, 1, 4, 4]), Path.Combine(_folder.FullName, "im.npy"));
        NpyFile.Write(new Tensor<long>([4], new long[] { 0, 1, 2, 3 }), Path.Combine(_folder.FullName, "la.npy"));
        string data = $"npy:{Path.Combine(_folder.FullName, "im.npy")},{Path.Combine(_folder.FullName, "la.npy")},nchw";
        long before = GC.GetTotalAllocatedBytes();

        foreach (
            string[] command in (string[][])
                [
                    ["inspect", model],
                    ["evaluate", model, "--data", data, "--threads", "1"],
                ]
        )
        {
            CommandRun run = await CommandRun.Of(command);
            Assert.True(run.Code is 0 or 3, $"{command[0]}: exit code {run.Code}: {run.Error}");
            Assert.DoesNotContain("   at ", run.Error);
            Assert.InRange(run.Error.Length, 0, 3000);
        }
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, MostBytes);
    }

    /// <summary>One input leaves an extent open, of the other the file says nothing.</summary>
    [Fact]
    public async Task An_input_without_a_shape_beside_an_open_one_is_inspected()
    {
        ModelProto model = OnImages([], TinyModel.Node("Relu", "r", ["x"], ["r"]), TinyModel.Node("Add", "n", ["r", "other"], ["y"]));
        model.Graph.Input[0].Type.TensorType.Shape.Dim[2].ClearValue();
        model.Graph.Input.Add(new ValueInfoProto { Name = "other" });
        File.WriteAllBytes(Path.Combine(_folder.FullName, "model.onnx"), model.ToByteArray());

        CommandRun run = await CommandRun.Of("inspect", Path.Combine(_folder.FullName, "model.onnx"));

        Assert.Equal((0, true), (run.Code, run.Output.Contains("The input leaves")));
    }

    [Fact]
    public void A_message_names_node_and_extents()
    {
        InferredShapes shapes = ShapeInference.Explore(Models["padding"].Read());

        string message = Assert.Single(shapes.Failures).Reason.Message;
        Assert.Contains("'n'", message, StringComparison.Ordinal);
        Assert.Contains("60004×60004", message, StringComparison.Ordinal);
    }

    /// <summary>x [N,1,4,4] → nodes → y; "c" is a constant of one value.</summary>
    private static ModelProto OnImages(IEnumerable<TensorProto> initializers, params NodeProto[] nodes)
    {
        ModelProto model = TinyModel.Empty();
        model.Graph.Input.Add(TinyModel.Port("x", "N", 1, 4, 4));
        model.Graph.Output.Add(TinyModel.Port("y"));
        model.Graph.Initializer.Add(initializers);
        model.Graph.Initializer.Add(TinyModel.Floats("c", [1]));
        model.Graph.Node.Add(nodes);
        return model;
    }

    /// <summary>The parser runs beyond its buffer where a length is near the largest number, and says so in its own way.</summary>
    [Theory]
    [InlineData("42FCFFFFFF07")]
    [InlineData("42FFFFFFFF07")]
    [InlineData("3AFCFFFFFF07")]
    [InlineData("42FFFFFFFF0F")]
    [InlineData("42")]
    public void A_length_beyond_the_file_is_refused(string end)
    {
        byte[] bytes = [8, 3, .. Convert.FromHexString(end)];
        string path = Path.Combine(_folder.FullName, "cut.onnx");
        File.WriteAllBytes(path, bytes);
        foreach (
            Action read in new Action[] { () => OnnxFile.Read(path), () => OnnxFile.Read(bytes, path), () => OnnxFile.FingerprintOf(path) }
        )
            Assert.Contains("cut.onnx' is not an ONNX model, or a damaged one", Assert.Throws<BadInputException>(read).Message);
    }
}
