using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Graphs;

namespace Tensorial.Compression;

/// <summary>The layers of a network that may change, and those that stay with the reason.</summary>
internal sealed record LayerChoice(ImmutableArray<CompressibleLayer> Layers, ImmutableArray<KeptLayer> Kept)
{
    /// <summary>
    /// The first and the last layer stay as they are where they hold less than this part of the parameters: little to win, much to lose.
    /// </summary>
    private const double Negligible = 0.02;

    /// <summary>Refuses targets that ask for a change where no layer may change.</summary>
    /// <exception cref="GoalNotMetException">Says why the layers stay.</exception>
    public void Check(IEnumerable<CompressionTarget> targets)
    {
        if (
            !Layers.IsEmpty
            || targets.FirstOrDefault(static target => target is { Measure: not TargetMeasure.MaxDrop, Value: < 1 }) is not { } target
        )
            return;
        string[] reasons =
        [
            .. Kept.GroupBy(static layer => layer.Reason)
                .OrderByDescending(static alike => alike.Sum(static layer => layer.Parameters))
                .Select(static alike => $"{alike.Count():N0} because {alike.Key}"),
        ];
        throw new GoalNotMetException(
            $"{target} cannot be met: no layer can be written as factors{(reasons.Length == 0 ? ", as the network has none with weights of its own" : $"; of {Kept.Length:N0} layers {string.Join(", ", reasons.Take(3))}")}."
        );
    }

    /// <summary>Chooses among the layers of a network.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="layers">Patterns of names (<see cref="LayerSelection"/>); where none is given all layers but a light first and last
    /// one.</param>
    /// <param name="keep">Patterns of names that stay.</param>
    /// <param name="file">
    /// The network as it was read, where <paramref name="graph"/> has the extents of some images (<see cref="DynamicDimensions"/>): what that
    /// leaves open no layer may rely on.
    /// </param>
    /// <exception cref="BadInputException">A pattern matches nothing.</exception>
    public static LayerChoice From(Graph graph, IReadOnlyList<string> layers, IReadOnlyList<string> keep, Graph? file = null)
    {
        (ImmutableArray<CompressibleLayer> all, ImmutableArray<KeptLayer> kept) = CompressibleLayer.Of(graph);
        KernelWeights weights = KernelWeights.From(WeightsAsInitializers.Apply(graph));
        HashSet<string> wanted = [.. weights.Matching(layers).Kernels.Select(static kernel => kernel.Name)];
        HashSet<string> held = keep.Count == 0 ? [] : [.. weights.Matching(keep).Kernels.Select(static kernel => kernel.Name)];
        bool isOpen = file is not null && !DynamicDimensions.Of(file).IsEmpty;
        double parameters = all.Sum(static layer => layer.Parameters);
        (CompressibleLayer Layer, string? Reason)[] judged = [.. all.Select((layer, place) => (layer, ReasonOf(layer, place)))];
        return new(
            [
                .. judged
                    .Where(static j => j.Reason is null)
                    .Select(j => j.Layer with { HasFixedPlaces = j.Layer.HasFixedPlaces && !isOpen }),
            ],
            [
                .. judged
                    .Where(static j => j.Reason is not null)
                    .Select(static j => new KeptLayer(j.Layer.Name, j.Layer.Parameters, j.Reason!)),
                .. kept,
            ]
        );

        string? ReasonOf(CompressibleLayer layer, int place) =>
            held.Contains(layer.Name) ? "--keep names it"
            : !wanted.Contains(layer.Name) ? "--layers does not name it"
            : layers.Count == 0 && (place == 0 || place == all.Length - 1) && layer.Parameters < Negligible * parameters
                ? "the first and the last layer matter most and weigh little"
            : null;
    }
}
