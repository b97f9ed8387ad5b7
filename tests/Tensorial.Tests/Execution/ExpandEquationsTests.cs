using System.Collections.Immutable;
using Tensorial.Compression.Runtimes;
using Tensorial.Equations;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.OnnxRuntime;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Execution;

/// <summary>Equations as layers: the steps of their plans as nodes give what the equation gives, here and in ONNX Runtime.</summary>
public class ExpandEquationsTests
{
    private static readonly (string Equation, int[][] Shapes)[] Layers =
    [
        (
            "nchw,ochw->nohw|hw",
            [
                [3, 5, 8, 7],
                [6, 5, 3, 3],
            ]
        ),
        (
            "nchw,rc,rhw,or->nohw|hw",
            [
                [3, 5, 8, 7],
                [4, 5],
                [4, 3, 3],
                [6, 4],
            ]
        ),
        (
            "nchw,rc,rh,rw,or->nohw|hw[stride=2 pad=1]",
            [
                [3, 5, 8, 7],
                [4, 5],
                [4, 3],
                [4, 3],
                [6, 4],
            ]
        ),
        (
            "nchw,ac,abhw,ob->nohw|hw",
            [
                [3, 5, 8, 7],
                [4, 5],
                [4, 3, 3, 3],
                [6, 3],
            ]
        ),
        (
            "nchw,rch,row->nohw|h,w[dilation=2 pad=2]",
            [
                [3, 5, 8, 7],
                [4, 5, 3],
                [4, 6, 3],
            ]
        ),
        (
            "nabhw,rab,rhw,cdr->ncdhw|hw",
            [
                [2, 4, 3, 6, 6],
                [5, 4, 3],
                [5, 3, 3],
                [2, 3, 5],
            ]
        ),
        (
            "nctw,ortw,rc->notw|tw",
            [
                [2, 4, 5, 9],
                [6, 3, 3, 3],
                [3, 4],
            ]
        ),
        (
            "ncthw,rc,rt,rhw,or->nothw|thw",
            [
                [2, 3, 5, 6, 6],
                [4, 3],
                [4, 3],
                [4, 3, 3],
                [5, 4],
            ]
        ),
        (
            "ncl,ocl->nol|l[stride=2]",
            [
                [2, 3, 11],
                [4, 3, 5],
            ]
        ),
        (
            "nch,ah,bh,oabc->noh|h",
            [
                [2, 3, 9],
                [2, 3],
                [2, 3],
                [4, 2, 2, 3],
            ]
        ),
        (
            "nchw,cap,phwb->nab",
            [
                [3, 4, 3, 3],
                [4, 2, 5],
                [5, 3, 3, 6],
            ]
        ),
        (
            "nghw,gohw->ngohw|hw",
            [
                [2, 6, 5, 5],
                [6, 2, 3, 3],
            ]
        ),
    ];

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, Layers.Length)];

    [Theory, MemberData(nameof(Cases))]
    public void Steps_give_what_the_equation_gives(int index)
    {
        Graph graph = GraphOf(index);
        Tensor<float> x = Random(Layers[index].Shapes[0], 1);
        Tensor<float> wanted = Interpreter.Run(graph, new Dictionary<string, Tensor> { ["x"] = x })["y"].Of<float>();
        using Inference network = new(graph, threads: 2);
        Close(wanted, network.Run(x));

        IReadOnlyDictionary<string, ValueInfo> shapes = ShapeInference.Run(graph, new Dictionary<string, Shape> { ["x"] = x.Shape });
        Graph expanded = ExpandEquations.ForExecution(graph, shapes, PlanGoal.Forward);
        Assert.DoesNotContain(expanded.Nodes, static node => node.Operation is EinsumOf { Equation: { Windows.Length: > 0 } });
        Assert.DoesNotContain(expanded.Nodes, static node => node.Operation is EinsumOf { Equation.Inputs.Length: > 2 });
    }

    [Theory, MemberData(nameof(Cases))]
    public void Gradients_are_those_of_the_equation(int index) => TrainedNetworkTests.AssertAgrees(GraphOf(index), images: 5, threads: 2);

    [Theory, MemberData(nameof(Cases))]
    public void Onnx_runtime_agrees_for_any_batch(int index)
    {
        Graph read = OnnxFile.Read(OnnxFile.ToBytes(GraphOf(index)), "layer.onnx");
        Assert.DoesNotContain(read.Nodes, static node => node.Operation is Unknown);
        foreach (int images in (int[])[1, 4])
        {
            Tensor<float> x = Random([images, .. Layers[index].Shapes[0][1..]], 2);
            Tensor<float> wanted = Interpreter.Run(GraphOf(index), new Dictionary<string, Tensor> { ["x"] = x })["y"].Of<float>();
            Close(wanted, Peer(GraphOf(index), x));
        }
    }

    /// <summary>A network whose tensors never get flattened: channels as 4×4, a clip of several frames, a result of two axes.</summary>
    [Fact]
    public void A_network_of_equations_alone_trains_and_is_written()
    {
        NetworkBuilder net = new("clips", [2, 3, 4, 8, 8], seed: 3);
        Features x = net.Relu(
            "r1",
            net.Contraction("c1", net.Input, "nabthw,abr,rt,rhw,cdr->ncdthw|thw", Extents(r: 5, t: 3, h: 3, w: 3, c: 4, d: 4))
        );
        x = net.Relu(
            "r2",
            net.Contraction("c2", x, "nabthw,abr,rhw,cdr->ncdthw|hw[stride=2 pad=1]", Extents(r: 6, h: 3, w: 3, c: 4, d: 4))
        );
        Graph graph = net.ToGraph(net.Contraction("head", x, "nabthw,abtp,phwk->nk", Extents(p: 7, k: 10)));
        TrainedNetworkTests.AssertAgrees(graph, images: 4, threads: 2);
        Tensor<float> clip = Random([3, 2, 3, 4, 8, 8], 5);
        using Inference network = new(graph);
        Close(network.Run(clip), Peer(graph, clip));
    }

    private static Dictionary<char, int> Extents(int r = 0, int t = 0, int h = 0, int w = 0, int c = 0, int d = 0, int p = 0, int k = 0) =>
        new (char Axis, int Extent)[] { ('r', r), ('t', t), ('h', h), ('w', w), ('c', c), ('d', d), ('p', p), ('k', k) }
            .Where(static axis => axis.Extent > 0)
            .ToDictionary(static axis => axis.Axis, static axis => axis.Extent);

    private static Graph GraphOf(int index)
    {
        (string text, int[][] shapes) = Layers[index];
        Equation equation = Equation.Parse(text);
        string[] names = [.. shapes.Select(static (_, k) => k == 0 ? "x" : $"w{k}")];
        Port input = new("x", ElementType.Float32, [new(null, "N"), .. shapes[0].Skip(1).Select(static e => new Dimension(e))]);
        Shape result = equation.Infer([.. shapes.Select(static shape => Shape.From(shape))]);
        Port output = new("y", ElementType.Float32, [new(null, "N"), .. result.Skip(1).Select(static e => new Dimension(e))]);
        return new(
            "layer",
            [new("y", new EinsumOf(equation), [.. names], ["y"])],
            [input],
            [output],
            names
                .Skip(1)
                .Select((name, k) => (name, k))
                .ToImmutableDictionary(static n => n.name, n => (Tensor)Random(shapes[n.k + 1], n.k + 10))
        );
    }

    /// <summary>The first output in ONNX Runtime, of the network as it is written.</summary>
    private static Tensor<float> Peer(Graph graph, Tensor<float> x)
    {
        using OrtRuntime runtime = new();
        using ISession session = runtime.Load(graph, 1);
        return session.Run(new Dictionary<string, Tensor> { [graph.Inputs[0].Name] = x })[graph.Outputs[0].Name].Of<float>();
    }

    private static Tensor<float> Random(int[] shape, int seed) => new Sketch(seed).Random(Shape.From(shape));

    private static void Close(Tensor<float> wanted, Tensor<float> actual)
    {
        Assert.Equal(wanted.Shape, actual.Shape);
        for (int i = 0; i < wanted.Values.Length; i++)
            Assert.True(
                Math.Abs(wanted.Values[i] - actual.Values[i]) <= 3e-5f * (1 + Math.Abs(wanted.Values[i])),
                $"[{i}] {wanted.Values[i]} became {actual.Values[i]}"
            );
    }
}
