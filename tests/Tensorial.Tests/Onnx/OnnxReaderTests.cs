using System.Runtime.InteropServices;
using Google.Protobuf;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Onnx.Proto;
using Tensorial.Operations;
using DataType = Tensorial.Onnx.Proto.TensorProto.Types.DataType;

namespace Tensorial.Tests.Onnx;

public class OnnxReaderTests
{
    /// <summary>Each way to be wrong, and words that the message must hold: the thing at fault and both values.</summary>
    private static readonly Dictionary<string, (Action<ModelProto> Damage, string[] Words)> Wrongs = new()
    {
        ["no graph"] = (static m => m.Graph = null, ["no graph"]),
        ["no operator set"] = (static m => m.OpsetImport.Clear(), ["operator set"]),
        ["old operator set"] = (static m => m.OpsetImport[0].Version = 6, ["version 6", "7 to 25"]),
        ["new operator set"] = (static m => m.OpsetImport[0].Version = 26, ["version 26", "7 to 25"]),
        ["negative extent"] = (static m => m.Graph.Initializer[0].Dims[1] = -2, ["'w'", "-2", "axis 1"]),
        ["overflowing extents"] = (static m => Dims(m, 1 << 20, 1 << 20, 1 << 20, 1 << 20), ["'w'", "too large"]),
        ["huge extent"] = (static m => Dims(m, long.MaxValue), ["'w'", "9223372036854775807"]),
        ["too many axes"] = (static m => m.Graph.Initializer[0].Dims.AddRange(Enumerable.Repeat(1L, 100)), ["'w'", "104 axes"]),
        ["too little data"] = (
            static m => m.Graph.Initializer[0].RawData = ByteString.CopyFrom(new byte[100]),
            ["'w'", "3×2×3×3", "216", "100"]
        ),
        ["claimed gigabytes"] = (static m => Dims(m, 30_000, 30_000), ["'w'", "3,600,000,000", "216"]),
        ["missing data"] = (static m => m.Graph.Initializer[0].ClearRawData(), ["'w'", "54", "0 are stored"]),
        ["too many typed values"] = (
            static m => (m.Graph.Initializer[1].RawData, _) = (ByteString.Empty, Add(m.Graph.Initializer[1].FloatData, 1, 2, 3, 4)),
            ["'b'", "3 values", "4 are stored"]
        ),
        ["a segment"] = (static m => m.Graph.Initializer[0].Segment = new() { Begin = 0, End = 2 }, ["'w'", "segment"]),
        ["nameless initializer"] = (static m => m.Graph.Initializer[0].ClearName(), ["initializer", "no name"]),
        ["two initializers of a name"] = (static m => m.Graph.Initializer[1].Name = "w", ["two", "'w'"]),
        ["two inputs of a name"] = (static m => m.Graph.Input.Add(m.Graph.Input[0].Clone()), ["Two inputs", "'x'"]),
        ["a value defined twice"] = (static m => m.Graph.Node[1].Output[0] = "c", ["'c'", "more than once", "'relu'"]),
        ["a value nobody makes"] = (static m => m.Graph.Node[1].Input[0] = "nothing", ["'relu'", "'nothing'"]),
        ["an output nobody makes"] = (static m => m.Graph.Output[0].Name = "z", ["'z'"]),
        ["a cycle"] = (static m => m.Graph.Node[0].Input[0] = "f", ["'conv'", "'relu'", "'flatten'", "cycle"]),
        ["a node that reads itself"] = (static m => m.Graph.Node[1].Input[0] = "r", ["'relu'", "cycle"]),
        ["an attribute twice"] = (static m => m.Graph.Node[2].Attribute.Add(TinyModel.Int("axis", 2)), ["'flatten'", "'axis'", "twice"]),
        ["an attribute of another type"] = (
            static m => m.Graph.Node[2].Attribute[0] = TinyModel.Ints("axis", 1),
            ["'flatten'", "'axis'", "integer"]
        ),
        ["a tensor attribute without tensor"] = (
            static m => m.Graph.Node[2].Attribute[0] = TinyModel.Tensor("axis", null!),
            ["'flatten'", "'axis'"]
        ),
        ["external data of a model in memory"] = (
            static m => m.Graph.Initializer[0] = TinyModel.External("w", [3, 2, 3, 3], ("location", "w.bin")),
            ["'w'", "'w.bin'"]
        ),
    };

    public static TheoryData<string> WrongModels() => [.. Wrongs.Keys];

    [Theory]
    [MemberData(nameof(WrongModels))]
    public void A_wrong_model_is_refused_in_words(string wrong)
    {
        ModelProto model = TinyModel.Convolutional();
        Wrongs[wrong].Damage(model);
        BadInputException error = Assert.ThrowsAny<BadInputException>(() => model.Read());
        Assert.All([.. Wrongs[wrong].Words, "'tiny.onnx'"], word => Assert.Contains(word, error.Message));
    }

