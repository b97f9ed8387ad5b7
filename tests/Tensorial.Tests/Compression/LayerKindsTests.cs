using System.Collections.Immutable;
using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Decompositions;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.OnnxRuntime;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Compression;

/// <summary>Every kind of layer is written as factors, and calibration sees what it reads.</summary>
public class LayerKindsTests
{
    private static readonly ImmutableArray<(string Name, Func<Graph> Build)> Kinds =
    [
        ("convolution along one axis", static () => Layer(new Convolution { Pads = [4, 3], Strides = [2] }, [4, 20], [6, 4, 9], [6])),
        (
            "convolution along three axes",
            static () =>
                Layer(
                    new Convolution
                    {
                        Pads = [1, 0, 1, 1, 2, 1],
                        Strides = [1, 2, 1],
                        Dilations = [1, 1, 2],
                    },
                    [4, 5, 7, 8],
                    [6, 4, 3, 3, 3],
                    [6]
                )
        ),
        ("groups along three axes", static () => Layer(new Convolution { Groups = 2 }, [4, 5, 6, 7], [6, 2, 3, 3, 3], [6])),
        (
            "transposed convolution",
            static () =>
                Layer(
                    new ConvolutionTranspose
                    {
                        Pads = [1, 0, 1, 1],
                        Strides = [2, 3],
                        OutputPadding = [1, 2],
                    },
                    [4, 5, 6],
                    [4, 6, 3, 5],
                    [6]
                )
        ),
        (
            "transposed convolution with groups",
            static () => Layer(new ConvolutionTranspose { Groups = 2, Dilations = [2, 1] }, [4, 5, 6], [4, 3, 3, 3], [6])
        ),
        (
            "transposed convolution along one axis",
            static () => Layer(new ConvolutionTranspose { Strides = [2], Pads = [1, 1] }, [4, 9], [4, 6, 4], [6])
        ),
        ("matrix product of tokens", static () => Layer(new MatMul(), [5, 12], [12, 10], null)),
        ("matrix product of heads", static () => Layer(new MatMul(), [3, 5, 12], [12, 10], null)),
        ("matrix product from the left", static () => FromTheLeft()),
        (
            "scaled Gemm",
            static () =>
                Layer(
                    new Gemm
                    {
                        TransposeB = true,
                        Alpha = 0.5f,
                        Beta = 2,
                    },
                    [12],
                    [10, 12],
                    [10]
                )
        ),
        ("float16 behind a cast", static () => BehindCast()),
        ("shared by two layers", static () => Shared()),
    ];

    public static TheoryData<int> All() => [.. Enumerable.Range(0, Kinds.Length)];

    /// <summary>The kinds whose kernel meets one patch, not one for each group.</summary>
    public static TheoryData<int> Ungrouped() =>
        [.. Enumerable.Range(0, Kinds.Length).Where(static kind => CompressibleLayer.Of(Kinds[kind].Build()).Layers.Single().Groups == 1)];

    [Theory, MemberData(nameof(All))]
    public void Factors_equal_the_kernel_that_they_make(int kind)
    {
        Graph graph = Kinds[kind].Build();
        foreach ((Graph small, Graph rebuilt, string what) in Written(graph))
        {
            Dictionary<string, Tensor> inputs = new() { ["x"] = new Sketch(5).Random(Extents(graph)) };
            Close(Interpreter.Run(rebuilt, inputs)["y"], Interpreter.Run(small, inputs)["y"], $"{Kinds[kind].Name}, {what}", 5e-3);
        }
    }

    [Theory, MemberData(nameof(All))]
    public void Onnx_runtime_answers_the_same(int kind)
    {
        using OrtRuntime runtime = new();
        Graph graph = Kinds[kind].Build();
        Tensor<float> x = new Sketch(5).Random(Extents(graph));
        foreach ((Graph small, Graph _, string what) in Written(graph))
        {
            using ISession session = runtime.Load(small, 1);
            Close(Interpreter.Run(small, new Dictionary<string, Tensor> { ["x"] = x })["y"], session.Run(small, x), what, 1e-4);
        }
    }

    [OracleTheory(Oracle.OnnxPython), MemberData(nameof(All))]
    public void The_checker_accepts_what_is_written(int kind)
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            int count = 0;
            Graph graph = Kinds[kind].Build();
            Port output = graph.Outputs[0] with
            {
                Dimensions = [.. ShapeInference.Run(graph)["y"].Shape.Select(static _ => new Dimension(null))],
            };
            foreach ((Graph small, Graph _, string _) in Written(graph))
                OnnxFile.Write(small with { Outputs = [output] }, Path.Combine(folder, $"{count++}.onnx"));
            Oracles.RunPython(
                "import glob, onnx, sys\nfor f in glob.glob(sys.argv[1] + '/*.onnx'): onnx.checker.check_model(onnx.load(f), full_check=True)",
                folder
            );
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    /// <summary>What is counted before a layer is rewritten is what the rewritten network is counted to have.</summary>
    [Theory, MemberData(nameof(All))]
    public void What_is_counted_is_what_is_done(int kind)
    {
        Graph graph = Kinds[kind].Build();
        CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
        Assert.Equal(layer.Macs, GraphStatistics.From(graph).Macs);
        foreach (LayerForm form in FormsOf(layer))
            Assert.Equal(form.MacsOf(layer), GraphStatistics.From(FactorRewrite.Apply(graph, layer, form, FitOf(form))).Macs);
    }

