using System.Collections.Immutable;
using Tensorial.Autodiff;
using Tensorial.Autodiff.Operations;
using Tensorial.Compression;
using Tensorial.Decompositions;
using Tensorial.Networks;
using Tensorial.Onnx;

namespace Tensorial.Tests.Compression;

/// <summary>A chain computes what the layer computes with the kernel that its factors make.</summary>
public class ChainRewriteTests
{
    public static TheoryData<string, int, int, int, int, bool> Cases()
    {
        TheoryData<string, int, int, int, int, bool> cases = [];
        foreach (string format in KernelFormat.All.Select(static format => format.Name))
            foreach ((int height, int width) in new[] { (1, 1), (3, 3), (5, 5), (7, 7), (1, 7), (3, 1) })
                foreach ((int stride, int dilation) in new[] { (1, 1), (2, 1), (1, 2) })
                    cases.Add(format, height, width, stride, dilation, (height + stride + dilation) % 2 == 0);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_chain_of_convolutions_equals_its_kernel(string format, int height, int width, int stride, int dilation, bool bias)
    {
        Random random = new(height * 100 + width * 10 + stride + dilation);
        Graph graph = Convolved(random, height, width, stride, dilation, bias);
        AssertSame(graph, KernelFormat.Parse(format), random, [2, 5, 15, 17]);
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public void A_chain_of_products_equals_its_matrix(bool gemm)
    {
        Random random = new(3);
        Tensor<float> weights = Values(random, gemm ? [7, 12] : [12, 7]);
        Node node = gemm
            ? new("dense", new Gemm { TransposeB = true }, ["x", "w", "b"], ["y"])
            : new("dense", new MatMul(), ["x", "w"], ["y"]);
        Graph graph = GraphOf(node, [2, 12], ("w", weights), ("b", Values(random, [7])));
        AssertSame(graph, KernelFormat.SvdOut, random, [2, 12]);
    }

    [OracleFact(Oracle.OnnxRuntime)]
    public void Every_format_runs_in_onnx_runtime_with_the_same_answers()
    {
        using Tensorial.Compression.Runtimes.OnnxRuntimeLibrary runtime = Tensorial.Compression.Runtimes.OnnxRuntimeLibrary.Open();
        foreach (KernelFormat format in KernelFormat.All)
        {
            Random random = new(5);
            Graph small = Rewritten(Convolved(random, 3, 3, 2, 1, true), format).Small;
            Tensor<float> images = Values(random, [2, 5, 15, 17]);
            using Tensorial.Compression.Runtimes.ISession session = runtime.Load(small, 1);
            using Inference own = new(small, 1);
            AssertClose(session.Run(images), own.Run(images), 1e-4);
        }
    }

    [OracleFact(Oracle.OnnxPython)]
    public void Every_written_model_passes_the_checker()
    {
        foreach (KernelFormat format in KernelFormat.All)
        {
            string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.onnx");
            try
            {
                OnnxFile.Write(Rewritten(Convolved(new(7), 3, 3, 1, 1, true), format).Small, path);
                Oracles.RunPython("import onnx, sys; onnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True)", path);
            }
            finally
            {
                File.Delete(path);
            }
        }
    }

    private static void AssertSame(Graph graph, KernelFormat format, Random random, Shape images)
    {
        (Graph small, Graph rebuilt) = Rewritten(graph, format);
        Assert.DoesNotContain("w", small.Initializers.Keys);
        Tensor<float> x = Values(random, images);
        using Inference one = new(small, 1), other = new(rebuilt, 1);
        AssertClose(other.Run(x), one.Run(x), 2e-4);
    }

    /// <summary>The network in factors of random ranks, and with the kernel they make.</summary>
    private static (Graph Small, Graph Rebuilt) Rewritten(Graph graph, KernelFormat format)
    {
        CompressibleLayer layer = CompressibleLayer.Of(graph).Layers.Single();
        ImmutableArray<int> ranks = [.. format.MaxRanks(layer.Kernel.Shape).Select(static most => Math.Max(1, Math.Min(4, most - 1)))];
        Factorization fit = KernelFit.Of(layer.Kernel, format, ranks, options: new(Iterations: 5));
        return (ChainRewrite.Apply(graph, layer, fit), graph.With("w", CandidateSearch.StoredAs(layer.Weight, fit.Reconstruct())));
    }

    private static Graph Convolved(Random random, int height, int width, int stride, int dilation, bool bias)
    {
        Convolution convolution = new()
        {
            KernelShape = [height, width], Strides = [stride, stride], Dilations = [dilation, dilation],
            // More below and to the right than above and to the left.
            Pads = [height / 2, width / 2, height / 2 + 1, width / 2 + 2],
        };
        Node node = new("conv", convolution, bias ? ["x", "w", "b"] : ["x", "w"], ["y"]);
        return GraphOf(node, [2, 5, 15, 17], ("w", Values(random, [6, 5, height, width])), ("b", Values(random, [6])));
    }

    private static Graph GraphOf(Node node, Shape input, params (string Name, Tensor Values)[] constants) => new(
        "chain", [node], [new("x", ElementType.Float32, [new(null, "N"), .. input.Skip(1).Select(static extent => new Dimension(extent))])],
        [new("y", ElementType.Float32, [.. input.Select(static _ => new Dimension(null))])],
        constants.Where(c => node.Inputs.Contains(c.Name)).ToImmutableDictionary(static c => c.Name, static c => c.Values));

    private static Tensor<float> Values(Random random, Shape shape)
    {
        Tensor<float> values = new(shape);
        foreach (ref float value in values.Values) value = random.NextSingle() - 0.5f;
        return values;
    }

    private static void AssertClose(Tensor<float> expected, Tensor<float> actual, double tolerance)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        double largest = expected.Values.ToArray().Zip(actual.Values.ToArray(), static (a, b) => Math.Abs((double)a - b)).Max();
        Assert.True(largest <= tolerance, $"the largest difference is {largest}");
    }
}
