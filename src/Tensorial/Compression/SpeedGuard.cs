using System.Collections.Immutable;

namespace Tensorial.Compression;

/// <summary>
/// Chooses within budgets with an eye on measured time. Only what is chosen is timed: where a form turns out slower than its dense layer,
/// it and the larger ones of its format, at that layer and at layers alike, count as more damage or are struck out, and the choice is made
/// again.
/// </summary>
/// <param name="probe">Times forms against their dense layer.</param>
/// <param name="objective">What being slower means.</param>
/// <param name="cache">Where ratios of an earlier run lie, so that a run that is resumed chooses the same.</param>
internal sealed class SpeedGuard(LatencyProbe probe, Objective objective, ResultCache cache)
{
    /// <summary>
    /// Power of the ratio of times that a form's damage is multiplied with: a form a quarter slower counts 2.4 times, one half slower five
    /// times. A form of much less damage is still taken.
    /// </summary>
    private const double Price = 4;

    /// <summary>Forms by layer and format that are slower, with their parameters and the ratio of times.</summary>
    private readonly Dictionary<string, List<(long Parameters, double Ratio)>> _slow = [];

    /// <summary>Whether the last choice keeps its budgets without forms that <see cref="Objective.Speed"/> strikes out.</summary>
    public bool IsMet { get; private set; } = true;

    /// <summary>Whether some form of a layer, or of one alike, was timed and is slower than it.</summary>
    public bool HasSlowForms(CompressibleLayer layer) =>
        _slow.Keys.Any(key => key.StartsWith($"{LatencyProbe.KeyOf(layer, null)} ", StringComparison.Ordinal));

    /// <summary>Names of the layers of which that holds.</summary>
    public ImmutableHashSet<string> SlowAmong(ImmutableArray<CompressibleLayer> layers) =>
        [.. layers.Where(HasSlowForms).Select(static layer => layer.Name)];

    /// <summary>One candidate a layer, the dense one first among the choices.</summary>
    /// <exception cref="GoalNotMetException">No choice keeps the budgets, fast or slow.</exception>
    public ImmutableArray<CompressionCandidate> Choose(
        AllocationRule rule,
        ImmutableArray<ImmutableArray<CompressionCandidate>> candidates,
        IReadOnlyList<LayerBudget> budgets,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        IReadOnlyList<IReadOnlyList<CompressionCandidate>> all =
        [
            .. candidates.Select(static layer => (IReadOnlyList<CompressionCandidate>)layer),
        ];
        IsMet = true;
        if (objective == Objective.Size)
            return rule.Choose(all, budgets);
        for (bool isFirst = true; ; isFirst = false)
        {
            ImmutableArray<CompressionCandidate> chosen;
            try
            {
                chosen = rule.Choose(
                    [
                        .. candidates.Select(
                            IReadOnlyList<CompressionCandidate> (layer) => [.. layer.Select(Priced).OfType<CompressionCandidate>()]
                        ),
                    ],
                    budgets
                );
            }
            catch (GoalNotMetException) when (!isFirst)
            {
                IsMet = false;
                return rule.Choose(all, budgets);
            }
            bool isSettled = true;
            for (int layer = 0; layer < chosen.Length; layer++)
            {
                cancel.ThrowIfCancellationRequested();
                isSettled &= !FindsSlower(chosen[layer]);
                progress?.Report(new("time", layer + 1, chosen.Length, "chosen forms"));
            }
            if (isSettled)
                return
                [
                    .. chosen.Select(candidate =>
                        candidate with
                        {
                            Slowdown = 1,
                            TimeRatio = candidate.Form is { } form ? Ratio(candidate.Layer, form) : null,
                        }
                    ),
                ];
        }
    }

    /// <summary>The candidate with what its time costs; null where it is struck out.</summary>
    private CompressionCandidate? Priced(CompressionCandidate candidate) =>
        Slowdown(candidate) switch
        {
            <= 1 => candidate,
            _ when objective == Objective.Speed => null,
            double ratio => candidate with { Slowdown = Math.Pow(ratio, Price) },
        };

    /// <summary>The largest ratio known of forms of the format up to this size.</summary>
    private double Slowdown(CompressionCandidate candidate) =>
        candidate.Form is null || !_slow.TryGetValue(FormatOf(candidate), out List<(long Parameters, double Ratio)>? slow)
            ? 1
            : slow.Where(known => known.Parameters <= candidate.Parameters).Select(static known => known.Ratio).DefaultIfEmpty(1).Max();

    /// <summary>Whether timing a form says more against it than was known.</summary>
    private bool FindsSlower(CompressionCandidate candidate)
    {
        if (candidate.Form is not { } form)
            return false;
        double ratio = Ratio(candidate.Layer, form);
        if (ratio <= Slowdown(candidate))
            return false;
        if (!_slow.TryGetValue(FormatOf(candidate), out List<(long Parameters, double Ratio)>? slow))
            _slow[FormatOf(candidate)] = slow = [];
        slow.Add((candidate.Parameters, ratio));
        return true;
    }

    private double Ratio(CompressibleLayer layer, LayerForm form)
    {
        string key = $"time {probe.Setting} {LatencyProbe.KeyOf(layer, form)}";
        if (cache.Find(key) is { } known)
            return known;
        double ratio = probe.Ratios(layer, form).Max();
        cache.Add(key, ratio);
        return ratio;
    }

    /// <summary>A format on layers of the same extents.</summary>
    private static string FormatOf(CompressionCandidate candidate) => $"{LatencyProbe.KeyOf(candidate.Layer, null)} {candidate.Format}";
}