    /// <summary>Kernel times patch is what the layer answers at the place of the patch.</summary>
    [Theory, MemberData(nameof(Ungrouped))]
    public void Patches_are_what_the_kernel_meets(int kind)
    {
        Graph graph = Kinds[kind].Build();
        CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
        LayerUse use = layer.Uses[0];
        Node node = use.Node.Operation is Gemm gemm ? use.Node with { Operation = gemm with { Alpha = 1, Beta = 0 } } : use.Node;
        Graph alone = graph with
        {
            Nodes = [.. graph.Nodes.Take(graph.Nodes.IndexOf(use.Node)), node with { Inputs = [.. node.Inputs.Take(2)] }],
            Outputs = [new(node.Outputs[0], ElementType.Float32, null)],
        };
        Tensor<float> x = new Sketch(5).Random(Extents(graph)),
            y = Interpreter.Run(alone, new Dictionary<string, Tensor> { ["x"] = x })[node.Outputs[0]].Of<float>();
        InputPatches patches = new(layer, use);
        (int Image, int Place)[] places = patches.Places(x.Shape, int.MaxValue, 0);
        float[] met = patches.Of(x, places);
        int n = met.Length / places.Length,
            outputs = layer.Kernel.Shape[0];
        // Channels of a convolution, and rows of a product from the left, stand before the places.
        int channel = use.Space > 0 ? 1 : use.SummedAxis,
            after = y.Shape.ElementCountOf(channel + 1, y.Shape.Rank),
            image = y.Shape.ElementCount / y.Shape[0];
        for (int k = 0; k < places.Length; k++)
        for (int o = 0; o < outputs; o++)
        {
            double sum = 0;
            for (int i = 0; i < n; i++)
                sum += layer.Kernel.Values[o * n + i] * met[k * n + i];
            int place = places[k].Place,
                at = use.Space > 0 ? o * after + place : place / after * outputs * after + o * after + place % after;
            Assert.Equal(y.Values[places[k].Image * image + at], sum, 1e-3);
        }
    }

    [Theory]
    [InlineData(ElementType.Float16), InlineData(ElementType.Float64), InlineData(ElementType.BFloat16)]
    public void Factors_have_the_type_of_the_weights(ElementType type)
    {
        Graph graph = Layer(new Convolution { Pads = [1, 1, 1, 1] }, [4, 7, 7], [6, 4, 3, 3], [6]);
        graph = graph with
        {
            Inputs = [graph.Inputs[0] with { Type = type }],
            Outputs = [graph.Outputs[0] with { Type = type }],
            Initializers = graph.Initializers.ToImmutableDictionary(static c => c.Key, c => c.Value.To(type)),
        };
        CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
        foreach (LayerForm form in FormsOf(layer))
        {
            Graph small = FactorRewrite.Apply(graph, layer, form, FitOf(form));
            Assert.All(small.Initializers.Values, value => Assert.Equal(type, value.ElementType));
        }
    }

    /// <summary>What a layer multiplies with is named, not what it reads.</summary>
    [Fact]
    public void Quantised_weights_are_told_from_quantised_activations()
    {
        Sketch net = new();
        net.Constant("scale", new Tensor<float>([], new[] { 0.1f }));
        net.Constant("zero", new Tensor<byte>([], new byte[] { 128 }));
        net.Constant("w8", new Tensor<sbyte>([5, 6]));
        net.Node("x8", new QuantizeLinear(), "x", "scale", "zero");
        net.Node("a", new DequantizeLinear(), "x8", "scale", "zero");
        net.Node("w", new DequantizeLinear(), "w8", "scale");
        net.Node("y", new Gemm { TransposeB = true }, "a", "w");
        Assert.Contains("stored as quantised integers", Assert.Single(CompressibleLayer.Of(net.Graph(6)).Kept).Reason);
    }

    [Fact]
    public void Shared_weights_stay_shared_factors()
    {
        Graph graph = Shared();
        CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
        Assert.Equal(2, layer.Uses.Length);
        foreach (LayerForm form in FormsOf(layer))
            Assert.Equal(form.Parameters, GraphStatistics.From(FactorRewrite.Apply(graph, layer, form, FitOf(form))).Parameters);
    }

