using Google.Protobuf;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Onnx.Proto;
using Tensorial.Operations;
using Tensorial.Tests.Data;
using Xunit.Abstractions;

namespace Tensorial.Tests.Onnx;

public class RoundTripTests(ITestOutputHelper output)
{
    private static readonly string ResNet = Path.Combine(Oracles.Models, "resnet20-cifar10.onnx");

    [OracleFact(Oracle.SharedModels)]
    public void Writing_what_was_read_gives_the_same_bytes()
    {
        using TemporaryFolder folder = new();
        string copy = Path.Combine(folder.Path, "copy.onnx");
        OnnxFile.Write(OnnxFile.Read(ResNet), copy);
        Assert.Equal(File.ReadAllBytes(ResNet), File.ReadAllBytes(copy));
    }

    [OracleFact(Oracle.OnnxBackend)]
    public void Every_model_of_the_backend_suite_survives_field_by_field()
    {
        int same = 0,
            refused = 0;
        foreach (string path in Directory.EnumerateFiles(Oracles.Backend, "model.onnx", SearchOption.AllDirectories))
        {
            byte[] file = File.ReadAllBytes(path);
            try
            {
                Assert.Equal(ModelProto.Parser.ParseFrom(file), OnnxWriter.Write(OnnxFile.Read(path)).Whole());
                same++;
            }
            catch (UnsupportedException error)
            {
                // Only the operator set may be beyond us.
                Assert.Contains("versions 7 to 25 are supported", error.Message);
                refused++;
            }
        }
        output.WriteLine($"{same} models written as they were read, {refused} of other operator sets refused.");
        Assert.True(same > refused);
    }

