using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Graphs;

namespace Tensorial.Compression;

/// <summary>
/// Finds for every layer how it can be written and what that does to the network. Layer by layer in the network's order, so that only one
/// layer's factors are in memory, and the activations before it are computed once.
/// </summary>
/// <param name="network">The network.</param>
/// <param name="images">Calibration images; null for none.</param>
/// <param name="options">What to try.</param>
/// <param name="memory">Where results of an earlier run lie.</param>
internal sealed class CandidateSearch(Graph network, ImageSet? images, SearchOptions options, ResultCache memory)
{
    private readonly Graph _graph = WeightsAsInitializers.Apply(network);

    private const int Batch = 50;

    /// <summary>
    /// Larger kernels are fitted from singular vectors alone, without a descent; formats that need one are left out beside others.
    /// </summary>
    private const int MostDescended = 400_000;

    private readonly object _gate = new();
    private readonly ConditionalWeakTable<CompressibleLayer, KernelStarts> _plain = [];
    private int _done,
        _all;

    /// <summary>
    /// Candidates that were left out because another of their layer is no larger, no dearer and no worse, by layer name: for reports. Those
    /// whose error is not known are not among them.
    /// </summary>
    public ConcurrentDictionary<string, ImmutableArray<CompressionCandidate>> Dominated { get; } = new();

    /// <summary>The candidates of each layer, the dense one first.</summary>
    /// <param name="layers">Layers of the network, in order.</param>
    /// <param name="progress">Told of each candidate.</param>
    /// <param name="cancel">Ends it.</param>
    public ImmutableArray<ImmutableArray<CompressionCandidate>> Run(
        ImmutableArray<CompressibleLayer> layers,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    ) => Run(layers, FormsOf, progress, cancel);

