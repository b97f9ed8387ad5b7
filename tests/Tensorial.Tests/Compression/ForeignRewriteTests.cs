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
/// and as we do. Networks of ../shared/models/foreign, and of the folder that TENSORIAL_FOREIGN names.
/// </summary>
public class ForeignRewriteTests
{
    private const double Rate = 0.5;

    private static readonly ImmutableArray<string> Formats = Oracles.Heavy
        ? ["svd-out", "svd-in", "spatial-svd", "tucker2", "cp", "cp3", "tt", "tr", "rcp:2", "bt:2", "basis"]
        : ["svd-in", "cp", "tucker2"];

    /// <summary>What answers otherwise where two numbers are equal but for rounding.</summary>
    private static readonly ImmutableArray<string> Discontinuous = ["TopK", "NonMaxSuppression", "ArgMax", "ArgMin", "Equal"];

    private static IEnumerable<string> Folders =>
        new[] { Path.Combine(Oracles.Models, "foreign"), Environment.GetEnvironmentVariable("TENSORIAL_FOREIGN") ?? "" }.Where(
            Directory.Exists
        );

    public static TheoryData<string> Networks() =>
        [.. Folders.SelectMany(static folder => Directory.EnumerateFiles(folder, "*.onnx").Order()).DefaultIfEmpty("none")];

    [OracleTheory(Oracle.SharedModels), MemberData(nameof(Networks))]
    public void Factors_answer_as_the_kernels_that_they_make(string path)
    {
        if (path == "none")
            return;
        Graph file = WeightsAsInitializers.Apply(OnnxFile.Read(path)),
            graph = file.WithGuessedExtents();
        // A volume of 256³ takes minutes.
        if (GraphStatistics.From(graph).Macs > 20_000_000_000)
            return;
        (ImmutableArray<CompressibleLayer> layers, _) = LayerChoice.From(graph, [], [], file);
        IReadOnlyDictionary<string, Tensor> inputs = RandomInputs.Create(graph, 1, 3, InputScale.From(graph));
        if (InOnnxRuntime(file, inputs) is not { } dense)
            return;
        // Which of nearly equal values comes first is up to rounding.
        double slack = file.Nodes.Any(static node => Discontinuous.Contains(node.Operation.Name)) ? double.PositiveInfinity : 1;
        List<string> wrong = [];
        if (Ours(file, inputs) is { } own)
            Check(dense, own, "dense, here", 5e-3);
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
            IReadOnlyDictionary<string, Tensor> written =
                InOnnxRuntime(small, inputs) ?? throw new BadInputException($"ONNX Runtime refuses {format}.");
            Check(InOnnxRuntime(rebuilt, inputs)!, written, $"{format}", 2e-2);
            if (Ours(small, inputs) is { } ours)
                Check(written, ours, $"{format}, here", 2e-2);
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));

        void Check(IReadOnlyDictionary<string, Tensor> expected, IReadOnlyDictionary<string, Tensor> given, string what, double tolerance)
        {
            foreach ((string name, Tensor value) in expected)
            {
                OutputComparison comparison = new(name, null);
                comparison.Add(value, given[name], 1, 1);
                if (comparison.Result.RelativeError > tolerance * slack && comparison.Result.MaxDifference > 1e-5)
                    wrong.Add($"{what}: {name} differs by {comparison.Result.RelativeError}, {comparison.Result.MaxDifference} at most");
            }
        }
    }

    /// <summary>Null where ONNX Runtime refuses the network.</summary>
    private static IReadOnlyDictionary<string, Tensor>? InOnnxRuntime(Graph graph, IReadOnlyDictionary<string, Tensor> inputs)
    {
        try
        {
            using ISession session = OrtRuntime.Load(OnnxFile.ToBytes(graph), 1);
            return session.Run(inputs);
        }
        catch (BadInputException)
        {
            return null;
        }
    }

    /// <summary>
    /// Null where an operator is not supported, and of quantised networks, for which ONNX Runtime's answer depends on the processor
    /// (docs/operators.md).
    /// </summary>
    private static IReadOnlyDictionary<string, Tensor>? Ours(Graph graph, IReadOnlyDictionary<string, Tensor> inputs)
    {
        if (graph.Nodes.Any(static node => node.Operation is QuantizeLinear or QLinearConv or ConvInteger or DynamicQuantizeLinear))
            return null;
        try
        {
            using ISession session = new OwnRuntime().Load(graph, 1);
            return session.Run(inputs);
        }
        catch (UnsupportedException)
        {
            return null;
        }
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
