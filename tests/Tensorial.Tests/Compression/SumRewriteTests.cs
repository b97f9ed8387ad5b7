using System.Collections.Immutable;
using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Decompositions;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.OnnxRuntime;
using Tensorial.Operations;

namespace Tensorial.Tests.Compression;

/// <summary>A layer as a sum of two forms, or in a form by its equation, computes what it computes with the kernel they make.</summary>
public sealed class SumRewriteTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    public static TheoryData<string, int[]> Forms =>
        new()
        {
            { "decoupled-in+spatial-svd", [2, 0, 3, 1, 3] },
            { "decoupled-in+decoupled-out", [1, 1, 0, 2, 1, 0, 3, 2, 0, 1] },
            { "decoupled-in+decoupled-out", [1, 1] },
            { "svd-out+svd-in", [2, 1] },
            { "tucker2+tucker2", [2, 2, 1, 1] },
            { "cp+rtt:2", [2, 2, 2] },
            { "basis+tt", [1, 2, 2, 2] },
            { "rih,orw->oihw", [3] },
            { "ri,srw,osh->oihw", [2, 3] },
            { "si,rhw,osr->oihw", [2, 2] },
        };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Branches_add_up_to_the_kernel(string format, int[] ranks)
    {
        using OrtRuntime runtime = new();
        foreach ((int stride, bool bias) in new[] { (1, true), (2, false) })
        {
            Graph graph = FactorRewriteTests.Convolved(new(6), 6, 4, 3, 3, stride, 1, 1, bias);
            CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
            LayerForm form = LayerForm.From(layer, KernelFormat.Parse(format), [.. ranks]);
            TensorFactors<double> fit = InitialFactors.Draw(form.Form, form.Ranks, 0.3, new(12));
            FactorOrder[] orders = form.IsSum ? [form.Order, WholeOf(form)] : [form.Order, FactorOrder.Whole(form.Form)];
            foreach (FactorOrder order in orders)
            {
                LayerForm ordered = form with { Order = order };
                if (ordered.Terms.Any(term => Stage.Of(term.Form, term.Ranks, term.Order, layer) is null))
                    continue;
                Graph small = FactorRewrite.Apply(graph, layer, ordered, fit);
                Graph whole = graph.With(layer.Name, layer.StoredAs(fit.Reconstruct()));
                Tensor<float> images = FactorRewriteTests.Values(new(13), [2, 4, 15, 17]);
                using Inference dense = new(whole, 1),
                    factored = new(small, 1);
                using ISession session = runtime.Load(small, 1);
                Tensor<float> wanted = dense.Run(images);
                FactorRewriteTests.AssertClose(wanted, factored.Run(images), 1e-4);
                FactorRewriteTests.AssertClose(wanted, session.Run(small, images), 1e-4);

                GraphStatistics statistics = GraphStatistics.From(small);
                Assert.Equal(ordered.MacsOf(layer), statistics.Macs);
                Assert.Equal(form.Parameters, statistics.ConvolutionParameters);
                Assert.Equal(small.Nodes.Length, small.Nodes.Select(static node => node.Name).Distinct().Count());
            }
        }
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public void A_dense_layer_and_grouped_ones_may_be_sums(bool isGrouped)
    {
        Node dense = new("dense", new Gemm { TransposeB = true }, ["x", "w", "b"], ["y"]);
        Random random = new(3);
        Graph graph = isGrouped
            ? FactorRewriteTests.Convolved(random, 6, 4, 3, 3, 1, 1, 2, true)
            : FactorRewriteTests.GraphOf(
                dense,
                [2, 12],
                true,
                ("w", FactorRewriteTests.Values(random, [10, 12])),
                ("b", FactorRewriteTests.Values(random, [10]))
            );
        CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
        LayerForm form = LayerForm.From(
            layer,
            KernelFormat.Parse(isGrouped ? "spatial-svd+svd-out" : "svd-out+rtt:2"),
            isGrouped ? [2, 1] : [2, 3]
        );
        TensorFactors<double> fit = InitialFactors.Draw(form.Form, form.Ranks, 0.3, new(12));
        Graph small = FactorRewrite.Apply(graph, layer, form, fit);
        Tensor<float> images = FactorRewriteTests.Values(new(13), isGrouped ? [2, 4, 15, 17] : [2, 12]);
        using Inference whole = new(graph.With(layer.Name, layer.StoredAs(fit.Reconstruct())), 1),
            factored = new(small, 1);
        FactorRewriteTests.AssertClose(whole.Run(images), factored.Run(images), 1e-4);
    }

    /// <summary>A plan says a sum, or an equation, and its order, and is read again.</summary>
    [Theory]
    [InlineData("decoupled-in+spatial-svd"), InlineData("rih,orw->oihw"), InlineData("svd-out+rih,orw->oihw")]
    public void Plans_keep_it(string format)
    {
        Graph sample = OnnxFile.Read(Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx"));
        ImmutableArray<CompressibleLayer> layers = CompressibleLayer.Of(sample).Layers;
        CompressibleLayer middle = layers.Where(static layer => !layer.IsDense).ElementAt(1);
        KernelForm whole = middle.FormOf(KernelFormat.Parse(format));
        LayerForm form = LayerForm.From(middle, whole.Format, whole.RanksAt(new KernelStarts(middle.Kernel, KernelMetric.Plain), 0.4));
        CompressionPlan.From("model.onnx", "abc", [], [CompressionCandidate.From(middle, form, 0.5, 0.1)]).Write(_path);
        CompressionCandidate read = CompressionPlan.Read(_path).ChoicesFor([middle]).Single();

        Assert.Equal(form.ToString(), read.Form!.ToString());
        Assert.Equal(form.Order, read.Form.Order);
        Assert.Equal((form.Parameters, form.MacsOf(middle)), (read.Parameters, read.Macs));
        Assert.Equal(form.IsSum, File.ReadAllText(_path).Contains(" \\u002B ") || File.ReadAllText(_path).Contains(" + "));
    }

    [Theory]
    [InlineData("\"format\": \"svd-out+svd-in\", \"ranks\": [2]", "takes 2 ranks")]
    [InlineData(
        "\"format\": \"svd-out+svd-in\", \"ranks\": [2, 2], \"order\": [[0], [1, 2], [3]]",
        "names each of its factors 0 to 1 once"
    )]
    [InlineData("\"format\": \"search\", \"ranks\": [2]", "finds formats for trained kernels")]
    [InlineData("\"format\": \"rih,osw->oihw\", \"ranks\": [2]", "bonds join two or more")]
    [InlineData("\"format\": \"rih,orhw->oihw\", \"ranks\": [2]", "h stands in 2 factors")]
    public void What_does_not_fit_is_refused(string fields, string reason)
    {
        Graph sample = OnnxFile.Read(Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx"));
        CompressibleLayer middle = CompressibleLayer.Of(sample).Layers.Where(static layer => !layer.IsDense).ElementAt(1);
        File.WriteAllText(_path, $$"""{ "schemaVersion": 1, "layers": [ { "name": "{{middle.Name}}", {{fields}} } ] }""");
        string message = Assert.ThrowsAny<BadInputException>(() => CompressionPlan.Read(_path).ChoicesFor([middle])).Message;
        Assert.Contains(reason, message);
        Assert.Contains(middle.Name, message);
    }

    private static FactorOrder WholeOf(LayerForm form)
    {
        int first = form.Form.Terms[0].Tensor.Equation.Inputs.Length,
            second = form.Form.Terms[1].Tensor.Equation.Inputs.Length;
        return new([
            [.. Enumerable.Range(0, first)],
            [.. Enumerable.Range(first, second)],
        ]);
    }
}
