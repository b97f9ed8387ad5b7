namespace Tensorial.Analysis;

/// <summary>
/// The measurements of a sweep, as a value that can be counted, divided into shards and compared with what is already known.
/// A unit is a run of points that share decompositions.
/// </summary>
internal sealed record SweepPlan(ValueList<ValueList<SweepPoint>> Units)
{
    /// <summary>The name under which measurements of many kernels at once are reported.</summary>
    public const string AllLayers = "all";

    /// <summary>Results the whole sweep gives.</summary>
    public int Results => Units.Sum(static unit => unit.Sum(static point => point.Labels.Count));

    /// <summary>Plans a sweep over kernels whose spectra are known.</summary>
    public static SweepPlan From(IReadOnlyList<SweepKernel> kernels, SweepOptions options)
    {
        List<ValueList<SweepPoint>> units = [];
        if (options.Scope != SweepScope.AllLayers)
        {
            foreach (SweepKernel kernel in kernels)
            {
                units.AddRange(
                    kernel
                        .Spectra.GroupBy(entry => entry.Key.Among(kernel.Kernel.LongAxes)?.ToString() ?? $"norm of {entry.Key}")
                        .Select(same => Ladder(kernel, [.. same.Select(static entry => entry.Key)], options.Ranks))
                );
                units.AddRange(options.Sequences.Select(sequence => Sequence(kernel.Kernel.Name, [kernel], sequence)));
            }
        }
        SweepKernel[] together = Together(kernels);
        if (options.Scope != SweepScope.EachLayer && together.Length > 1)
        {
            units.AddRange(CutsOf(together, options).Select(cut => Ladder(together, cut, options.Ranks)));
            units.AddRange(options.Sequences.Select(sequence => Sequence(AllLayers, together, sequence)));
        }
        return new([.. units.Where(static unit => unit.Count > 0)]);
    }

    /// <summary>The part of the plan that a shard measures: whole units, dealt out in turn.</summary>
    public SweepPlan Part(Shard shard) => new([.. Units.Where((_, index) => shard.Takes(index))]);

    /// <summary>Truncating every kernel means the convolutions; the dense ones only where there is nothing else.</summary>
    private static SweepKernel[] Together(IReadOnlyList<SweepKernel> kernels)
    {
        SweepKernel[] convolutions = [.. kernels.Where(static kernel => kernel.Kernel.Axes.Length > 2)];
        return convolutions.Length > 0 ? convolutions : [.. kernels];
    }

    private static IEnumerable<Cut> CutsOf(SweepKernel[] kernels, SweepOptions options)
    {
        if (options.Cuts is not null)
            return options.Cuts;
        return Cut.All(kernels.MaxBy(static kernel => kernel.Kernel.Axes.Length)!.Kernel.Axes);
    }

    /// <summary>One kernel along cuts that give the same matrix.</summary>
    private static ValueList<SweepPoint> Ladder(SweepKernel kernel, Cut[] cuts, ValueList<RankRule> rules)
    {
        CutSpectrum spectrum = kernel.Spectra[cuts[0]];
        return
        [
            .. from rule in rules
            let rank = rule.RankAt(spectrum)
            group rule by rank into same
            orderby same.Key
            let steps = new KernelSteps(kernel.Kernel.Name, [new(cuts[0], new RankRule.Rank(same.Key))])
            select new SweepPoint(
                kernel.Kernel.Name,
                [steps],
                [.. cuts.Select(cut => new SweepLabel(cut.ToString(), same.First().ToString()))]
            )
            {
                IsDense = same.Key == spectrum.MaxRank,
            },
        ];
    }

    /// <summary>All kernels along one cut, by the same rule in each.</summary>
    private static ValueList<SweepPoint> Ladder(SweepKernel[] kernels, Cut cut, ValueList<RankRule> rules)
    {
        var divided = (
            from kernel in kernels
            let own = cut.Among(kernel.Kernel.Axes)
            where own is not null
            select (kernel.Kernel.Name, Cut: own.Value, Spectrum: kernel.Spectra[own.Value])
        ).ToArray();
        if (divided.Length < 2)
            return [];
        List<SweepPoint> points = [];
        foreach (RankRule rule in rules)
        {
            int[] ranks = [.. divided.Select(entry => rule.RankAt(entry.Spectrum))];
            ValueList<KernelSteps> steps =
            [
                .. divided.Select((entry, k) => new KernelSteps(entry.Name, [new(entry.Cut, new RankRule.Rank(ranks[k]))])),
            ];
            if (points.Any(point => point.Kernels.Equals(steps)))
                continue;
            points.Add(
                new(AllLayers, steps, [new(cut.ToString(), rule.ToString())])
                {
                    IsDense = divided.Zip(ranks).All(e => e.Second == e.First.Spectrum.MaxRank),
                }
            );
        }
        return [.. points.OrderBy(static point => point.Kernels.Sum(static kernel => (long)((RankRule.Rank)kernel.Steps[0].Rule).Value))];
    }

    /// <summary>Cuts one after another on kernels that have all of them; empty where none has.</summary>
    private static ValueList<SweepPoint> Sequence(string layer, IReadOnlyList<SweepKernel> kernels, ValueList<CutStep> sequence)
    {
        ValueList<KernelSteps> steps =
        [
            .. from kernel in kernels
            let own = sequence.Select(step => step.Cut.Among(kernel.Kernel.Axes) is { } cut ? step with { Cut = cut } : null).ToArray()
            where own.All(static step => step is not null)
            select new KernelSteps(kernel.Kernel.Name, [.. own!]),
        ];
        return steps.Count == 0
            ? []
            : [new(layer, steps, [new(string.Join(',', sequence.Select(s => s.Cut)), string.Join(',', sequence.Select(s => s.Rule)))])];
    }
}

/// <summary>A kernel a sweep truncates, and its spectra along the cuts asked for.</summary>
internal sealed record SweepKernel(Kernel Kernel, IReadOnlyDictionary<Cut, CutSpectrum> Spectra);

/// <summary>One measurement: these kernels truncated so, all else as it was.</summary>
/// <param name="Layer">Where it is reported.</param>
/// <param name="Kernels">What is truncated.</param>
/// <param name="Labels">The names it goes by: several where cuts of a kernel coincide because an axis has extent 1.</param>
internal sealed record SweepPoint(string Layer, ValueList<KernelSteps> Kernels, ValueList<SweepLabel> Labels)
{
    /// <summary>Whether every rank is maximal: nothing is truncated.</summary>
    public bool IsDense { get; init; }

    /// <summary>Everything about the truncation under one of its names, as text: what makes two points the same.</summary>
    public string Identity(SweepLabel label) =>
        $"{Layer} {label.Cut} {string.Join(' ', Kernels.Select(static k => $"{k.Name}@{string.Join(',', k.Steps)}"))}";
}

/// <summary>A kernel and the truncations made of it, in order.</summary>
internal sealed record KernelSteps(string Name, ValueList<CutStep> Steps);

/// <param name="Cut">The cut or cuts, as reported.</param>
/// <param name="Rule">The rank rule or rules, as reported.</param>
internal sealed record SweepLabel(string Cut, string Rule);
