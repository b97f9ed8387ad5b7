using System.Collections.Immutable;
using FsCheck.Fluent;
using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Decompositions;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.OnnxRuntime;
using Tensorial.Operations;

namespace Tensorial.Tests.Compression;

/// <summary>A layer in factors computes what it computes with the kernel that its factors make, in every order.</summary>
public class FactorRewriteTests
{
    internal static readonly ImmutableArray<KernelFormat> Formats =
    [
        .. KernelFormat.All.Select(static format => format.IsReshaped ? format with { Number = 2 } : format),
        // Formats of users: a tree, one with loops, one that parts space only at the output.
        KernelFormat.FromEquation("ri,sr,shw,os->oihw"),
        KernelFormat.FromEquation("ri,rsh,rsw,ors->oihw"),
        KernelFormat.FromEquation("ri,srh,ows->oihw"),
    ];

    public static TheoryData<string, int, int, int, int, int> Cases()
    {
        TheoryData<string, int, int, int, int, int> cases = [];
        foreach (KernelFormat format in Formats)
        foreach ((int height, int width) in new[] { (1, 1), (3, 3), (5, 5), (7, 7), (1, 7), (3, 1) })
        foreach ((int stride, int dilation) in new[] { (1, 1), (2, 1), (1, 2) })
        foreach (int groups in format.IsReshaped ? (int[])[1] : [1, 2])
            cases.Add(format.ToString(), height, width, stride, dilation, groups);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Factors_in_their_cheapest_order_equal_the_kernel(string format, int height, int width, int stride, int dilation, int groups)
    {
        Random random = new(height * 100 + width * 10 + stride + dilation);
        Graph graph = Convolved(random, 6, 4, height, width, stride, dilation, groups, (height + stride + dilation) % 2 == 0);
        AssertSame(graph, KernelFormat.Parse(format), random, [2, 4, 15, 17]);
    }

    /// <summary>Random extents, channels that need padding among them, and random orders of the factors, some made one.</summary>
    [Fact]
    public void Every_order_gives_the_same()
    {
        (int forms, int chains) = (0, 0);
        Prop.ForAll(
                Gen.Choose(0, int.MaxValue - 1).ToArbitrary(),
                seed =>
                {
                    Random random = new(seed);
                    KernelFormat format = Formats[random.Next(Formats.Length)];
                    int groups = format.IsReshaped ? 1 : random.Next(1, 4),
                        inputs = random.Next(1, 8) * groups,
                        outputs = random.Next(1, 8) * groups;
                    Graph graph = Convolved(
                        random,
                        outputs,
                        inputs,
                        random.Next(1, 4),
                        random.Next(1, 4),
                        random.Next(1, 3),
                        random.Next(1, 3),
                        groups,
                        random.Next(2) == 0,
                        fixedPlaces: random.Next(3) > 0
                    );
                    CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.FirstOrDefault()!;
                    // A vector is no kernel, and not every format is one for every kernel.
                    if (layer is null)
                        return;
                    format = layer.Suits(format) ? format : layer.Formats[random.Next(layer.Formats.Length)];
                    forms++;
                    LayerForm form = FormOf(layer, format);
                    for (int k = 0; k < 4; k++)
                    {
                        LayerForm ordered =
                            k == 0 ? form : form with { Order = RandomOrder(form.Form.Tensor.Equation.Inputs.Length, random) };
                        if (Stage.Of(form.Form, form.Ranks, ordered.Order, layer) is null)
                            continue;
                        AssertSame(graph, layer, ordered, random, [2, inputs, 15, 17]);
                        chains += ordered.Order.IsWhole ? 0 : 1;
                    }
                }
            )
            .Holds();
        // Of a hundred cases: most are layers, and most of those are written as chains in two orders or more.
        Assert.True(forms >= 80 && chains >= 120, $"{forms} layers and {chains} chains were tried");
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public void A_dense_layer_equals_its_matrix(bool gemm)
    {
        Random random = new(3);
        foreach (KernelFormat format in (KernelFormat[])[KernelFormat.SvdOut, .. Formats.Where(static format => format.IsReshaped)])
        {
            Tensor<float> weights = Values(random, gemm ? [10, 12] : [12, 10]);
            Node node = gemm
                ? new("dense", new Gemm { TransposeB = true }, ["x", "w", "b"], ["y"])
                : new("dense", new MatMul(), ["x", "w"], ["y"]);
            Graph graph = GraphOf(node, [2, 12], true, ("w", weights), ("b", Values(random, [10])));
            CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
            LayerForm form = FormOf(layer, format);
            foreach (
                FactorOrder order in (FactorOrder[])
                    [form.Order, FactorOrder.Whole(form.Form), RandomOrder(form.Form.Tensor.Equation.Inputs.Length, random)]
            )
                AssertSame(graph, layer, form with { Order = order }, random, [2, 12]);
        }
    }

    /// <summary>N Tucker-2 terms side by side: 1×1 to N r channels, one convolution in N groups, 1×1 that adds the terms up.</summary>
    [Theory]
    [InlineData("bt:2", 2), InlineData("bt:3", 3)]
    public void Block_terms_are_one_grouped_convolution(string format, int terms)
    {
        Graph graph = Convolved(new(4), 24, 16, 3, 3, 2, 1, 1, true);
        CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
        LayerForm form = LayerForm.From(layer, KernelFormat.Parse(format), [2, 3]);
        Graph small = FactorRewrite.Apply(graph, layer, form, Fit(layer, form));

        Convolution[] convolutions = [.. small.Nodes.Select(static node => (Convolution)node.Operation)];
        Assert.Equal([1, terms, 1], convolutions.Select(static convolution => convolution.Groups));
        Assert.Equal([1, 3, 1], convolutions.Select(static convolution => convolution.KernelShape[0]));
        Assert.Equal(
            [
                [terms * 2, 16, 1, 1],
                [terms * 3, 2, 3, 3],
                [24, terms * 3, 1, 1],
            ],
            small.Nodes.Select(node => small.Initializers[node.Inputs[1]].Shape.ToArray())
        );
    }

    public static TheoryData<string, int[]> RanksByChannel =>
        new()
        {
            { "decoupled-in", [2, 0, 3, 1] },
            { "decoupled-in", [3, 3, 2, 0] },
            { "decoupled-in", [0, 0, 1, 1] },
            { "decoupled-in", [2, 2, 2, 2] },
            { "decoupled-out", [1, 0, 3, 2, 1, 3] },
            { "decoupled-out", [3, 2, 2, 2, 1, 1] },
            { "decoupled-out", [1, 1, 1, 1, 0, 0] },
            { "decoupled-out", [2, 2, 2, 2, 2, 2] },
        };

    /// <summary>Channels of different ranks, in no order, some of them of rank 0.</summary>
    [Theory]
    [MemberData(nameof(RanksByChannel))]
    public void Ranks_may_differ_by_channel(string format, int[] ranks)
    {
        foreach (bool bias in (bool[])[false, true])
        {
            Graph graph = Convolved(new(6), 6, 4, 3, 3, 2, 1, 1, bias);
            CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
            LayerForm form = LayerForm.From(layer, KernelFormat.Parse(format), [.. ranks]);
            TensorFactors<double> fit = InitialFactors.Draw(form.Form, form.Ranks, 0.3, new(12));
            AssertSame(graph, layer, form, fit, new(13), [2, 4, 15, 17]);

            // A product of filter and pointwise kernel for each of the ranks, counted once at the places where each of them works.
            GraphStatistics statistics = GraphStatistics.From(FactorRewrite.Apply(graph, layer, form, fit));
            int sum = ranks.Sum(),
                perFilter = 9 + (format == "decoupled-in" ? 6 : 4);
            Assert.Equal(sum * perFilter, form.Parameters);
            Assert.Equal(form.Parameters, statistics.ConvolutionParameters);
            Assert.Equal(form.MacsOf(layer), statistics.Macs);
        }
    }

    [Fact]
    public void What_is_counted_is_what_is_done()
    {
        foreach (KernelFormat format in Formats)
        {
            Graph graph = Convolved(new(2), 6, 4, 3, 3, 2, 1, 1, false);
            CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
            LayerForm form = FormOf(layer, format);
            foreach (FactorOrder order in (FactorOrder[])[form.Order, FactorOrder.Whole(form.Form)])
            {
                LayerForm ordered = form with { Order = order };
                GraphStatistics statistics = GraphStatistics.From(FactorRewrite.Apply(graph, layer, ordered, Fit(layer, ordered)));
                Assert.Equal(ordered.MacsOf(layer), statistics.Macs);
                Assert.Equal((order, form.Parameters), (order, statistics.Parameters));
                // A stage whose product holds less than its factors is a weight of that size.
                Assert.InRange(statistics.ConvolutionParameters, form.Parameters * 9 / 10, form.Parameters);
            }
        }
    }

    [Fact]
    public void Every_format_runs_in_onnx_runtime_with_the_same_answers()
    {
        using OrtRuntime runtime = new();
        foreach (Graph small in Written())
        {
            Tensor<float> images = Values(new(5), [2, small.Inputs[0].Dimensions!.Value[1].Extent!.Value, 15, 17]);
            using ISession session = runtime.Load(small, 1);
            using Inference own = new(small, 1);
            AssertClose(session.Run(small, images), own.Run(images), 1e-4);
        }
    }

    [OracleFact(Oracle.OnnxPython)]
    public void Every_written_model_passes_the_checker()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            int count = 0;
            foreach (Graph small in Written())
                OnnxFile.Write(small, Path.Combine(folder, $"{count++}.onnx"));
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

    /// <summary>Every format in its cheapest order and as a whole kernel; with groups, and with channels that are padded.</summary>
    private static IEnumerable<Graph> Written()
    {
        foreach (KernelFormat format in Formats)
        foreach ((int outputs, int inputs, int groups) in ((int, int, int)[])[(6, 4, 1), (6, 4, 2), (13, 7, 1)])
        {
            Graph graph = Convolved(new(7), outputs, inputs, 3, 3, 2, 1, groups, true);
            CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
            if (!layer.Suits(format))
                continue;
            LayerForm form = FormOf(layer, format);
            foreach (FactorOrder order in (FactorOrder[])[form.Order, FactorOrder.Whole(form.Form)])
            {
                LayerForm ordered = form with { Order = order };
                yield return FactorRewrite.Apply(graph, layer, ordered, Fit(layer, ordered));
            }
        }
        foreach (object[] values in RanksByChannel)
        {
            Graph graph = Convolved(new(6), 6, 4, 3, 3, 2, 1, 1, true);
            CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
            LayerForm form = LayerForm.From(layer, KernelFormat.Parse((string)values[0]), [.. (int[])values[1]]);
            yield return FactorRewrite.Apply(graph, layer, form, InitialFactors.Draw(form.Form, form.Ranks, 0.3, new(12)));
        }
    }

    private static void AssertSame(Graph graph, KernelFormat format, Random random, Shape images)
    {
        CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
        if (layer.Suits(format))
            AssertSame(graph, layer, FormOf(layer, format), random, images);
        else
            Assert.Throws<BadInputException>(() => layer.FormOf(format));
    }

    private static void AssertSame(Graph graph, CompressibleLayer layer, LayerForm form, Random random, Shape images) =>
        AssertSame(graph, layer, form, Fit(layer, form), random, images);

    private static void AssertSame(
        Graph graph,
        CompressibleLayer layer,
        LayerForm form,
        TensorFactors<double> fit,
        Random random,
        Shape images
    )
    {
        Graph small = FactorRewrite.Apply(graph, layer, form, fit),
            rebuilt = graph.With("w", layer.StoredAs(fit.Reconstruct()));
        Assert.DoesNotContain("w", small.Initializers.Keys);
        Assert.Equal(form.Parameters, fit.Parameters);
        Tensor<float> x = Values(random, images);
        using Inference one = new(For(small, images), 1),
            other = new(For(rebuilt, images), 1);
        AssertClose(other.Run(x), one.Run(x), 2e-4);
    }

    /// <summary>The network with the extents of its input no longer free.</summary>
    private static Graph For(Graph graph, Shape images) =>
        graph with
        {
            Inputs =
            [
                graph.Inputs[0] with
                {
                    Dimensions = [new(null, "N"), .. images.Skip(1).Select(static extent => new Dimension(extent))],
                },
            ],
        };

    /// <summary>A form of small ranks, different ones where the format has several.</summary>
    internal static LayerForm FormOf(CompressibleLayer layer, KernelFormat format) =>
        LayerForm.From(
            layer,
            format,
            [.. layer.FormOf(format).MaxRanks.Select(static (most, bond) => Math.Clamp(2 + bond, 1, Math.Max(1, most - 1)))]
        );

    /// <summary>Random factors do: what they make is compared, not how near it is.</summary>
    internal static TensorFactors<double> Fit(CompressibleLayer layer, LayerForm form)
    {
        Random random = new(11);
        return new(
            form.Form.Tensor,
            form.Form.Folding,
            form.Ranks,
            [
                .. form
                    .Form.Tensor.FactorShapes(form.Form.Folding.Folded, form.Ranks.AsSpan())
                    .Select(shape => (Tensor<double>)Values(random, shape).To(ElementType.Float64)),
            ],
            layer.Macs
        );
    }

    private static FactorOrder RandomOrder(int factors, Random random)
    {
        List<ImmutableArray<int>> stages = [];
        int[] places = [.. Enumerable.Range(0, factors)];
        random.Shuffle(places);
        for (int at = 0; at < factors; )
        {
            int count = random.Next(1, Math.Min(3, factors - at) + 1);
            stages.Add([.. places.Skip(at).Take(count)]);
            at += count;
        }
        return new([.. stages]);
    }

    internal static Graph Convolved(
        Random random,
        int outputs,
        int inputs,
        int height,
        int width,
        int stride,
        int dilation,
        int groups,
        bool bias,
        bool fixedPlaces = true
    )
    {
        Convolution convolution = new()
        {
            KernelShape = [height, width],
            Strides = [stride, stride],
            Dilations = [dilation, dilation],
            Groups = groups,
            // More below and to the right than above and to the left.
            Pads = [height / 2, width / 2, height / 2 + 1, width / 2 + 2],
        };
        Node node = new("conv", convolution, bias ? ["x", "w", "b"] : ["x", "w"], ["y"]);
        return GraphOf(
            node,
            [2, inputs, 15, 17],
            fixedPlaces,
            ("w", Values(random, [outputs, inputs / groups, height, width])),
            ("b", Values(random, [outputs]))
        );
    }

    internal static Graph GraphOf(Node node, Shape input, bool fixedPlaces, params (string Name, Tensor Values)[] constants) =>
        new(
            "chain",
            [node],
            [
                new(
                    "x",
                    ElementType.Float32,
                    [
                        new(null, "N"),
                        .. input.Skip(1).Select((extent, axis) => fixedPlaces || axis == 0 ? new Dimension(extent) : new Dimension(null)),
                    ]
                ),
            ],
            [new("y", ElementType.Float32, [.. input.Select(static _ => new Dimension(null))])],
            constants.Where(c => node.Inputs.Contains(c.Name)).ToImmutableDictionary(static c => c.Name, static c => c.Values)
        );

    internal static Tensor<float> Values(Random random, Shape shape)
    {
        Tensor<float> values = new(shape);
        foreach (ref float value in values.Values)
            value = random.NextSingle() - 0.5f;
        return values;
    }

    internal static void AssertClose(Tensor<float> expected, Tensor<float> actual, double tolerance)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        double largest = expected.Values.ToArray().Zip(actual.Values.ToArray(), static (a, b) => Math.Abs((double)a - b)).Max();
        Assert.True(largest <= tolerance, $"the largest difference is {largest}");
    }
}
