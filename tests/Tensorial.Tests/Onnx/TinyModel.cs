using System.Runtime.InteropServices;
using Google.Protobuf;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Onnx.Proto;
using AttributeType = Tensorial.Onnx.Proto.AttributeProto.Types.AttributeType;
using DataType = Tensorial.Onnx.Proto.TensorProto.Types.DataType;

namespace Tensorial.Tests.Onnx;

/// <summary>Small ONNX files, written record by record, so that a test can make each of them wrong in one way.</summary>
internal static class TinyModel
{
    /// <summary>x [N,2,4,4] → convolution with "w" [3,2,3,3] and bias "b" → Relu → Flatten → Gemm with "d" [5,12] → y.</summary>
    public static ModelProto Convolutional()
    {
        ModelProto model = Empty();
        model.Graph.Input.Add(Port("x", "N", 2, 4, 4));
        model.Graph.Output.Add(Port("y", "N", 5));
        model.Graph.Initializer.Add(Floats("w", [3, 2, 3, 3]));
        model.Graph.Initializer.Add(Floats("b", [3]));
        model.Graph.Initializer.Add(Floats("d", [5, 12]));
        model.Graph.Node.Add(Node("Conv", "conv", ["x", "w", "b"], ["c"], Ints("kernel_shape", 3, 3)));
        model.Graph.Node.Add(Node("Relu", "relu", ["c"], ["r"]));
        model.Graph.Node.Add(Node("Flatten", "flatten", ["r"], ["f"], Int("axis", 1)));
        model.Graph.Node.Add(Node("Gemm", "dense", ["f", "d"], ["y"], Int("transB", 1)));
        return model;
    }

    public static ModelProto Empty() =>
        new()
        {
            IrVersion = 8,
            ProducerName = "test",
            OpsetImport =
            {
                new OperatorSetIdProto { Domain = "", Version = 13 },
            },
            Graph = new() { Name = "tiny" },
        };

    /// <summary>x → the nodes → y, with these initializers.</summary>
    public static ModelProto Of(IEnumerable<TensorProto> initializers, params NodeProto[] nodes)
    {
        ModelProto model = Empty();
        model.Graph.Input.Add(Port("x", "N", 4));
        model.Graph.Output.Add(Port("y"));
        model.Graph.Initializer.Add(initializers);
        model.Graph.Node.Add(nodes);
        return model;
    }

    public static Graph Read(this ModelProto model) => OnnxFile.Read(model.ToByteArray(), "tiny.onnx");

    public static NodeProto Node(string type, string name, string[] inputs, string[] outputs, params AttributeProto[] attributes) =>
        new()
        {
            OpType = type,
            Name = name,
            Input = { inputs },
            Output = { outputs },
            Attribute = { attributes },
        };

    public static AttributeProto Int(string name, long value) =>
        new()
        {
            Name = name,
            Type = AttributeType.Int,
            I = value,
        };

    public static AttributeProto Ints(string name, params long[] values) =>
        new()
        {
            Name = name,
            Type = AttributeType.Ints,
            Ints = { values },
        };

    public static AttributeProto Tensor(string name, TensorProto value) =>
        new()
        {
            Name = name,
            Type = AttributeType.Tensor,
            T = value,
        };

    public static AttributeProto Body(string name, GraphProto value) =>
        new()
        {
            Name = name,
            Type = AttributeType.Graph,
            G = value,
        };

    /// <summary>A float32 tensor of raw bytes, 0.5, 1.5, 2.5, …</summary>
    public static TensorProto Floats(string name, long[] shape)
    {
        float[] values = [.. Enumerable.Range(0, (int)shape.Aggregate(1L, static (a, b) => a * b)).Select(static i => i + 0.5f)];
        return new()
        {
            Name = name,
            DataType = (int)DataType.Float,
            Dims = { shape },
            RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes<float>(values)),
        };
    }

    /// <summary>An int64 vector.</summary>
    public static TensorProto Longs(string name, params long[] values) =>
        new()
        {
            Name = name,
            DataType = (int)DataType.Int64,
            Dims = { values.Length },
            Int64Data = { values },
        };

    /// <summary>An int64 number.</summary>
    public static TensorProto Scalar(string name, long value) =>
        new()
        {
            Name = name,
            DataType = (int)DataType.Int64,
            Int64Data = { value },
        };

    /// <summary>A float32 tensor whose bytes lie in another file.</summary>
    public static TensorProto External(string name, long[] shape, params (string Key, string Value)[] entries)
    {
        TensorProto tensor = new()
        {
            Name = name,
            DataType = (int)DataType.Float,
            Dims = { shape },
            DataLocation = TensorProto.Types.DataLocation.External,
        };
        foreach ((string key, string value) in entries)
            tensor.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
        return tensor;
    }

    /// <summary>A float32 port; extents are numbers or names.</summary>
    public static ValueInfoProto Port(string name, params object[] extents) =>
        new()
        {
            Name = name,
            Type = new()
            {
                TensorType = new()
                {
                    ElemType = (int)DataType.Float,
                    Shape = new()
                    {
                        Dim =
                        {
                            extents.Select(static extent =>
                                extent is string free
                                    ? new TensorShapeProto.Types.Dimension { DimParam = free }
                                    : new TensorShapeProto.Types.Dimension { DimValue = Convert.ToInt64(extent) }
                            ),
                        },
                    },
                },
            },
        };
}
