using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.LinearAlgebra;
using Tensorial.Operations;
using Tensorial.Training;

namespace Tensorial.Compression;

/// <summary>A claim that was computed again by other means.</summary>
/// <param name="Claim">What was checked.</param>
/// <param name="Deviation">How far both are apart.</param>
/// <param name="Tolerance">How far they may be (docs/checks.md).</param>
internal sealed record RecomputedClaim(string Claim, double Deviation, double Tolerance)
{
    /// <summary>Why it was not computed again; null where it was.</summary>
    public string? LeftOut { get; private init; }

    /// <summary>Whether both agree; a deviation that is no number does not.</summary>
    public bool Agrees => LeftOut is not null || Deviation <= Tolerance;

    /// <summary>A claim that is not computed again.</summary>
    public static RecomputedClaim Without(string claim, string reason) => new(claim, 0, 0) { LeftOut = reason };

    public override string ToString() =>
        LeftOut is { } reason
            ? $"{Claim}: left out, {reason}"
            : string.Create(CultureInfo.InvariantCulture, $"{Claim}: deviation {Deviation:G2}, tolerance {Tolerance:G2}");
}

/// <summary>What is reported, computed again on a sample by slow code that shares nothing with the fast one. See docs/checks.md.</summary>
internal static class Recomputation
{
    /// <summary>Of the outputs: float32 against float64, through all layers, relative to the outputs' length.</summary>
    public const double OfOutputs = 1e-3;

    /// <summary>The same where values are rounded to 8 bits on the way: one that lies between two steps may go to either.</summary>
    public const double OfQuantizedOutputs = 5e-2;

    /// <summary>Of singular values, relative to the largest.</summary>
    public const double OfSpectra = 1e-12;

    /// <summary>Of norm losses, absolute.</summary>
    public const double OfNormLosses = 1e-9;

    /// <summary>Of derivatives: float32 and the kinks of rectifiers.</summary>
    public const double OfGradients = 2e-2;

    /// <summary>Images that networks are evaluated on again.</summary>
    private const int Images = 2;

    /// <summary>Kernels whose spectra are computed again, and the largest of them.</summary>
    private const int Kernels = 3,
        MostValues = 1 << 18;

    private const long MostMacs = 4_000_000_000;

    private const string TooLarge = "more than 4,000,000,000 multiply-accumulates for an image are too many for plain loops";

    /// <summary>The outputs of a network for a few inputs: ‖y - y'‖ / ‖y'‖ of the one that is farthest.</summary>
    public static RecomputedClaim Outputs(string name, Graph graph, NetworkFunction run, IReadOnlyDictionary<string, Tensor> inputs)
    {
        string claim = $"outputs of {name}, plain loops in float64";
        if (GraphStatistics.From(graph).Macs > MostMacs)
            return RecomputedClaim.Without(claim, TooLarge);
        IReadOnlyDictionary<string, Tensor> fast = run(inputs),
            slow = PlainEvaluation.Run(graph, inputs);
        return new(
            claim,
            graph.Outputs.Max(port => Distance(fast[port.Name], slow[port.Name])),
            graph.Nodes.Any(static node => node.Operation is QuantizeLinear or DynamicQuantizeLinear) ? OfQuantizedOutputs : OfOutputs
        );
    }

    /// <summary>A few inputs for a network: the first images, or the given batch's.</summary>
    public static IReadOnlyDictionary<string, Tensor> Sample(Graph graph, ImageSet? images, int seed, InputScale? scale) =>
        (
            images is null
                ? InputBatch.Random(graph, Images, seed, scale)
                : InputBatch.Images(graph, images.Take(Math.Min(Images, images.Count)), Images)
        )
            .First()
            .Inputs;

    /// <summary>The spectra of the smallest kernels by Jacobi rotations, and the norm losses at half of the rank.</summary>
    public static IEnumerable<RecomputedClaim> Spectra(IEnumerable<Kernel> kernels, AnalysisReport report)
    {
        Dictionary<string, LayerAnalysis> layers = report.Layers.ToDictionary(static layer => layer.Name);
        Kernel[] sample =
        [
            .. kernels
                .Where(kernel => kernel.Values.Shape.ElementCount <= MostValues && layers.ContainsKey(kernel.Name))
                .OrderBy(static kernel => kernel.Values.Shape.ElementCount)
                .Take(Kernels),
        ];
        if (sample.Length == 0)
            yield return RecomputedClaim.Without(
                "singular values and norm losses",
                string.Create(CultureInfo.InvariantCulture, $"there is no kernel of at most {MostValues:N0} values")
            );
        foreach (Kernel kernel in sample)
        foreach (CutSpectrum found in layers[kernel.Name].Cuts)
        {
            Cut cut = Cut.Parse(found.Cut);
            double[] values = JacobiSvd.Values(Matricisation.Unfold(kernel.Values, kernel.Axes, cut));
            double largest = Math.Max(values.FirstOrDefault(), double.Epsilon);
            string name = $"{kernel.Name} {found.Cut}";
            yield return new(
                $"singular values of {name}, Jacobi rotations",
                values.Length == found.SingularValues.Count
                    ? values.Zip(found.SingularValues, (own, told) => Math.Abs(own - told) / largest).DefaultIfEmpty().Max()
                    : double.PositiveInfinity,
                OfSpectra
            );
            int rank = values.Length / 2;
            double norm = Math.Sqrt(values.Sum(value => value / largest * (value / largest))),
                lost = Math.Sqrt(values.Skip(rank).Sum(value => value / largest * (value / largest)));
            yield return new(
                $"norm loss of {name} at rank {rank}",
                Math.Abs((norm > 0 ? lost / norm : 0) - found.NormLoss(rank)),
                OfNormLosses
            );
        }
    }

    /// <summary>Gradients of all weights along a random direction, by finite differences.</summary>
    public static RecomputedClaim Gradients(Graph graph, ImageSet images, int seed)
    {
        const string Claim = "gradients of all weights, finite differences in float64";
        Graph trained = Logits.Of(InFloat32.Apply(WeightsAsInitializers.ForTraining(graph))).WithImageShape(images.ImageShape);
        return GraphStatistics.From(trained).Macs > MostMacs ? RecomputedClaim.Without(Claim, TooLarge)
            : GradientCheck.Deviation(trained, images.Batch(0, Math.Min(4, images.Count)), seed) is { } deviation
                ? new(Claim, deviation, OfGradients)
            : RecomputedClaim.Without(Claim, "the network drops values at random");
    }

    private static double Distance(Tensor fast, Tensor slow)
    {
        ReadOnlySpan<double> a = fast.To(ElementType.Float64).Of<double>().Values,
            b = slow.To(ElementType.Float64).Of<double>().Values;
        if (a.Length != b.Length)
            return double.PositiveInfinity;
        double apart = 0,
            length = 0;
        for (int i = 0; i < a.Length; i++)
        {
            apart += (a[i] - b[i]) * (a[i] - b[i]);
            length += b[i] * b[i];
        }
        return apart == 0 ? 0 : Math.Sqrt(apart / length);
    }
}
