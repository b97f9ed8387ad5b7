using System.Collections.Immutable;
using System.Numerics.Tensors;
using Tensorial.Decompositions;
using Tensorial.Graphs;

namespace Tensorial.Compression;

/// <summary>
/// Networks that are tensorial from the start (J. Su, J. Li, B. Bhattacharjee, F. Huang, arXiv 1805.10352): an architecture given as a
/// dense network, each layer of which is written in a format and trained as factors. Where <see cref="NetworkCompression"/> looks for
/// factors of trained weights, these are drawn.
/// </summary>
internal static class Tensorization
{
    /// <summary>A network with every layer but a light first and last one in a format at a rate, factors drawn.</summary>
    /// <inheritdoc cref="Choose" path="/param[@name='format' or @name='rate' or @name='images']|/exception"/>
    /// <inheritdoc cref="InitializeFactorized(Graph, IEnumerable{CompressionCandidate}, int)" path="/param"/>
    public static Graph InitializeFactorized(Graph graph, KernelFormat format, double rate, int images = 128, int seed = 0) =>
        InitializeFactorized(graph, Choose(LayerChoice.From(graph, [], []).Layers, format, rate, images), seed);

    /// <summary>A format for every layer, at one rate.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="format">The format; matrices and kernels of 1×1, to which some formats have nothing to say, are written as
    /// <c>svd-out</c> there.</param>
    /// <param name="rate">Parameters of the factors over those of the dense kernel, at most; more only where ranks of 1 take more.</param>
    /// <param name="images">Images a batch is trained with: kernels are made from their factors once a batch, chains applied to every
    /// image.</param>
    /// <param name="isTrained">Whether the kernels are trained ones: ranks that may differ by channel follow them then.</param>
    /// <returns>For each layer its form in the order that is cheapest for the batch; the layer as it is where its factors would not be
    /// fewer.</returns>
    /// <exception cref="BadInputException">The rate is not above 0 and below 1.</exception>
    public static ImmutableArray<CompressionCandidate> Choose(
        ImmutableArray<CompressibleLayer> layers,
        KernelFormat format,
        double rate,
        int images,
        bool isTrained = false
    )
    {
        if (!(rate > 0 && rate < 1))
            throw new BadInputException($"A rate is the part of the parameters that is left, above 0 and below 1; not {rate}.");
        return
        [
            .. layers.Select(layer =>
                FormOf(layer, format, rate, images, isTrained) is { } form
                    ? CompressionCandidate.From(layer, form, error: 0, damage: 0)
                    : CompressionCandidate.Dense(layer)
            ),
        ];
    }

    /// <summary>
    /// The network with layers as factors that are drawn anew (<see cref="InitialFactors"/>), as wide as the dense weights that they replace.
    /// </summary>
    /// <param name="graph">A dense network with fresh weights.</param>
    /// <param name="chosen">How its layers are written.</param>
    /// <param name="seed">Decides the factors.</param>
    public static Graph InitializeFactorized(Graph graph, IEnumerable<CompressionCandidate> chosen, int seed)
    {
        graph = WeightsAsInitializers.Apply(graph);
        Random random = new(seed);
        foreach (CompressionCandidate candidate in chosen)
            if (candidate.Form is { } form)
                graph = FactorRewrite.Apply(
                    graph,
                    candidate.Layer,
                    form,
                    InitialFactors.Draw(form.Form, form.Ranks, DeviationOf(candidate.Layer), random)
                );
        return graph;
    }

    private static LayerForm? FormOf(CompressibleLayer layer, KernelFormat format, double rate, int images, bool isTrained)
    {
        KernelFormat? own =
            layer.Suits(format) ? format
            : layer.Suits(KernelFormat.SvdOut) ? KernelFormat.SvdOut
            : null;
        if (own is null)
            return null;
        if (own.Finds is not null && isTrained)
        {
            if (
                StructureSearch.Of(new(layer.Kernel, KernelMetric.Plain), rate).Where(static found => found.Pays).MinBy(static f => f.Error)
                is not { } found
            )
                return null;
            return new(found.Form, found.Ranks, TermOrders.Cheapest(found.Form, found.Ranks, layer, images));
        }
        KernelForm form = layer.FormOf(own);
        ImmutableArray<int> ranks = isTrained
            ? form.RanksAt(new KernelStarts(layer.Kernel, KernelMetric.Plain, layer.Groups), rate)
            : form.RanksAt(rate);
        return form.Parameters(ranks.AsSpan()) < layer.Parameters
            ? new(form, ranks, TermOrders.Cheapest(form, ranks, layer, images))
            : null;
    }

    /// <summary>Root mean square of the dense weights; He's for a kernel of zeros.</summary>
    private static double DeviationOf(CompressibleLayer layer)
    {
        double mean = TensorPrimitives.SumOfSquares<double>(layer.Kernel.Values) / layer.Kernel.Shape.ElementCount;
        return Math.Sqrt(mean > 0 ? mean : 2.0 / layer.Kernel.Shape.ElementCountOf(1, 4));
    }
}