    [Fact]
    public void What_we_have_no_word_for_survives()
    {
        ModelProto model = TinyModel.Convolutional();
        model.DocString = "about the model";
        model.MetadataProps.Add([new() { Key = "z", Value = "1" }, new() { Key = "a", Value = "2" }]);
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "org.example", Version = 3 });
        model.Functions.Add(
            new FunctionProto
            {
                Name = "f",
                Domain = "org.example",
                Input = { "p" },
                Output = { "q" },
                Node = { TinyModel.Node("Relu", "", ["p"], ["q"]) },
            }
        );
        model.TrainingInfo.Add(new TrainingInfoProto { Algorithm = new() { Name = "training" } });
        model.Graph.DocString = "about the graph";
        model.Graph.ValueInfo.Add(TinyModel.Port("c", "N", 3, 2, 2));
        model.Graph.Input[0].DocString = "an image";
        model.Graph.Node[0].DocString = "about the node";
        model.Graph.Node[1].Domain = "ai.onnx";
        model.Graph.Node.Insert(
            1,
            new NodeProto
            {
                OpType = "g",
                Domain = "org.example",
                Name = "own",
                Input = { "c" },
                Output = { "" },
            }
        );
        model.Graph.Initializer[1].DocString = "the bias";
        model.Graph.Initializer.Add(
            new TensorProto
            {
                Name = "text",
                DataType = 8,
                Dims = { 1 },
                StringData = { ByteString.CopyFromUtf8("hello") },
            }
        );
        model.Graph.SparseInitializer.Add(new SparseTensorProto { Values = TinyModel.Floats("sparse", [1]), Dims = { 4 } });
        model.Graph.QuantizationAnnotation.Add(new TensorAnnotation { TensorName = "c" });
        // A field from a version of the format that we do not know, as message 100 of the model.
        byte[] file = [.. model.ToByteArray(), 0xA2, 0x06, 0x03, .. "new"u8];

        Assert.Equal(ModelProto.Parser.ParseFrom(file), OnnxWriter.Write(OnnxFile.Read(file, "tiny.onnx")).Whole());
        Assert.Equal(file.Length, OnnxWriter.Write(OnnxFile.Read(file, "tiny.onnx")).Whole().ToByteArray().Length);
    }

    [Fact]
    public void Weights_are_in_memory_once()
    {
        Graph graph = TinyModel.Convolutional().Read();
        Assert.All(((OnnxSource)graph.Source!).Model.Graph.Initializer, static stored => Assert.True(stored.RawData.IsEmpty));
    }

    [Fact]
    public void Changed_metadata_keep_the_place_of_what_was_there()
    {
        ModelProto model = TinyModel.Convolutional();
        model.MetadataProps.Add([new() { Key = "z", Value = "1" }, new() { Key = "m", Value = "2" }, new() { Key = "a", Value = "3" }]);
        Graph graph = model.Read();
        graph = graph with { Metadata = graph.Metadata.Remove("m").SetItem("a", "4").Add("tensorial.format", "none") };
        Assert.Equal(
            ["z=1", "a=4", "tensorial.format=none"],
            OnnxWriter.Write(graph).Model.MetadataProps.Select(static p => $"{p.Key}={p.Value}")
        );
    }

    [Fact]
    public void Old_files_list_initializers_among_the_inputs_and_go_on_doing_so()
    {
        ModelProto model = TinyModel.Convolutional();
        model.IrVersion = 3;
        foreach (TensorProto initializer in model.Graph.Initializer)
            model.Graph.Input.Add(TinyModel.Port(initializer.Name, [.. initializer.Dims.Cast<object>()]));
        Graph graph = model.Read();
        Assert.Equal(model, OnnxWriter.Write(graph).Whole());
        Assert.Equal(54 + 3 + 60, GraphStatistics.From(graph).Parameters);

        // The convolution loses its bias and gets other weights.
        Graph changed = graph with
        {
            Nodes = graph.Nodes.SetItem(0, graph.Nodes[0] with { Inputs = ["x", "v"] }),
            Initializers = graph.Initializers.Remove("w").Remove("b").Add("v", graph.Initializers["w"]),
        };
        Assert.Equal(["x", "d", "v"], OnnxWriter.Write(changed).Model.Graph.Input.Select(static port => port.Name));
    }

    [Fact]
    public void A_node_with_another_operation_is_written_anew()
    {
        Graph graph = TinyModel.Convolutional().Read();
        Convolution operation = (Convolution)graph.Nodes[0].Operation;
        Graph changed = graph with
        {
            Nodes = graph.Nodes.SetItem(0, graph.Nodes[0] with { Operation = operation with { Pads = [1, 1, 1, 1], Strides = [2, 2] } }),
        };
        NodeProto written = OnnxWriter.Write(changed).Model.Graph.Node[0];
        Assert.Equal("Conv", written.OpType);
        Assert.Equal(
            ["kernel_shape 3,3", "pads 1,1,1,1", "strides 2,2"],
            written.Attribute.Select(static a => $"{a.Name} {string.Join(',', a.Ints)}").Order()
        );
        Assert.Throws<UnsupportedException>(() =>
            OnnxWriter.Write(
                graph with
                {
                    Nodes = graph.Nodes.SetItem(0, graph.Nodes[0] with { Operation = new Unknown("org.example", "f", "") }),
                }
            )
        );
    }

    [OracleFact(Oracle.OnnxPython)]
    public void Another_reader_accepts_a_network_that_comes_from_no_file()
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "made.onnx");
        Graph graph = new(
            "made",
            [
                new("first", new Convolution { Pads = [1, 1, 1, 1] }, ["x", "w"], ["c"]),
                new("clip", new Clip(0, 6), ["c"], ["k"]),
                new("mean", new GlobalAveragePool(), ["k"], ["m"]),
                new("flat", new Flatten(1), ["m"], ["y"]),
            ],
            [new("x", ElementType.Float32, [new(null, "N"), new(2), new(4), new(4)])],
            [new("y", ElementType.Float32, [new(null, "N"), new(3)])],
            System.Collections.Immutable.ImmutableDictionary<string, Tensor>.Empty.Add("w", new Tensor<float>([3, 2, 3, 3]))
        );
        OnnxFile.Write(graph, path);
        string types = Oracles.RunPython(
            """
            import sys, onnx
            model = onnx.load(sys.argv[1])
            onnx.checker.check_model(model, full_check=True)
            print(*[node.op_type for node in model.graph.node])
            """,
            path
        );
        Assert.Equal("Conv Clip GlobalAveragePool Flatten", types.Trim());
        Assert.Equal(
            graph.Nodes.Select(static node => node.Operation.Name),
            OnnxFile.Read(path).Nodes.Select(static node => node.Operation.Name)
        );
    }

    [OracleFact(Oracle.SharedModels | Oracle.OnnxPython)]
    public void A_changed_weight_is_all_that_changes()
    {
        using TemporaryFolder folder = new();
        string copy = Path.Combine(folder.Path, "copy.onnx");
        Graph graph = OnnxFile.Read(ResNet);
        string name = KernelWeights.From(graph).Kernels[3].Name;
        Tensor<float> doubled = graph.Initializers[name].Of<float>().Clone();
        foreach (ref float value in doubled.Values)
            value *= 2;
        OnnxFile.Write(graph.With(name, doubled), copy);

        string differing = Oracles.RunPython(
            """
            import sys, onnx
            from onnx import numpy_helper
            a, b = (onnx.load(path) for path in sys.argv[1:3])
            onnx.checker.check_model(b, full_check=True)
            for x, y in zip(a.graph.initializer, b.graph.initializer):
                if (numpy_helper.to_array(x) != numpy_helper.to_array(y)).any():
                    assert (2 * numpy_helper.to_array(x) == numpy_helper.to_array(y)).all()
                    print(y.name)
            for model in (a, b):
                del model.graph.initializer[:]
            assert a == b
            """,
            ResNet,
            copy
        );
        Assert.Equal(name, differing.Trim());
    }
}
