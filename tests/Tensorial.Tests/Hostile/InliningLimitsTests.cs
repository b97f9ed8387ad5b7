using Google.Protobuf;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Onnx.Proto;
using Tensorial.Tests.Onnx;

namespace Tensorial.Tests.Hostile;

/// <summary>Functions and bodies that make more of a file than it holds.</summary>
[Collection(nameof(Alone))]
public class InliningLimitsTests
{
    [Fact]
    public void A_function_may_say_an_attribute_twice()
    {
        ModelProto model = Calling(1, new NodeProto(TinyModel.Node("LeakyRelu", "", ["p"], ["q"])));
        model
            .Functions[0]
            .AttributeProto.Add(
                new AttributeProto
                {
                    Name = "alpha",
                    Type = AttributeProto.Types.AttributeType.Float,
                    F = 0.5f,
                }
            );
        model.Functions[0].AttributeProto.Add(model.Functions[0].AttributeProto[0].Clone());

        Assert.Single(model.Read().Nodes);
    }

    /// <summary>A megabyte of numbers in a function of which every call brings its own.</summary>
    [Fact]
    public void Calls_bring_along_no_more_than_a_part_of_the_file()
    {
        TensorProto large = new()
        {
            DataType = (int)TensorProto.Types.DataType.Float,
            Dims = { 250_000 },
            FloatData = { Enumerable.Repeat(0.5f, 250_000) },
        };
        ModelProto model = Calling(
            10_000,
            TinyModel.Node("Constant", "", [], ["c"], TinyModel.Tensor("value", large)),
            TinyModel.Node("Mul", "", ["p", "c"], ["q"])
        );
        long before = GC.GetTotalAllocatedBytes();

        Assert.Contains("functions", Assert.Throws<BadInputException>(() => model.Read()).Message);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 600_000_000);
    }

    /// <summary>Every body takes what any body of its node captures; operators with bodies have one or two.</summary>
    [Fact]
    public void Thousands_of_bodies_in_one_node_take_nothing_from_each_other()
    {
        const int count = 5000;
        NodeProto node = TinyModel.Node(
            "Unheard",
            "n",
            ["x"],
            ["y"],
            [
                .. Enumerable
                    .Range(0, count)
                    .Select(static k =>
                        TinyModel.Body(
                            $"b{k}",
                            new GraphProto
                            {
                                Name = "body",
                                Node = { TinyModel.Node("Relu", "", [$"c{k}"], ["r"]) },
                                Output = { new ValueInfoProto { Name = "r" } },
                            }
                        )
                    ),
            ]
        );
        ModelProto model = TinyModel.Of(Enumerable.Range(0, count).Select(static k => TinyModel.Floats($"c{k}", [1])), node);
        byte[] file = model.ToByteArray();
        long before = GC.GetTotalAllocatedBytes();

        Graph graph = OnnxFile.Read(file, "bodies.onnx");

        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 100_000_000);
        // What we have no word for survives.
        Assert.Equal(model, ModelProto.Parser.ParseFrom(OnnxFile.ToBytes(graph)));
    }

    /// <summary>An initializer without a name made one of an output that has none.</summary>
    [Fact]
    public void An_output_without_a_name_is_refused()
    {
        ModelProto model = TinyModel.Of([], TinyModel.Node("Relu", "", ["x"], ["y"]));
        model.Graph.SparseInitializer.Add(new SparseTensorProto());
        model.Graph.Output.Add(new ValueInfoProto());

        Assert.Contains("no name", Assert.Throws<BadInputException>(() => model.Read()).Message);
    }

    [Fact]
    public void New_names_are_unique_and_have_an_end()
    {
        UniqueNames names = UniqueNames.From(["a", "a.3"]);
        string[] alike = [.. Enumerable.Range(0, 50_000).Select(_ => names.Unique("a"))],
            longer = [.. Enumerable.Range(0, 3).Select(k => names.Unique(string.Concat(Enumerable.Repeat("🙂", 1_000_000))))];

        Assert.Equal(alike.Length, alike.Distinct().Count());
        Assert.Equal(["a.2", "a.4"], alike[..2]);
        Assert.Equal(3, longer.Distinct().Count());
        Assert.All(
            longer,
            static name =>
            {
                Assert.InRange(name.Length, 1000, 1100);
                // No half of a pair of surrogates: such a name could not be written.
                Assert.Equal(name, System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(name)));
            }
        );
    }

    private static ModelProto Calling(int calls, params NodeProto[] body)
    {
        ModelProto model = TinyModel.Empty();
        model.Graph.Input.Add(TinyModel.Port("x", "N", 4));
        model.Graph.Output.Add(TinyModel.Port("y"));
        for (int k = 0; k < calls; k++)
            model.Graph.Node.Add(
                new NodeProto(TinyModel.Node("F", "f", [k == 0 ? "x" : $"v{k}"], [k == calls - 1 ? "y" : $"v{k + 1}"])) { Domain = "own" }
            );
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "own", Version = 1 });
        model.Functions.Add(
            new FunctionProto
            {
                Name = "F",
                Domain = "own",
                Input = { "p" },
                Output = { "q" },
                OpsetImport =
                {
                    new OperatorSetIdProto { Domain = "", Version = 13 },
                },
                Node = { body },
            }
        );
        return model;
    }
}