    [Fact]
    public void Nodes_out_of_order_are_sorted_and_others_keep_their_order()
    {
        ModelProto model = TinyModel.Convolutional();
        NodeProto[] nodes = [.. model.Graph.Node];
        (model.Graph.Node[0], model.Graph.Node[3]) = (nodes[3], nodes[0]);
        Assert.Equal(["conv", "relu", "flatten", "dense"], model.Read().Nodes.Select(static node => node.Name));
        Assert.Equal(["conv", "relu", "flatten", "dense"], TinyModel.Convolutional().Read().Nodes.Select(static node => node.Name));
    }

    [Fact]
    public void A_chain_of_a_hundred_thousand_nodes_is_no_problem()
    {
        const int Length = 100_000;
        NodeProto[] nodes =
        [
            .. Enumerable
                .Range(0, Length)
                .Select(static i => TinyModel.Node("Relu", "", [i == 0 ? "x" : $"v{i}"], [i == Length - 1 ? "y" : $"v{i + 1}"])),
        ];
        Array.Reverse(nodes);
        Graph graph = TinyModel.Of([], nodes).Read();
        Assert.Equal("v1", graph.Nodes[0].Outputs[0]);
    }

    [Fact]
    public void Bodies_deeper_than_the_format_allows_are_refused()
    {
        GraphProto body = new() { Name = "innermost" };
        for (int depth = 0; depth < 200; depth++)
            body = new()
            {
                Name = $"body {depth}",
                Node = { TinyModel.Node("If", "if", ["x"], ["y"], TinyModel.Body("then_branch", body)) },
            };
        ModelProto model = TinyModel.Empty();
        model.Graph = body;
        Assert.ThrowsAny<BadInputException>(() => model.Read());
    }

    [Fact]
    public void What_a_body_reads_from_around_it_comes_first()
    {
        GraphProto branch = new()
        {
            Name = "branch",
            Output = { TinyModel.Port("z") },
            Node = { TinyModel.Node("Neg", "neg", ["late"], ["z"]) },
        };
        ModelProto model = TinyModel.Of(
            [],
            TinyModel.Node("If", "if", ["x"], ["y"], TinyModel.Body("then_branch", branch), TinyModel.Body("else_branch", branch.Clone())),
            TinyModel.Node("Relu", "relu", ["x"], ["late"])
        );
        Graph graph = model.Read();
        Assert.Equal(["relu", "if"], graph.Nodes.Select(static node => node.Name));
        Assert.Equal<string>(["x", "late"], graph.Nodes[1].Reads);

        branch.Node[0].Input[0] = "nowhere";
        Assert.Contains(
            "'nowhere'",
            Assert
                .Throws<BadInputException>(() =>
                    TinyModel
                        .Of(
                            [],
                            TinyModel.Node(
                                "If",
                                "if",
                                ["x"],
                                ["y"],
                                TinyModel.Body("then_branch", branch),
                                TinyModel.Body("else_branch", branch)
                            )
                        )
                        .Read()
                )
                .Message
        );
    }

    [Fact]
    public void Every_type_reads_the_same_from_bytes_and_from_its_list()
    {
        (TensorProto Raw, TensorProto Listed)[] pairs =
        [
            Pair<float>(DataType.Float, [1.5f, -2], static t => t.FloatData.Add([1.5f, -2])),
            Pair<double>(DataType.Double, [1.5, -2], static t => t.DoubleData.Add([1.5, -2])),
            Pair<Half>(DataType.Float16, [(Half)1.5, (Half)(-2)], static t => t.Int32Data.Add([0x3E00, 0xC000])),
            Pair<BFloat16>(DataType.Bfloat16, [(BFloat16)1.5f, (BFloat16)(-2f)], static t => t.Int32Data.Add([0x3FC0, 0xC000])),
            Pair<sbyte>(DataType.Int8, [1, -2], static t => t.Int32Data.Add([1, -2])),
            Pair<short>(DataType.Int16, [300, -2], static t => t.Int32Data.Add([300, -2])),
            Pair<int>(DataType.Int32, [70_000, -2], static t => t.Int32Data.Add([70_000, -2])),
            Pair<long>(DataType.Int64, [1L << 40, -2], static t => t.Int64Data.Add([1L << 40, -2])),
            Pair<byte>(DataType.Uint8, [1, 254], static t => t.Int32Data.Add([1, 254])),
            Pair<ushort>(DataType.Uint16, [1, 65_534], static t => t.Int32Data.Add([1, 65_534])),
            Pair<uint>(DataType.Uint32, [1, uint.MaxValue], static t => t.Uint64Data.Add([1, uint.MaxValue])),
            Pair<ulong>(DataType.Uint64, [1, ulong.MaxValue], static t => t.Uint64Data.Add([1, ulong.MaxValue])),
            Pair<bool>(DataType.Bool, [true, false], static t => t.Int32Data.Add([1, 0])),
        ];
        Assert.All(
            pairs,
            static pair =>
            {
                Tensor raw = OnnxTensors.Read(pair.Raw, new(null)),
                    listed = OnnxTensors.Read(pair.Listed, new(null));
                Compare.Close(raw, listed, pair.Raw.Name);
                // What is written reads back to the bit.
                Assert.Equal(pair.Raw.RawData, OnnxTensors.Write("t", listed).RawData);
                Assert.Equal(pair.Raw.DataType, OnnxTensors.DataTypeOf(raw.ElementType));
            }
        );
    }

