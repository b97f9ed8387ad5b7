using Google.Protobuf;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Onnx.Proto;
using Tensorial.Tests.Data;

namespace Tensorial.Tests.Onnx;

/// <summary>Damaged and hostile files: whatever is done with them, they are used or refused in words, in bounded time and memory.</summary>
public class ReaderFuzzTests
{
    /// <summary>Networks beyond this cost are not run: a large one is not a wrong one.</summary>
    private const long MostMacs = 10_000_000;

    private static readonly byte[] Tiny = TinyModel.Convolutional().ToByteArray();

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void A_damaged_model_is_used_or_refused(int seed) => Mutations.Apply(Tiny, seed, Oracles.Heavy ? 50_000 : 1_000, Use);

    [Fact]
    public void The_damaged_sample_is_used_or_refused() =>
        Mutations.Apply(
            File.ReadAllBytes(Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx")),
            5,
            Oracles.Heavy ? 2_000 : 60,
            Use
        );

    [Fact]
    public void A_model_cut_anywhere_is_used_or_refused()
    {
        int refused = 0;
        for (int length = 0; length < Tiny.Length; length++)
        {
            try
            {
                Use(Tiny[..length]);
            }
            catch (BadInputException)
            {
                refused++;
            }
        }
        // A file may end between two records; most cuts go through one.
        Assert.True(refused > Tiny.Length / 2, $"{refused} of {Tiny.Length} cut models are refused");
    }

    /// <summary>Files that are well formed and say absurd things: any number, name or type of theirs replaced.</summary>
    [Theory]
    [InlineData(11), InlineData(12), InlineData(13)]
    public void A_hostile_model_is_used_or_refused(int seed)
    {
        int used = 0,
            rounds = Oracles.Heavy ? 20_000 : 500;
        for (int round = 0; round < rounds; round++)
        {
            Random random = new(unchecked(seed * 1_000_003 + round));
            ModelProto model = TinyModel.Convolutional();
            for (int change = random.Next(1, 4); change > 0; change--)
                Distort(model, random);
            try
            {
                Use(model.ToByteArray());
                used++;
            }
            catch (BadInputException refused)
            {
                Assert.NotEmpty(refused.Message);
            }
            catch (Exception other)
            {
                Assert.Fail($"Seed {seed}, round {round}: {other.GetType().Name}: {other.Message}\n{other.StackTrace}\n{model}");
            }
        }
        // Both happen: what refuses everything proves as little as what takes everything.
        Assert.InRange(used, rounds / 20, rounds - rounds / 20);
    }

    private static void Distort(ModelProto model, Random random)
    {
        GraphProto graph = model.Graph;
        NodeProto node = Any(graph.Node, random);
        TensorProto tensor = Any(graph.Initializer, random);
        switch (random.Next(12))
        {
            case 0:
                if (tensor.Dims.Count > 0)
                    tensor.Dims[random.Next(tensor.Dims.Count)] = Number(random);
                break;
            case 1:
                tensor.Dims.Insert(random.Next(tensor.Dims.Count + 1), Number(random));
                break;
            case 2:
                tensor.DataType = random.Next(-1, 25);
                break;
            case 3:
                tensor.RawData = ByteString.CopyFrom(new byte[random.Next(300)]);
                break;
            case 4:
                if (node.Input.Count > 0)
                    node.Input[random.Next(node.Input.Count)] = Name(graph, random);
                break;
            case 5:
                node.Output[0] = Name(graph, random);
                break;
            case 6:
                node.OpType = Any(OnnxOperators.All, random).Type;
                break;
            case 7:
                foreach (AttributeProto attribute in node.Attribute)
                    for (int k = 0; k < attribute.Ints.Count; k++)
                        attribute.Ints[k] = Number(random);
                break;
            case 8:
                string name = Any(["strides", "pads", "dilations", "kernel_shape", "group", "axis", "axes", "perm", "to"], random);
                node.Attribute.Add(TinyModel.Ints(name, [.. Enumerable.Range(0, random.Next(6)).Select(_ => Number(random))]));
                break;
            case 9:
                Dimension(Any([.. graph.Input, .. graph.Output], random), random);
                break;
            case 10:
                model.OpsetImport[0].Version = Number(random);
                break;
            default:
                graph.Node.Add(node.Clone());
                break;
        }
    }

    private static void Dimension(ValueInfoProto port, Random random)
    {
        if (port.Type.TensorType.Shape.Dim is { Count: > 0 } extents)
            extents[random.Next(extents.Count)].DimValue = Number(random);
    }

    private static long Number(Random random) =>
        random.Next(10) switch
        {
            0 => long.MaxValue,
            1 => long.MinValue,
            2 => int.MaxValue,
            3 => 1L << random.Next(63),
            4 => -random.Next(100),
            _ => random.Next(9),
        };

    private static string Name(GraphProto graph, Random random) =>
        random.Next(5) == 0
            ? "nowhere"
            : Any([.. graph.Node.SelectMany(static node => node.Output), .. graph.Initializer.Select(static i => i.Name), "x", ""], random);

    private static T Any<T>(IList<T> items, Random random) => items[random.Next(items.Count)];

    /// <summary>Everything the tool does with a model.</summary>
    private static void Use(byte[] model)
    {
        Graph graph = OnnxFile.Read(model, "fuzz.onnx");
        GraphStatistics statistics = GraphStatistics.From(graph);
        _ = KernelWeights.From(graph);
        _ = OnnxFile.ToBytes(graph);
        if (statistics.Macs > MostMacs || statistics.PeakActivations > MostMacs)
            return;
        using Inference network = new(graph, threads: 1);
        if (!network.IsForImages)
            return;
        Port input = graph.FreeInputs.First();
        int[] extents = [2, .. input.Dimensions!.Value.Skip(1).Select(static dimension => dimension.Extent ?? 1)];
        _ = network.Run(new Tensor<float>(Shape.From(extents)));
    }
}
