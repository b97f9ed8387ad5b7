using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using Google.Protobuf;
using Tensorial.Onnx.Proto;
using AttributeType = Tensorial.Onnx.Proto.AttributeProto.Types.AttributeType;
using DataType = Tensorial.Onnx.Proto.TensorProto.Types.DataType;

namespace Tensorial.Hostile;

/// <summary>Good inputs: the files of corpus/, and small networks written down here, one for each kind of operation.</summary>
internal static class Corpora
{
    /// <summary>A folder with more models, such as those of the ONNX backend suite; rounds are other ones with it.</summary>
    private const string MoreModels = "TENSORIAL_HOSTILE_MODELS";

    private const int LargestModel = 16_384;

    public static byte[] File(string name) => System.IO.File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "corpus", name));

    public static IReadOnlyList<byte[]> Files(params string[] names) => [.. names.Select(File)];

    public static IReadOnlyList<byte[]> Texts(params string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];

    public static IReadOnlyList<byte[]> Pictures() =>
        Files([
            .. Directory
                .GetFiles(Path.Combine(AppContext.BaseDirectory, "corpus"))
                .Where(IsPicture)
                .Select(Path.GetFileName)
                .Order(StringComparer.Ordinal)!,
        ]);

    private static bool IsPicture(string path) => Path.GetExtension(path) is ".png" or ".jpg" or ".bmp" or ".gif" or ".webp";

    public static byte[] Zipped(byte[] bytes)
    {
        using MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(bytes);
        return packed.ToArray();
    }

    /// <summary>Networks of a few hundred bytes.</summary>
    public static IReadOnlyList<byte[]> Models()
    {
        List<byte[]> models = [File("tiny.onnx"), .. Networks().Select(static model => model.ToByteArray())];
        if (Environment.GetEnvironmentVariable(MoreModels) is { Length: > 0 } folder)
            models.AddRange(
                Directory
                    .GetFiles(folder, "*.onnx", SearchOption.AllDirectories)
                    .Where(static path => new FileInfo(path).Length <= LargestModel)
                    .Order(StringComparer.Ordinal)
                    .Select(System.IO.File.ReadAllBytes)
                    .Where(IsRead)
            );
        return models;
    }

    /// <summary>Whether a model is one that we read at all: others may be of other operator sets.</summary>
    private static bool IsRead(byte[] model)
    {
        try
        {
            _ = Tensorial.Onnx.OnnxFile.Read(model, "model.onnx");
            return true;
        }
        catch (BadInputException)
        {
            return false;
        }
    }

    private static IEnumerable<ModelProto> Networks()
    {
        yield return Network(
            13,
            "x:N,2,8,8",
            "w=3,2,3,3 b=3",
            "Conv x w b -> c pads=[1,1,1,1] strides=[2,2]",
            "Clip c -> r",
            "MaxPool r -> p kernel_shape=[2,2]",
            "AveragePool p -> q kernel_shape=[2,2] pads=[1,1,0,0]",
            "Flatten q -> f",
            "MatMul f t -> y|t=27,5"
        );
        yield return Network(
            13,
            "x:N,4,6,6",
            "w=4,1,3,3 u=4,2,2,2 s=4 o=4 m=4 v=4",
            "Conv x w -> c group=4 pads=[1,1,1,1] dilations=[1,1]",
            "BatchNormalization c s o m v -> n",
            "Relu n -> r",
            "ConvTranspose r u -> t strides=[2,2]",
            "Sigmoid t -> g",
            "Mul t g -> k",
            "GlobalAveragePool k -> y"
        );
        yield return Network(
            17,
            "x:N,3,8",
            "g=8 h=8 w=8,8 q=8,16 e=16",
            "LayerNormalization x g h -> n",
            "MatMul n w -> a",
            "Transpose n -> k perm=[0,2,1]",
            "MatMul a k -> s",
            "Softmax s -> p",
            "MatMul p n -> z",
            "MatMul z q -> v",
            "Add v e -> y"
        );
        yield return Network(14, "x:5,N,3", "w=1,16,3 r=1,16,4 b=1,32", "LSTM x w r b -> h,,c hidden_size=4", "Squeeze h #1 -> y");
        yield return Network(14, "x:5,N,3", "w=1,12,3 r=1,12,4", "GRU x w r -> y hidden_size=4 linear_before_reset=1");
        yield return Network(
            13,
            "x:N,2,4,4",
            "s=2",
            "Resize x ~ ~ #1,2,8,8 -> a mode=nearest",
            "Slice a #0,0 #4,4 #2,3 -> b",
            "Pad b #0,0,1,1,0,0,1,1 -> c",
            "Concat c c -> d axis=1",
            "Reshape d #0,-1 -> e",
            "ReduceMean e -> y axes=[1]"
        );
        yield return Network(
            13,
            "x:N,2,4,4",
            "a=2,1,1",
            "Shape x -> s",
            "Gather s #0 -> n",
            "Unsqueeze n #0 -> u",
            "Concat u #-1 -> t axis=0",
            "Reshape x t -> r",
            "Expand a #2,4,4 -> e",
            "Tile e #1,1,1 -> f",
            "ConstantOfShape u -> k",
            "Mul r f -> y"
        );
        yield return Network(
            13,
            "x:N,4",
            "w=4,4 i=4,4",
            "QuantizeLinear x @0.1 -> q",
            "DequantizeLinear q @0.1 -> d",
            "MatMul d w -> m",
            "Einsum m i -> y equation=ab,bc->ac"
        );
        yield return Network(
            13,
            "x:N,2,4,4",
            "w=2,2,1,1 a=1,2,1,1",
            "InstanceNormalization x v o -> i|v=2 o=2",
            "PRelu i a -> p",
            "Conv p w -> c",
            "Add c x -> d",
            "Split d -> l,m axis=1",
            "Sub l m -> n",
            "DepthToSpace n -> y blocksize=1"
        );
        yield return Loops();
    }

    /// <summary>If and Loop with bodies.</summary>
    private static ModelProto Loops()
    {
        ModelProto model = Network(13, "x:N,4", "w=4,4", "MatMul x w -> a");
        GraphProto then = Body("then", "Relu a -> t"),
            other = Body("else", "Neg a -> e");
        model.Graph.Initializer.Add(
            new TensorProto
            {
                Name = "yes",
                DataType = (int)DataType.Bool,
                Int32Data = { 1 },
            }
        );
        model.Graph.Node.Add(
            new NodeProto
            {
                OpType = "If",
                Name = "if",
                Input = { "yes" },
                Output = { "y2" },
                Attribute =
                {
                    new AttributeProto
                    {
                        Name = "then_branch",
                        Type = AttributeType.Graph,
                        G = then,
                    },
                    new AttributeProto
                    {
                        Name = "else_branch",
                        Type = AttributeType.Graph,
                        G = other,
                    },
                },
            }
        );
        model.Graph.Output[0].Name = "y2";
        return model;
    }

    private static GraphProto Body(string name, string line)
    {
        GraphProto body = new() { Name = name };
        Add(body, line);
        body.Output.Add(new ValueInfoProto { Name = body.Node[0].Output[0], Type = FloatType([]) });
        return body;
    }

    /// <summary>A network in lines: "Operator inputs -> outputs attribute=value"; #1,2 is a constant of int64, @0.1 one of float32.</summary>
    private static ModelProto Network(int operators, string input, string weights, params string[] lines)
    {
        GraphProto graph = new() { Name = "network" };
        string[] port = input.Split(':');
        graph.Input.Add(new ValueInfoProto { Name = port[0], Type = FloatType(port[1].Split(',')) });
        foreach (string weight in weights.Split(' '))
            AddWeight(graph, weight);
        foreach (string line in lines)
        {
            string[] parts = line.Split('|');
            Add(graph, parts[0]);
            foreach (string weight in parts.Skip(1).SelectMany(static more => more.Split(' ')))
                AddWeight(graph, weight);
        }
        graph.Output.Add(
            new ValueInfoProto
            {
                Name = graph.Node[^1].Output[0],
                Type = new() { TensorType = new() { ElemType = 1 } },
            }
        );
        return new()
        {
            IrVersion = 8,
            OpsetImport = { new OperatorSetIdProto { Version = operators } },
            Graph = graph,
        };
    }

    private static void AddWeight(GraphProto graph, string text)
    {
        string[] parts = text.Split('=');
        long[] extents = [.. parts[1].Split(',').Select(long.Parse)];
        float[] values =
        [
            .. Enumerable
                .Range(0, (int)extents.Aggregate(1L, static (a, b) => a * b))
                .Select(static i => MathF.Abs(MathF.Sin(i + 1)) + 0.1f),
        ];
        graph.Initializer.Add(
            new TensorProto
            {
                Name = parts[0],
                DataType = (int)DataType.Float,
                Dims = { extents },
                RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes<float>(values)),
            }
        );
    }

    private static void Add(GraphProto graph, string line)
    {
        string[] words = line.Split(' ');
        int arrow = Array.IndexOf(words, "->");
        NodeProto node = new() { OpType = words[0].TrimEnd('2'), Name = $"n{graph.Node.Count}" };
        foreach (string word in words[1..arrow])
            node.Input.Add(Operand(graph, word));
        node.Output.Add(words[arrow + 1].Split(','));
        foreach (string[] pair in words[(arrow + 2)..].Select(static word => word.Split('=', 2)))
            node.Attribute.Add(Attribute(pair[0], pair[1]));
        graph.Node.Add(node);
    }

    private static string Operand(GraphProto graph, string word)
    {
        if (word == "~")
            return "";
        if (word[0] is not ('#' or '@'))
            return word;
        string name = $"k{graph.Initializer.Count}";
        string[] numbers = word[1..].Split(',');
        graph.Initializer.Add(
            word[0] == '#'
                ? new TensorProto
                {
                    Name = name,
                    DataType = (int)DataType.Int64,
                    Dims = { numbers.Length },
                    Int64Data = { numbers.Select(long.Parse) },
                }
                : new TensorProto
                {
                    Name = name,
                    DataType = (int)DataType.Float,
                    FloatData = { float.Parse(numbers[0], CultureInfo.InvariantCulture) },
                }
        );
        return name;
    }

    private static AttributeProto Attribute(string name, string value) =>
        value[0] == '['
            ? new()
            {
                Name = name,
                Type = AttributeType.Ints,
                Ints = { value.Trim('[', ']').Split(',').Select(long.Parse) },
            }
        : long.TryParse(value, out long number)
            ? new()
            {
                Name = name,
                Type = AttributeType.Int,
                I = number,
            }
        : new()
        {
            Name = name,
            Type = AttributeType.String,
            S = ByteString.CopyFromUtf8(value),
        };

    private static TypeProto FloatType(string[] extents)
    {
        TypeProto type = new()
        {
            TensorType = new() { ElemType = (int)DataType.Float, Shape = new() },
        };
        foreach (string extent in extents)
            type.TensorType.Shape.Dim.Add(
                long.TryParse(extent, out long known)
                    ? new TensorShapeProto.Types.Dimension { DimValue = known }
                    : new TensorShapeProto.Types.Dimension { DimParam = extent }
            );
        return type;
    }
}
