namespace Tensorial.Analysis;

/// <summary>Puts the parts of a sweep together: results of its shards, or what a store holds.</summary>
internal static class ReportMerge
{
    /// <summary>One report from several on the same model and images. Measurements found twice count once.</summary>
    /// <param name="parts">Reports and what messages call them.</param>
    /// <exception cref="BadInputException">The parts are of different models or images.</exception>
    public static AnalysisReport Of(IReadOnlyList<(string Name, AnalysisReport Report)> parts)
    {
        (string firstName, AnalysisReport first) = parts.FirstOrDefault(static part => part.Report.Provenance.Data is not null, parts[0]);
        foreach ((string name, AnalysisReport part) in parts)
        {
            Check(firstName, name, "models", first.Provenance.Model.Sha256, part.Provenance.Model.Sha256);
            if (part.Provenance.Data is null)
                continue;
            Check(firstName, name, "images", first.Provenance.Data?.Fingerprint, part.Provenance.Data.Fingerprint);
            Check(
                firstName,
                name,
                "calibration images",
                first.Provenance.Calibration?.Fingerprint,
                part.Provenance.Calibration?.Fingerprint
            );
        }
        ValueList<LayerAnalysis> layers = Layers(parts.SelectMany(static part => part.Report.Layers));
        ValueList<TruncationResult> truncations = ReportOrder.Arrange(
            parts.SelectMany(static part => part.Report.Truncations).DistinctBy(Identity),
            [.. layers.Select(static layer => layer.Name)]
        );
        int planned = parts.Max(static part => part.Report.PlannedTruncations);
        return first with
        {
            Layers = layers,
            Uncut = [.. parts.SelectMany(static part => part.Report.Uncut).Distinct()],
            Baseline = parts.Select(static part => part.Report.Baseline).FirstOrDefault(static b => b is not null),
            RecalibratedBaseline = parts.Select(static part => part.Report.RecalibratedBaseline).FirstOrDefault(static b => b is not null),
            PlannedTruncations = planned,
            Truncations = truncations,
            Provenance = first.Provenance with
            {
                Shard = truncations.Count >= planned || parts.Count > 1 ? null : first.Provenance.Shard,
                Seconds = parts.Sum(static part => part.Report.Provenance.Seconds),
                MergedFrom = [.. parts.Select(static part => part.Name)],
            },
        };
    }

    /// <summary>The report of everything a store holds.</summary>
    /// <exception cref="BadInputException">The folder is no store, or holds runs of several models or image sets.</exception>
    public static AnalysisReport OfStore(string folder)
    {
        IReadOnlyList<StoredResult> stored = ResultStore.Read(folder);
        (string Name, AnalysisReport Report)[] runs =
        [
            .. from line in stored
            where line.Kind == StoredKind.Run
            let outline = line.As<AnalysisReport>()
            select (
                $"{folder}, {outline.Provenance.CommandLine}",
                outline with
                {
                    // In the order of the outline; a layer that was cut in several runs has several lines.
                    Layers =
                    [
                        .. outline.Layers.SelectMany(layer =>
                            Held<LayerAnalysis>(StoredKind.Layer, outline.Provenance.Model.Sha256)
                                .Where(held => held.Name == layer.Name)
                                .DefaultIfEmpty(layer)
                        ),
                    ],
                    Baseline = Held<Evaluation>(StoredKind.Baseline, line.Scope).FirstOrDefault(),
                    RecalibratedBaseline = Held<Evaluation>(StoredKind.RecalibratedBaseline, line.Scope).FirstOrDefault(),
                    Truncations = [.. Held<TruncationResult>(StoredKind.Truncation, line.Scope)],
                }
            ),
        ];
        if (runs.Length == 0)
            throw new BadInputException($"The store {folder} holds no run yet: nothing was measured.");
        AnalysisReport merged = Of(runs);
        return merged with { Provenance = merged.Provenance with { MergedFrom = [folder] } };

        IEnumerable<T> Held<T>(StoredKind kind, string scope)
            where T : class => stored.Where(line => line.Kind == kind && line.Scope == scope).Select(static line => line.As<T>());
    }

    private static void Check(string firstName, string name, string what, string? first, string? other)
    {
        if (first != other)
            throw new BadInputException(
                $"{firstName} and {name} were made from different {what} (SHA-256 {Short(first)} and {Short(other)}); only parts of one sweep can be merged."
            );

        static string Short(string? hash) => hash is null ? "none" : hash[..Math.Min(12, hash.Length)];
    }

    private static ValueList<LayerAnalysis> Layers(IEnumerable<LayerAnalysis> layers) =>
        [
            .. layers
                .GroupBy(static layer => layer.Name)
                .Select(static same =>
                    same.First() with
                    {
                        Cuts = [.. same.SelectMany(static layer => layer.Cuts).DistinctBy(static cut => cut.Cut)],
                    }
                ),
        ];

    /// <summary>
    /// What was truncated and how far; the rule that led there does not matter, except for several cuts, whose ranks it decides.
    /// </summary>
    private static string Identity(TruncationResult result) =>
        $"{result.Layer} {result.Cut} {string.Join(' ', result.Kernels.Select(static kernel => $"{kernel.Layer}:{kernel.Ranks}"))}";
}
