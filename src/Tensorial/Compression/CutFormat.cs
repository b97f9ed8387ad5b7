using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Decompositions;
using Tensorial.Graphs;

namespace Tensorial.Compression;

/// <summary>
/// Truncated kernels written as the factors their cuts leave: the same function, in a form whose rank stays as it is when the network is
/// trained on.
/// </summary>
internal static class CutFormat
{
    private static readonly (string[] Cuts, KernelFormat Format)[] Rows =
    [
        (["o|ihw"], KernelFormat.SvdOut),
        (["i|ohw"], KernelFormat.SvdIn),
        (["oh|iw"], KernelFormat.SpatialSvd),
        (["oi|hw"], KernelFormat.Basis),
        (["i|ohw", "o|ihw"], KernelFormat.Tucker2),
    ];

    /// <summary>The cuts that leave a format, for people: <c>o|ihw (svd-out)</c> and so on.</summary>
    public static string Known => string.Join(", ", Rows.Select(static row => $"{string.Join(" with ", row.Cuts)} ({row.Format})"));

    /// <summary>A network with truncated kernels as factors.</summary>
    /// <param name="truncation">The truncated network.</param>
    /// <param name="threads">Threads to fit with.</param>
    /// <param name="cancel">Stops it.</param>
    /// <exception cref="BadInputException">The cuts leave no format, or a kernel cannot be written in it; names which.</exception>
    public static Graph Factored(GraphTruncation truncation, int threads, CancellationToken cancel = default)
    {
        bool isOpen = !DynamicDimensions.Of(truncation.Graph).IsEmpty;
        ImmutableArray<CompressibleLayer> layers =
        [
            .. CompressibleLayer
                .Of(truncation.Graph)
                .Layers.Select(layer => layer with { HasFixedPlaces = layer.HasFixedPlaces && !isOpen }),
        ];
        ImmutableArray<CompressionCandidate> chosen = [.. truncation.Kernels.Select(kernel => CandidateOf(kernel, layers))];
        return new Compressor(truncation.Graph, images: null, new() { Threads = threads }, ResultCache.None)
            .Run(chosen, cancel: cancel)
            .Graph;
    }

    private static CompressionCandidate CandidateOf(TruncatedKernel kernel, ImmutableArray<CompressibleLayer> layers)
    {
        CompressibleLayer layer =
            layers.FirstOrDefault(layer => layer.Name == kernel.Layer)
            ?? throw new BadInputException($"'{kernel.Layer}' cannot be written as factors.");
        foreach ((string[] cuts, KernelFormat format) in Rows)
        {
            if (!cuts.ToHashSet().SetEquals(kernel.Cuts.Select(Long)) || kernel.Cuts.Count != cuts.Length)
                continue;
            if (!layer.Suits(format))
                throw new BadInputException($"'{kernel.Layer}' cannot be written as {format}.");
            ImmutableArray<int> ranks =
            [
                .. cuts.Select(cut => kernel.RanksAfter[Enumerable.Range(0, cuts.Length).First(k => Long(kernel.Cuts[k]) == cut)]),
            ];
            return CompressionCandidate.From(layer, LayerForm.From(layer, format, ranks), kernel.NormLoss, 0);
        }
        throw new BadInputException(
            $"'{kernel.Layer}' was cut along {string.Join(", ", kernel.Cuts)}, which leaves no format that can be written; these do: {Known}."
        );
    }

    /// <summary>The cut of a matrix as one of a kernel with height and width 1.</summary>
    private static string Long(string cut) => cut == "o|i" ? "o|ihw" : cut;
}