    [Fact]
    public void Names_of_what_is_written_collide_with_none()
    {
        Sketch sketch = new();
        Convolution same = new() { Pads = [1, 1, 1, 1] };
        sketch.Node("a", same, "x", sketch.Weights("w1", [4, 4, 3, 3]));
        sketch.Node("y", same, "a", sketch.Weights("w2", [4, 4, 3, 3]));
        Graph graph = sketch.Graph(4, 7, 7);
        graph = graph with { Nodes = [.. graph.Nodes.Select(static node => node with { Name = "conv" })] };
        foreach (CompressibleLayer layer in CompressibleLayer.Of(graph).Layers)
        {
            LayerForm form = LayerForm.From(layer, KernelFormat.SvdOut, [2]);
            graph = FactorRewrite.Apply(graph, layer, form, FitOf(form));
        }
        Assert.Equal(4, graph.Nodes.Select(static node => node.Name).Distinct().Count());
        Assert.Equal(4, graph.Initializers.Count);
    }

    private static IEnumerable<(Graph Small, Graph Rebuilt, string What)> Written(Graph graph)
    {
        CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
        foreach (LayerForm form in FormsOf(layer))
        {
            TensorFactors<double> fit = FitOf(form);
            Graph small = FactorRewrite.Apply(graph, layer, form, fit);
            Assert.DoesNotContain(layer.Name, small.Initializers.Keys);
            yield return (small, graph.With(layer.Name, layer.StoredAs(fit.Reconstruct())), $"{form} {form.Order}");
        }
    }

    /// <summary>All formats, in their cheapest order and as whole kernels.</summary>
    private static IEnumerable<LayerForm> FormsOf(CompressibleLayer layer)
    {
        foreach (KernelFormat known in layer.Formats)
        {
            KernelFormat format = known.IsReshaped ? known with { Number = 2 } : known;
            KernelForm form = layer.FormOf(format);
            LayerForm small = LayerForm.From(
                layer,
                format,
                [.. form.MaxRanks.Select(static (most, bond) => Math.Clamp(2 + bond, 1, Math.Max(1, most - 1)))]
            );
            yield return small;
            yield return small with
            {
                Order = FactorOrder.Whole(form),
            };
        }
    }

    private static TensorFactors<double> FitOf(LayerForm form) =>
        new(
            form.Form.Tensor,
            form.Form.Folding,
            form.Ranks,
            [
                .. form
                    .Form.Tensor.FactorShapes(form.Form.Folding.Folded, form.Ranks.AsSpan())
                    .Select(static (shape, k) => (Tensor<double>)new Sketch(20 + k).Random(shape).To(ElementType.Float64)),
            ],
            0
        );

    private static Graph Layer(Operation operation, int[] image, Shape weights, Shape? bias)
    {
        Sketch sketch = new();
        string[] inputs = ["x", sketch.Weights("w", weights), .. bias is { } extents ? (string[])[sketch.Weights("b", extents)] : []];
        sketch.Node("y", operation, inputs);
        return sketch.Graph(image);
    }

    private static Graph FromTheLeft()
    {
        Sketch sketch = new();
        sketch.Node("y", new MatMul(), sketch.Weights("w", [10, 12]), "x");
        return sketch.Graph(3, 12, 5);
    }

    private static Graph BehindCast()
    {
        Sketch sketch = new();
        sketch.Constant("w", sketch.Random([6, 4, 3, 3]).To(ElementType.Float16));
        sketch.Node("w32", new Cast(ElementType.Float32), "w");
        sketch.Node("y", new Convolution { Pads = [1, 1, 1, 1] }, "x", "w32");
        return sketch.Graph(4, 7, 7);
    }

    private static Graph Shared()
    {
        Sketch sketch = new();
        Convolution same = new() { Pads = [1, 1, 1, 1] };
        sketch.Weights("w", [4, 4, 3, 3]);
        sketch.Node("a", same, "x", "w");
        sketch.Node("y", same, "a", "w");
        return sketch.Graph(4, 7, 7);
    }

    private static Shape Extents(Graph graph) =>
        [2, .. graph.Inputs[0].Dimensions!.Value.Skip(1).Select(static dimension => dimension.Extent!.Value)];

    private static void Close(Tensor expected, Tensor actual, string what, double tolerance)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        float[] wanted = expected.Of<float>().Values.ToArray(),
            had = actual.Of<float>().Values.ToArray();
        double scale = Math.Max(1, wanted.Max(Math.Abs)),
            largest = wanted.Zip(had, static (a, b) => Math.Abs((double)a - b)).Max();
        Assert.True(largest <= tolerance * scale, $"{what}: the largest difference is {largest} of {scale}");
    }
}