    [Fact]
    public void Types_without_arithmetic_are_kept_and_said()
    {
        TensorProto eight = new()
        {
            Name = "e",
            DataType = (int)DataType.Float8E4M3Fn,
            Dims = { 4 },
            RawData = ByteString.CopyFrom([1, 2, 3, 4]),
        };
        ModelProto model = TinyModel.Of([eight], TinyModel.Node("Add", "add", ["x", "e"], ["y"]));
        Graph graph = model.Read();
        Assert.False(graph.Initializers.ContainsKey("e"));
        Assert.Equal<(string, string)>([("e", "FLOAT8E4M3FN")], OnnxFacts.From(graph)!.OpaqueInitializers);
        Assert.Contains("'e'", Assert.ThrowsAny<BadInputException>(() => ShapeInference.Run(graph)).Message);
        Assert.Equal(model, OnnxWriter.Write(graph).Whole());

        Graph constant = TinyModel.Of([], TinyModel.Node("Constant", "c", [], ["y"], TinyModel.Tensor("value", eight.Clone()))).Read();
        Assert.Contains("FLOAT8E4M3FN", Assert.IsType<Unknown>(constant.Nodes[0].Operation).Reason);
    }

    [Fact]
    public void Attributes_of_files_that_do_not_say_their_type_are_read()
    {
        ModelProto model = TinyModel.Convolutional();
        foreach (AttributeProto attribute in model.Graph.Node.SelectMany(static node => node.Attribute))
            attribute.ClearType();
        Assert.Equal(TinyModel.Convolutional().Read().Nodes[3].Operation, model.Read().Nodes[3].Operation);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("version https://git-lfs.github.com/spec/v1\n", "Git LFS")]
    [InlineData("PK\u0003\u0004abcd", "zip")]
    [InlineData("<!DOCTYPE html><html>", "HTML")]
    [InlineData("\u0001\u0001\u0001\u0001", "tiny.onnx")]
    public void Other_files_are_recognised(string content, string word) =>
        Assert.Contains(
            word,
            Assert.ThrowsAny<BadInputException>(() => OnnxFile.Read(System.Text.Encoding.Latin1.GetBytes(content), "tiny.onnx")).Message
        );

    [Fact]
    public void Names_cannot_write_to_the_terminal_or_flood_it()
    {
        ModelProto model = TinyModel.Convolutional();
        model.Graph.Node[1].Input[0] = "\u001b[2J\r" + new string('n', 1_000_000);
        string message = Assert.ThrowsAny<BadInputException>(() => model.Read()).Message;
        Assert.DoesNotContain(message, static letter => char.IsControl(letter));
        Assert.InRange(message.Length, 10, 2000);
    }

    [Fact]
    public void A_folder_and_a_missing_file_are_file_errors()
    {
        Assert.Contains("folder", Assert.Throws<IOException>(() => OnnxFile.Read(Path.GetTempPath())).Message);
        Assert.ThrowsAny<IOException>(() => OnnxFile.Read(Path.Combine(Path.GetTempPath(), "there is no such file.onnx")));
    }

    [OracleFact(Oracle.Linux)]
    public void A_pipe_is_refused_in_words()
    {
        using System.IO.Pipes.AnonymousPipeServerStream pipe = new(System.IO.Pipes.PipeDirection.Out);
        string path = $"/proc/self/fd/{pipe.ClientSafePipeHandle.DangerousGetHandle()}";
        Assert.Contains("pipe", Assert.Throws<IOException>(() => OnnxFile.Read(path)).Message);
    }

    private static void Dims(ModelProto model, params long[] dims)
    {
        model.Graph.Initializer[0].Dims.Clear();
        model.Graph.Initializer[0].Dims.Add(dims);
    }

    private static int Add(Google.Protobuf.Collections.RepeatedField<float> field, params float[] values)
    {
        field.AddRange(values);
        return values.Length;
    }

    private static (TensorProto Raw, TensorProto Listed) Pair<T>(DataType type, T[] values, Action<TensorProto> list)
        where T : unmanaged
    {
        TensorProto raw = new()
        {
            Name = type.ToString(),
            DataType = (int)type,
            Dims = { values.Length },
            RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes<T>(values)),
        };
        TensorProto listed = new()
        {
            Name = type.ToString(),
            DataType = (int)type,
            Dims = { values.Length },
        };
        list(listed);
        return (raw, listed);
    }
}
