using System.Collections.Immutable;

namespace Tensorial.Compression;

/// <summary>
/// Chooses within budgets among forms that are measured fast enough. Only what is chosen is timed: a form that turns out too slow is struck
/// out, with the larger ones of its format at that layer and at layers alike, and the choice is made again.
/// </summary>
/// <param name="probe">Times forms against their dense layer.</param>
/// <param name="longest">The ratio of times that is allowed; null for any.</param>
/// <param name="cache">Where ratios of an earlier run lie, so that a run that is resumed chooses the same.</param>
internal sealed class SpeedGuard(LatencyProbe probe, double? longest, ResultCache cache)
{
    private readonly Dictionary<string, long> _slowFrom = [];

    /// <summary>Forms that were struck out.</summary>
    public int Slow => _slowFrom.Count;

    /// <summary>Whether the budgets could be kept without forms that are too slow.</summary>
    public bool IsMet { get; private set; } = true;

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
        IReadOnlyList<IReadOnlyList<CompressionCandidate>> all = [.. candidates.Select(static layer => (IReadOnlyList<CompressionCandidate>)layer)];
        if (longest is not { } most)
            return rule.Choose(all, budgets);
        for (int round = 0; ; round++)
        {
            IReadOnlyList<IReadOnlyList<CompressionCandidate>> fast = [.. candidates.Select(IReadOnlyList<CompressionCandidate> (layer) => [.. layer.Where(IsAllowed)])];
            ImmutableArray<CompressionCandidate> chosen;
            try
            {
                chosen = rule.Choose(fast, budgets);
            }
            catch (GoalNotMetException) when (round > 0)
            {
                IsMet = false;
                return rule.Choose(all, budgets);
            }
            bool isFast = true;
            for (int layer = 0; layer < chosen.Length; layer++)
            {
                cancel.ThrowIfCancellationRequested();
                if (chosen[layer] is { Form: { } form } candidate && IsAllowed(candidate) && Ratio(candidate.Layer, form) > most)
                {
                    _slowFrom[FormatOf(candidate)] = candidate.Parameters;
                    isFast = false;
                }
                progress?.Report(new("time", layer + 1, chosen.Length, "chosen forms"));
            }
            if (isFast)
                return chosen;
        }
    }

    private bool IsAllowed(CompressionCandidate candidate) =>
        candidate.Form is null || !_slowFrom.TryGetValue(FormatOf(candidate), out long slow) || candidate.Parameters < slow;

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
