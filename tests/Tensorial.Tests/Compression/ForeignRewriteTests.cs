using System.Collections.Immutable;
using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.OnnxRuntime;
using Tensorial.Operations;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Compression;

/// <summary>
/// Every layer of networks made by others as factors, whatever these fit: ONNX Runtime answers as with the kernels that the factors make,
/// and as we do, up to where two numbers that are equal but for rounding lead to different answers.
/// </summary>
public class ForeignRewriteTests
{
    private const double Rate = 0.5;

    private static readonly ImmutableArray<string> Formats = Oracles.Heavy
        ? ["svd-out", "svd-in", "spatial-svd", "tucker2", "cp", "cp3", "tt", "tr", "rcp:2", "bt:2", "basis"]
        : ["svd-out", "svd-in", "cp", "tucker2"];

    public static TheoryData<string> Networks() =>
        [.. Oracles.ForeignModels.Where(static path => !LeftOut.Contains(Path.GetFileName(path)))];

    /// <summary>Those that are skipped, each for the reason it is listed with below.</summary>
    private static ImmutableArray<string> LeftOut { get; } =
    [
        .. typeof(ForeignRewriteTests)
            .GetMethod(nameof(Factors_answer_as_the_kernels_that_they_make))!
            .GetCustomAttributes(typeof(LeftOutAttribute), false)
            .Select(static attribute => ((LeftOutAttribute)attribute).File),
    ];

    [OracleTheory(Oracle.ForeignModels), MemberData(nameof(Networks))]
    [LeftOut("meshnet3d.onnx", "a volume of 256³ takes minutes")]
    public void Factors_answer_as_the_kernels_that_they_make(string path)
    {
        Graph file = BeforeDiscontinuities.Apply(WeightsAsInitializers.Apply(OnnxFile.Read(path))),
            graph = file.WithGuessedExtents();
        Assert.NotEmpty(file.Outputs);
        // What takes minutes is to be left out by name.
        Assert.InRange(GraphStatistics.From(graph).Macs, 0, 20_000_000_000);
        (ImmutableArray<CompressibleLayer> layers, _) = LayerChoice.From(graph, [], [], file);
        IReadOnlyDictionary<string, Tensor> inputs = RandomInputs.Create(graph, 1, 3, InputScale.From(graph));
        // ONNX Runtime's answer for quantised networks depends on the processor (docs/operators.md).
        bool isOurs = !file.Nodes.Any(static node =>
            node.Operation is QuantizeLinear or QLinearConv or ConvInteger or DynamicQuantizeLinear
        );
        IReadOnlyDictionary<string, Tensor> dense = InOnnxRuntime(file, inputs);
        List<string> wrong = [];
        if (isOurs)
            Check(dense, Ours(file, inputs), "dense, here", 5e-3);
        int tried = 0;
        foreach (KernelFormat format in Formats.Select(KernelFormat.Parse))
        {
            (Graph small, Graph rebuilt) = (file, file);
            int random = 0;
            foreach (CompressibleLayer layer in layers.Where(layer => layer.Suits(format)))
            {
                LayerForm form = LayerForm.From(layer, format, layer.FormOf(format).RanksAt(Rate));
                TensorFactors<double> factors = Random(layer, form, random++);
                small = FactorRewrite.Apply(small, layer, form, factors);
                rebuilt = rebuilt.With(layer.Name, layer.StoredAs(factors.Reconstruct()));
            }
            if (random == 0)
                continue;
            tried++;
            IReadOnlyDictionary<string, Tensor> written = InOnnxRuntime(small, inputs);
            Check(InOnnxRuntime(rebuilt, inputs), written, $"{format}", 2e-2);
            if (isOurs)
                Check(written, Ours(small, inputs), $"{format}, here", 2e-2);
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(tried > 0 || layers.IsEmpty, "no layer takes any of the formats");

        void Check(IReadOnlyDictionary<string, Tensor> expected, IReadOnlyDictionary<string, Tensor> given, string what, double tolerance)
        {
            foreach ((string name, Tensor value) in expected)
            {
                OutputComparison comparison = new(name, null);
                comparison.Add(value, given[name], 1, 1);
                if (comparison.IsBlind)
                    wrong.Add($"{what}: {name} has no finite number");
                if (comparison.Result.RelativeError > tolerance && comparison.Result.MaxDifference > 1e-5)
                    wrong.Add($"{what}: {name} differs by {comparison.Result.RelativeError}, {comparison.Result.MaxDifference} at most");
            }
        }
    }

    private static IReadOnlyDictionary<string, Tensor> InOnnxRuntime(Graph graph, IReadOnlyDictionary<string, Tensor> inputs)
    {
        using ISession session = OrtRuntime.Load(OnnxFile.ToBytes(graph), 1);
        return session.Run(inputs);
    }

    private static IReadOnlyDictionary<string, Tensor> Ours(Graph graph, IReadOnlyDictionary<string, Tensor> inputs)
    {
        using ISession session = new OwnRuntime().Load(graph, 1);
        return session.Run(inputs);
    }

    /// <summary>Factors of random numbers that make a kernel as large as the layer's.</summary>
    private static TensorFactors<double> Random(CompressibleLayer layer, LayerForm form, int seed)
    {
        Sketch sketch = new(seed);
        TensorFactors<double> drawn = new(
            form.Form.Tensor,
            form.Form.Folding,
            form.Ranks,
            [
                .. form
                    .Form.Tensor.FactorShapes(form.Form.Folding.Folded, form.Ranks.AsSpan())
                    .Select(shape => (Tensor<double>)sketch.Random(shape).To(ElementType.Float64)),
            ],
            0
        );
        double scale = Math.Sqrt(Norm(layer.Kernel) / Norm(drawn.Reconstruct()));
        ImmutableArray<Tensor<double>> factors = drawn.Factors;
        Tensor<double> last = new(factors[^1].Shape);
        System.Numerics.Tensors.TensorPrimitives.Multiply(factors[^1].Values, scale, last.Values);
        return drawn with { Factors = factors.SetItem(factors.Length - 1, last) };

        static double Norm(Tensor<double> values) => System.Numerics.Tensors.TensorPrimitives.SumOfSquares<double>(values.Values);
    }
}
