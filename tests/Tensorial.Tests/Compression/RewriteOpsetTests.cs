using Google.Protobuf;
using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Onnx.Proto;
using Tensorial.OnnxRuntime;
using Tensorial.Operations;
using static Tensorial.Tests.Compression.FactorRewriteTests;

namespace Tensorial.Tests.Compression;

/// <summary>Every rewrite is valid in every operator set: judged by ONNX Runtime, and by the checker of onnx where that knows the set.</summary>
public sealed class RewriteOpsetTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public static TheoryData<int> Opsets() => [7, 9, 10, 11, 13, 17, 21];

    public void Dispose() => _folder.Delete(true);

    [Theory]
    [MemberData(nameof(Opsets))]
    public void Every_format_answers_in_onnx_runtime_as_the_kernel_it_makes(int opset)
    {
        foreach ((Graph dense, Graph small, Shape input) in Rewrites(opset))
        {
            Tensor<float> x = Values(new(5), input);
            using ISession one = OrtRuntime.Load(OnnxFile.ToBytes(dense), 1),
                other = OrtRuntime.Load(OnnxFile.ToBytes(small), 1);
            AssertClose(one.Run(dense, x), other.Run(small, x), 2e-4);
        }
    }

    [OracleTheory(Oracle.OnnxPython)]
    [MemberData(nameof(Opsets))]
    public void Every_format_passes_the_checker(int opset)
    {
        int count = 0;
        foreach ((_, Graph small, _) in Rewrites(opset))
            OnnxFile.Write(small, Path.Combine(_folder.FullName, $"{count++}.onnx"));
        Oracles.RunPython(
            """
            import glob, onnx, sys
            for f in glob.glob(sys.argv[1] + '/*.onnx'):
                m = onnx.load(f)
                if m.opset_import[0].version <= onnx.defs.onnx_opset_version():
                    onnx.checker.check_model(m, full_check=True)
            """,
            _folder.FullName
        );
    }

    /// <summary>Layers, the same with the kernel that some factors make, and with the factors themselves.</summary>
    private static IEnumerable<(Graph Dense, Graph Small, Shape Input)> Rewrites(int opset)
    {
        foreach ((Graph graph, Shape input) in Layers(opset))
        foreach (KernelFormat format in Formats)
        {
            Graph read = AtOpset(graph, opset);
            CompressibleLayer layer = CompressibleLayer.Of(read).Layers.Single();
            if (layer.Formats.All(known => known.Name != format.Name))
                continue;
            LayerForm form = FormOf(layer, format);
            foreach (FactorOrder order in (FactorOrder[])[form.Order, FactorOrder.Whole(form.Form)])
            {
                LayerForm ordered = form with { Order = order };
                TensorFactors<double> fit = Fit(layer, ordered);
                yield return (read.With("w", layer.StoredAs(fit.Reconstruct())), FactorRewrite.Apply(read, layer, ordered, fit), input);
            }
        }
    }

    private static IEnumerable<(Graph Graph, Shape Input)> Layers(int opset)
    {
        foreach ((int outputs, int inputs, int groups) in ((int, int, int)[])[(6, 4, 1), (6, 4, 2), (13, 7, 1)])
            yield return (Convolved(new(7), outputs, inputs, 3, 3, 2, 1, groups, true), [2, inputs, 15, 17]);
        (Tensor<float> weights, Tensor<float> bias) = (Values(new(3), [10, 12]), Values(new(4), [10]));
        Gemm gemm = new() { TransposeB = true };
        yield return (GraphOf(new("dense", gemm, ["x", "w", "b"], ["y"]), [2, 12], true, ("w", weights), ("b", bias)), [2, 12]);
        if (opset >= 11)
            yield return (GraphOf(new("dense", gemm, ["x", "w"], ["y"]), [2, 12], true, ("w", weights)), [2, 12]);
        yield return (GraphOf(new("dense", new MatMul(), ["x", "w"], ["y"]), [2, 12], true, ("w", weights.As([12, 10]))), [2, 12]);
    }

    /// <summary>The network as a file of another operator set holds it; its nodes read the same in all of them.</summary>
    private static Graph AtOpset(Graph graph, int opset)
    {
        ModelProto model = ModelProto.Parser.ParseFrom(OnnxFile.ToBytes(graph));
        model.OpsetImport.Single().Version = opset;
        // The first that go with these operator sets; initializers of the oldest are inputs as well.
        model.IrVersion = opset < 9 ? 3 : 8;
        return OnnxFile.Read(model.ToByteArray(), "layer.onnx");
    }
}
