using System.Runtime.InteropServices;
using Tensorial.Compression.Runtimes;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Onnx.Proto;
using Tensorial.Operations;

namespace Tensorial.Tests.Onnx;

/// <summary>One directory of the ONNX backend test suite: a model, and tensors that go in and must come out.</summary>
internal sealed class BackendCase(string directory)
{
    /// <summary>
    /// Operators that changed from operator set 6 to 7. Old tests of all others are read as operator set 7, the oldest we support,
    /// where they mean the same.
    /// </summary>
    private static readonly string[] ChangedIn7 =
    [
        "Add",
        "And",
        "AveragePool",
        "BatchNormalization",
        "Div",
        "Dropout",
        "Equal",
        "GRU",
        "Gemm",
        "Greater",
        "LSTM",
        "Less",
        "Mul",
        "Or",
        "PRelu",
        "Pow",
        "RNN",
        "Sub",
        "Upsample",
        "Xor",
    ];

    public string Name { get; } = Path.GetRelativePath(Oracles.Backend, directory);

    public static IEnumerable<BackendCase> All() =>
        from family in (string[])["node", "simple", "pytorch-operator", "pytorch-converted"]
        let folder = Path.Combine(Oracles.Backend, family)
        where Directory.Exists(folder)
        from directory in Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal)
        select new BackendCase(directory);

    public static BackendCase Named(string name) => new(Path.Combine(Oracles.Backend, name));

    /// <summary>Types of the operators in the model.</summary>
    public IEnumerable<string> Operators() => Model().Graph.Node.Select(static node => node.OpType).Distinct();

    /// <summary>
    /// Why we do not claim to pass this test: an operator we do not have, or values that are no tensors; null where we do.
    /// </summary>
    public string? WhyLeftOut()
    {
        try
        {
            ModelProto model = Model();
            foreach (ValueInfoProto port in model.Graph.Input.Concat(model.Graph.Output))
            {
                if (port.Type.TensorType is not { } tensor)
                    return "values that are no tensors";
                if (OnnxTensors.TypeOf(tensor.ElemType) is null)
                    return $"tensors of {(TensorProto.Types.DataType)tensor.ElemType}";
            }
            return OnnxReader
                .Read(model, new(null))
                .Nodes.Select(static node => node.Operation)
                .OfType<Unknown>()
                .Select(static unknown => $"{unknown.Name}: {unknown.Reason}")
                .FirstOrDefault();
        }
        catch (UnsupportedException unsupported)
        {
            return unsupported.Message;
        }
    }

    /// <summary>
    /// Runs every data set of the case, node by node and compiled, compiled twice: memory of the first call serves the second. The exception
    /// that comes out says what is wrong.
    /// </summary>
    public void Check(double? tolerance = null)
    {
        Graph graph = OnnxReader.Read(Model(), new(null));
        Port[] free = [.. graph.FreeInputs];
        string[] sets = Directory.GetDirectories(directory, "test_data_set_*");
        Assert.NotEmpty(sets);
        foreach (string set in sets)
        {
            Dictionary<string, Tensor> inputs = [];
            for (int i = 0; i < free.Length; i++)
                if (Load(set, $"input_{i}.pb", free[i].Type) is { } input)
                    inputs[free[i].Name] = input;
            using ISession compiled = new OwnRuntime().Load(graph, 1);
            IReadOnlyDictionary<string, Tensor>[] runs = AreAsDeclared(free, inputs)
                ? [Interpreter.Run(graph, inputs), compiled.Run(inputs), compiled.Run(inputs)]
                : [Interpreter.Run(graph, inputs)];
            for (int i = 0; i < graph.Outputs.Length; i++)
            {
                Port port = graph.Outputs[i];
                Tensor expected = Load(set, $"output_{i}.pb", port.Type)!;
                foreach (IReadOnlyDictionary<string, Tensor> results in runs)
                    Compare.Close(expected, results[port.Name], port.Name, tolerance);
            }
        }
    }

    /// <summary>A network is compiled for what it declares; data of four cases (CastLike of bfloat16) are of another shape.</summary>
    private static bool AreAsDeclared(Port[] ports, Dictionary<string, Tensor> inputs) =>
        ports.All(port =>
            port.Dimensions is not { } dimensions
            || !inputs.TryGetValue(port.Name, out Tensor? input)
            || (
                input.Shape.Rank == dimensions.Length
                && dimensions.Select((d, axis) => d.Extent is not { } e || e == input.Shape[axis]).All(static same => same)
            )
        );

    private ModelProto Model()
    {
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(Path.Combine(directory, "model.onnx")));
        OperatorSetIdProto opset = model.OpsetImport[0];
        if (opset.Version < 7 && !model.Graph.Node.Any(static node => ChangedIn7.Contains(node.OpType)))
            opset.Version = 7;
        return model;
    }

    /// <summary>A tensor of a data set. The suite stores bfloat16 as the 16-bit integers of the same bits.</summary>
    private static Tensor? Load(string set, string file, ElementType type)
    {
        string path = Path.Combine(set, file);
        if (!File.Exists(path))
            return null;
        Tensor tensor = OnnxTensors.Read(TensorProto.Parser.ParseFrom(File.ReadAllBytes(path)), new(null));
        return tensor is Tensor<ushort> bits && type == ElementType.BFloat16
            ? new Tensor<BFloat16>(bits.Shape, MemoryMarshal.Cast<ushort, BFloat16>(bits.Values).ToArray())
            : tensor;
    }
}