    /// <summary>The same for forms that are given.</summary>
    /// <inheritdoc cref="Run(ImmutableArray{CompressibleLayer}, IProgress{Progress}?, CancellationToken)"/>
    /// <param name="formsOf">The forms of a layer.</param>
    public ImmutableArray<ImmutableArray<CompressionCandidate>> Run(
        ImmutableArray<CompressibleLayer> layers,
        Func<CompressibleLayer, ImmutableArray<LayerForm>> formsOf,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        ImmutableArray<LayerForm>[] forms = [.. layers.Select(formsOf)];
        ImmutableArray<CompressionCandidate>[] found = [.. layers.Select(static _ => ImmutableArray<CompressionCandidate>.Empty)];
        bool measures = images is not null && options.MeasuresSensitivity;
        ImmutableHashSet<int> own = SearchShards.LayersOf(
            options.Shard,
            SearchShards.Costs(layers, [.. forms.Select(static some => some.Length)], options, measures ? images : null)
        );
        (_done, _all) = (0, own.Sum(layer => Reported(forms[layer].Length, measures)));
        if (measures)
        {
            // One layer after another: each passes its activations on. Those of other shards count where activations begin, so that every
            // shard measures on the same images.
            using SensitivityMeasurement damage = new(
                _graph,
                layers,
                images!.Take(Math.Min(options.SensitivityImages, images!.Count)),
                options.Threads
            );
            foreach (int layer in damage.Order.Where(own.Contains))
                found[layer] = Candidates(layers[layer], forms[layer], damage, options.Threads, progress, cancel);
            return [.. found];
        }
        // The largest kernels first, so that no thread is left with one at the end.
        int threads = images is null ? Math.Max(1, options.Threads) : 1;
        Parallel.ForEach(
            own.Order().OrderByDescending(layer => layers[layer].Parameters),
            new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancel },
            layer => found[layer] = Candidates(layers[layer], forms[layer], null, images is null ? 1 : options.Threads, progress, cancel)
        );
        return [.. found];
    }

    /// <summary>The formats asked for that make sense at a layer; where none does, as at a 1×1 convolution, the first that does.</summary>
    private ImmutableArray<KernelFormat> Suitable(CompressibleLayer layer)
    {
        ImmutableArray<KernelFormat> asked = [.. options.Formats.Where(layer.Suits)];
        if (asked.IsEmpty)
            return layer.Formats[..1];
        // Where a fit takes minutes, formats that singular vectors fit are enough, if any was asked for.
        return layer.Parameters > MostDescended && asked.Any(static format => !format.IsIterative)
            ? [.. asked.Where(static format => !format.IsIterative)]
            : asked;
    }

    /// <summary>Distinct forms at the rates, of those that make the layer smaller and nothing larger.</summary>
    internal ImmutableArray<LayerForm> FormsOf(CompressibleLayer layer) =>
        [
            .. Suitable(layer)
                .Where(format => format.Finds is null || !FindsInformed(layer))
                .SelectMany(format => FormsOf(layer, format, PlainStarts(layer)))
                .Distinct(),
        ];

    /// <summary>Whether a search for forms waits until it is known what the layer reads.</summary>
    private bool FindsInformed(CompressibleLayer layer) => images is not null && options.AdaptsRanks && LayerMetrics.Suits(layer);

    private IEnumerable<LayerForm> FormsOf(CompressibleLayer layer, KernelFormat format, KernelStarts starts)
    {
        ImmutableArray<double> rates = layer.Parameters <= MostDescended ? options.Rates : options.RatesOfLarge;
        IEnumerable<LayerForm> forms = format.Finds is { } find
            ? rates
                .SelectMany(rate => find(starts, rate))
                .Where(found => layer.Suits(found.Format))
                .Select(found => LayerForm.From(layer, found.Format, found.Ranks) with { IsFound = true })
            : rates
                .Select(rate => layer.FormOf(format).RanksAt(starts, rate, options.RankMultiple))
                .Select(ranks => LayerForm.From(layer, format, ranks));
        return forms.DistinctBy(static form => form.ToString()).Where(form => WorthwhileForms.Contain(layer, form));
    }

    /// <summary>One format of a layer at a rate.</summary>
    internal LayerForm FormAt(CompressibleLayer layer, KernelFormat format, double rate) =>
        format.Finds is not null
            ? throw new BadInputException($"Uniform rates take one format, and {format} finds many.")
            : LayerForm.From(layer, format, layer.FormOf(format).RanksAt(PlainStarts(layer), rate, options.RankMultiple));

    /// <summary>Before images are looked at, which is done layer by layer.</summary>
    private KernelStarts PlainStarts(CompressibleLayer layer) =>
        _plain.GetValue(layer, own => new(own.Kernel, LayerMetrics.Of(_graph, own, null), own.Groups));

    /// <summary>
    /// Forms whose ranks differ by channel, with the ranks that the images speak for, as many as before: without a look at what a layer
    /// reads, its channels' singular values do not say which of them matter.
    /// </summary>
    private ImmutableArray<LayerForm> Informed(CompressibleLayer layer, ImmutableArray<LayerForm> forms, KernelStarts starts) =>
        starts.Metric.Covariance is null
            ? forms
            :
            [
                .. options
                    .Formats.Where(format => format.Finds is not null && layer.Suits(format))
                    .SelectMany(format => FormsOf(layer, format, starts)),
                .. forms
                    .Where(static form => !form.IsFound)
                    .Select(form =>
                        form.Format.HasRankByChannel && form.Ranks.Length > 1
                            ? LayerForm.From(
                                layer,
                                form.Format,
                                form.Form.RanksAt(starts, (form.Parameters + 0.5) / layer.Parameters, options.RankMultiple)
                            )
                            : form
                    ),
            ];

    private ImmutableArray<CompressionCandidate> Candidates(
        CompressibleLayer layer,
        ImmutableArray<LayerForm> forms,
        SensitivityMeasurement? damage,
        int threads,
        IProgress<Progress>? progress,
        CancellationToken cancel
    )
    {
        Lazy<InputMoments?> moments = new(() => MomentsOf(layer, cancel));
        Lazy<KernelStarts> starts = new(() => new(layer.Kernel, LayerMetrics.Of(_graph, layer, moments.Value), layer.Groups));
        if (
            options.AdaptsRanks
            && (
                forms.Any(static form => form.Format.HasRankByChannel)
                || FindsInformed(layer) && options.Formats.Any(format => format.Finds is not null && layer.Suits(format))
            )
        )
        {
            ImmutableArray<LayerForm> informed = Informed(layer, forms, starts.Value);
            lock (_gate)
                _all += Reported(informed.Length, damage is not null) - Reported(forms.Length, damage is not null);
            forms = informed;
        }
        TensorFactors<double>?[] fits = new TensorFactors<double>?[forms.Length];
        double?[] errors = [.. forms.Select(form => memory.Find(KeyOf("error", layer, form)))];
        bool[] outdone = new bool[forms.Length];
        long[] macs = [.. forms.Select(form => form.MacsOf(layer))];
        Report(progress, errors.Count(static error => error is not null));
        Fit(index => errors[index] is null, 1);
        int[] kept = options.KeepDominated
            ? [.. Enumerable.Range(0, forms.Length)]
            : [.. Enumerable.Range(0, forms.Length).Where(one => !Enumerable.Range(0, forms.Length).Any(other => Dominates(other, one)))];
        ImmutableArray<CompressionCandidate>.Builder candidates = ImmutableArray.CreateBuilder<CompressionCandidate>();
        candidates.Add(CompressionCandidate.Dense(layer));
        int[] dominated = [.. Enumerable.Range(0, forms.Length).Except(kept).Where(index => !outdone[index])];
        if (damage is null)
        {
            Dominated[layer.Name] =
            [
                .. dominated.Select(index =>
                    CompressionCandidate.From(layer, forms[index], errors[index]!.Value, NoiseToSignal(errors[index]!.Value))
                ),
            ];
            candidates.AddRange(
                kept.Select(index =>
                    CompressionCandidate.From(layer, forms[index], errors[index]!.Value, NoiseToSignal(errors[index]!.Value))
                )
            );
            return candidates.ToImmutable();
        }
        double?[] damages = [.. forms.Select(form => memory.Find(KeyOf("damage", layer, form)))];
        int[] measured = Spread([.. kept.OrderBy(index => errors[index])]);
        // What was fitted in an earlier run, and not measured, is fitted again.
        HashSet<int> open = [.. measured.Where(index => damages[index] is null)];
        Fit(index => open.Contains(index) && fits[index] is null, 0);
        foreach (int index in open)
        {
            cancel.ThrowIfCancellationRequested();
            memory.Add(
                KeyOf("damage", layer, forms[index]),
                (damages[index] = damage.Of(layer, fits[index]!.Reconstruct(), moments.Value?.Mean)).Value
            );
            Report(progress, 1);
        }
        SensitivityCurve curve = new([.. measured.Select(index => (errors[index]!.Value, damages[index]!.Value))]);
        candidates.AddRange(
            kept.Select(index => CompressionCandidate.From(layer, forms[index], errors[index]!.Value, curve.At(errors[index]!.Value)))
        );
        Dominated[layer.Name] =
        [
            .. dominated.Select(index =>
                CompressionCandidate.From(layer, forms[index], errors[index]!.Value, curve.At(errors[index]!.Value))
            ),
        ];
        // Those that need not be measured.
        Report(progress, Math.Min(forms.Length, options.MeasuredCandidates) - open.Count);
        return candidates.ToImmutable();

        void Fit(Func<int, bool> wanted, int counts)
        {
            if (!Enumerable.Range(0, forms.Length).Any(wanted))
                return;
            // Formats that grow climb the ladder of their ranks, from its foot, so that a run that goes on gives what one at a stretch does.
            bool climbs = KernelFactorization.Grows(starts.Value);
            int[][] ladders =
            [
                .. Enumerable
                    .Range(0, forms.Length)
                    .GroupBy(index => (forms[index].Format, climbs && forms[index].Format.Grows ? 0 : index))
                    .Select(own => (int[])[.. own.OrderBy(index => forms[index].Parameters)])
                    .Select(own => own[..(1 + Array.FindLastIndex(own, index => wanted(index)))])
                    .Where(static own => own.Length > 0),
            ];
            // They come last: what is known of the others by then rules some of theirs out.
            foreach (bool grows in (bool[])[false, true])
                Parallel.ForEach(
                    ladders.Where(ladder => forms[ladder[0]].Format.Grows == grows),
                    new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, threads), CancellationToken = cancel },
                    ladder => Climb(ladder, wanted, counts)
                );
        }

        void Climb(int[] ladder, Func<int, bool> wanted, int counts)
        {
            TensorFactors<double>? smaller = null;
            foreach (int index in ladder.Where(index => !outdone[index]))
            {
                LayerForm form = forms[index];
                if (fits[index] is { } known)
                {
                    smaller = known;
                    continue;
                }
                bool isWanted = wanted(index);
                if (isWanted && errors[index] is null && Bound(index) is { } bound)
                {
                    errors[index] = bound;
                    Report(progress, counts);
                    continue;
                }
                int iterations = layer.Parameters <= MostDescended || form.Format.IsIterative ? options.Iterations : 0;
                FitOptions fitting = new(1, iterations, options.Seed);
                TensorFactors<double> fit =
                    ladder.Length > 1
                        ? KernelFactorization.Grown(smaller, starts.Value, form.Form, form.Ranks, fitting, cancel)
                        : KernelFactorization.Fit(starts.Value, form.Form, form.Ranks, fitting, cancel);
                smaller = fit;
                if (!isWanted)
                    continue;
                errors[index] = fit.RelativeError;
                memory.Add(KeyOf("error", layer, form), fit.RelativeError);
                if (damage is not null)
                    fits[index] = fit;
                Report(progress, counts);
            }
        }

        // The error that singular values tell without a fit; of a form that another outdoes whatever its fit gives, the least it can have.
        double? Bound(int index)
        {
            if (ErrorBounds.Exact(starts.Value, forms[index].Form, forms[index].Ranks) is { } exact)
                return exact;
            if (options.KeepDominated || !forms[index].Format.Grows)
                return null;
            double least = ErrorBounds.Least(starts.Value, forms[index].Form, forms[index].Ranks);
            outdone[index] = Enumerable
                .Range(0, forms.Length)
                .Any(other =>
                    !forms[other].Format.Grows
                    && errors[other] <= least
                    && forms[other].Parameters <= forms[index].Parameters
                    && macs[other] <= macs[index]
                );
            return outdone[index] ? least : null;
        }

        // Whether one form is no larger, no dearer and no worse than another, and better in something.
        bool Dominates(int one, int other)
        {
            if (one == other)
                return false;
            (long, long, double) a = (forms[one].Parameters, macs[one], errors[one]!.Value),
                b = (forms[other].Parameters, macs[other], errors[other]!.Value);
            return a.Item1 <= b.Item1 && a.Item2 <= b.Item2 && a.Item3 <= b.Item3 && (a != b || one < other);
        }
    }

    /// <summary>A few of many, as evenly in their order as can be, the ends among them.</summary>
    private int[] Spread(int[] many) =>
        many.Length <= options.MeasuredCandidates
            ? many
            :
            [
                .. Enumerable
                    .Range(0, options.MeasuredCandidates)
                    .Select(k => many[(int)((long)k * (many.Length - 1) / (options.MeasuredCandidates - 1))]),
            ];

    /// <summary>Steps of so many candidates.</summary>
    private int Reported(int candidates, bool measures) => candidates + (measures ? Math.Min(candidates, options.MeasuredCandidates) : 0);

    private void Report(IProgress<Progress>? progress, int count)
    {
        lock (_gate)
        {
            _done += count;
            if (_all > 0)
                progress?.Report(new("search", _done, _all, "candidates"));
        }
    }

    /// <summary>All that a result depends on, but for the network and the images, which the memory belongs to.</summary>
    private string KeyOf(string what, CompressibleLayer layer, LayerForm form) =>
        string.Join(
            ' ',
            what,
            layer.Name,
            form,
            options.Seed,
            options.Iterations,
            images is null ? 0 : options.CovarianceImages,
            what == "damage" ? options.SensitivityImages : 0
        );

    /// <summary>
    /// What is wrong over what is left. Unlike the squared error alone it has no bound: no layer is given up to spare the others.
    /// </summary>
    private static double NoiseToSignal(double error) => error * error / Math.Max(1e-9, 1 - error * error);

    private InputMoments? MomentsOf(CompressibleLayer layer, CancellationToken cancel) =>
        images is null || !LayerMetrics.Suits(layer)
            ? null
            : InputMoments.From(
                layer,
                _graph,
                null,
                images.Take(Math.Min(options.CovarianceImages, images.Count)),
                Batch,
                options.Threads,
                cancel
            );
}
