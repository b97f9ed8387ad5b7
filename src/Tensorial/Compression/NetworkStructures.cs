using System.Collections.Immutable;
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Decompositions;
using Tensorial.Decompositions.Trees;

namespace Tensorial.Compression;

/// <summary>How structures are looked for in a network's kernels.</summary>
internal sealed record StructureOptions
{
    /// <summary>Parts of each kernel's parameters or multiply-accumulates that a form may take.</summary>
    public ImmutableArray<double> Rates { get; init; } = [0.5, 0.25];

    /// <summary>Whether trees are priced in multiply-accumulates, not in parameters.</summary>
    public bool PricesMacs { get; init; }

    /// <summary>Parts that channels are folded into for one more tree; 1 for none.</summary>
    public int Parts { get; init; } = 1;

    /// <summary>Whether networks with shared bonds and loops are grown and fitted as well.</summary>
    public bool Grows { get; init; }

    /// <summary>Formats that are fitted beside, in the ranks that the same rate gives them.</summary>
    public ImmutableArray<KernelFormat> Compared { get; init; } = [];

    /// <summary>Kernels at a time.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>All that decides what is found.</summary>
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"at {string.Join(',', Rates)} of {(PricesMacs ? "MACs" : "parameters")}{(Parts > 1 ? $", folded into {Parts}" : "")}{(Grows ? ", grown" : "")}{(Compared.IsEmpty ? "" : $", beside {string.Join(' ', Compared)}")}"
        );

    /// <summary>The formats of before the search: those whose form people chose.</summary>
    public static ImmutableArray<KernelFormat> Chosen { get; } =
    [
        KernelFormat.SvdOut,
        KernelFormat.SvdIn,
        KernelFormat.SpatialSvd,
        KernelFormat.Tucker2,
        KernelFormat.Tucker,
        KernelFormat.Cp,
        KernelFormat.Cp3,
        KernelFormat.TensorTrain,
        KernelFormat.TensorRing,
        .. KernelFormat.Reshaped,
    ];
}

/// <summary>A form of a kernel.</summary>
/// <param name="Rate">The part that it may take.</param>
/// <param name="Kind">How it was come by.</param>
/// <param name="Format">The format, an equation where it has no name.</param>
/// <param name="Equation">How the factors make the kernel; channels folded into parts are abc and def.</param>
/// <param name="Ranks">Its ranks.</param>
/// <param name="Tree">A tree as text; null for other forms.</param>
/// <param name="Parameters">Numbers stored.</param>
/// <param name="Macs">Multiply-accumulates for one image; null for folded channels.</param>
/// <param name="PredictedError">The relative error that singular values bound; null where they say nothing.</param>
/// <param name="LeastPredicted">No tree within the rate has a smaller such bound.</param>
/// <param name="FittedError">‖K - K̃‖ / ‖K‖ of the fit.</param>
internal sealed record StructureForm(
    double Rate,
    StructureKind Kind,
    string Format,
    string Equation,
    ImmutableArray<int> Ranks,
    string? Tree,
    long Parameters,
    long? Macs,
    double? PredictedError,
    double? LeastPredicted,
    double FittedError
);

/// <summary>How a form was come by.</summary>
internal enum StructureKind
{
    /// <summary>The best tree over the axes.</summary>
    Tree,

    /// <summary>The best tree over axes with channels folded into parts.</summary>
    FoldedTree,

    /// <summary>Filters by channel, with ranks that differ.</summary>
    Decoupled,

    /// <summary>One bond that all factors share.</summary>
    SharedBond,

    /// <summary>A network with shared bonds or loops, grown step by step.</summary>
    Grown,

    /// <summary>A sum of two forms.</summary>
    Sum,

    /// <summary>A format that was named, for comparison.</summary>
    Named,
}

/// <summary>What a store keeps of a kernel.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Forms">The forms at each rate.</param>
internal sealed record FoundForms(string Layer, ImmutableArray<StructureForm> Forms);

/// <summary>What was found for a kernel.</summary>
/// <param name="Name">The layer.</param>
/// <param name="Shape">Extents [o, i, h, w].</param>
/// <param name="Parameters">Of the dense kernel.</param>
/// <param name="Macs">Of the dense layer, for one image.</param>
/// <param name="Forms">The forms at each rate.</param>
internal sealed record LayerStructures(string Name, Shape Shape, long Parameters, long Macs, ImmutableArray<StructureForm> Forms)
{
    /// <summary>The form with the least error at a rate, of those that were found; null where there is none.</summary>
    public StructureForm? BestAt(double rate) =>
        Forms
            .Where(form => form.Rate == rate && form.Kind is not (StructureKind.Named or StructureKind.FoldedTree))
            .MinBy(static f => f.FittedError);
}

/// <summary>Looks for the form that fits each kernel of a network, in the plain norm, before any is chosen.</summary>
internal static class NetworkStructures
{
    /// <summary>The layers whose kernels can be searched, the forms of each, and why others are left out.</summary>
    public static (ImmutableArray<LayerStructures> Layers, ImmutableArray<KeptLayer> Kept) Of(
        LayerChoice choice,
        StructureOptions options,
        ResultCache memory,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        CompressibleLayer[] searched = Searched(choice);
        return (
            [.. Search(searched, options, memory, progress, cancel)],
            [
                .. choice
                    .Layers.Except(searched)
                    .Select(static layer => new KeptLayer(
                        layer.Name,
                        layer.Parameters,
                        layer.Groups > 1 ? "its channels are grouped" : "it has no plane of axes of space to part"
                    )),
                .. choice.Kept,
            ]
        );
    }

    /// <summary>Searches a shard's layers into the memory, where <see cref="Of"/> finds them.</summary>
    /// <returns>How many layers, and of how many.</returns>
    public static (int Own, int All) Measure(
        LayerChoice choice,
        StructureOptions options,
        Shard shard,
        ResultCache memory,
        IProgress<Progress>? progress = null,
        CancellationToken cancel = default
    )
    {
        CompressibleLayer[] searched = Searched(choice);
        ShardRecord record = new(
            $"search {options} of {ResultStore.Key([.. searched.Select(layer => NameOf(layer, options))])[..8]}",
            shard.ToString(),
            IsDone: false
        );
        memory.Add(record);
        // Spectra of all cuts, and fits, cost about as many products as the kernel has numbers, times its smaller channel count.
        ImmutableHashSet<int> own = SearchShards.LayersOf(
            shard,
            [.. searched.Select(static layer => (double)layer.Parameters * Math.Min(layer.Kernel.Shape[0], layer.Kernel.Shape[1]))]
        );
        Search([.. searched.Where((_, layer) => own.Contains(layer))], options, memory, progress, cancel);
        memory.Add(record with { IsDone = true });
        return (own.Count, searched.Length);
    }

    private static CompressibleLayer[] Searched(LayerChoice choice) =>
        [.. choice.Layers.Where(static layer => layer.Suits(KernelFormat.Search))];

    private static LayerStructures[] Search(
        CompressibleLayer[] layers,
        StructureOptions options,
        ResultCache memory,
        IProgress<Progress>? progress,
        CancellationToken cancel
    )
    {
        LayerStructures[] found = new LayerStructures[layers.Length];
        int done = 0;
        Parallel.ForEach(
            Enumerable.Range(0, layers.Length).OrderByDescending(layer => layers[layer].Parameters),
            new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, options.Threads), CancellationToken = cancel },
            place =>
            {
                CompressibleLayer layer = layers[place];
                string name = NameOf(layer, options);
                ImmutableArray<StructureForm> forms;
                if (memory.FindForms(name) is { } known)
                    forms = known.Forms;
                else
                    memory.AddForms(name, new(layer.Name, forms = FormsOf(layer, options, cancel)));
                found[place] = new(layer.Name, layer.Kernel.Shape, layer.Parameters, layer.Macs, forms);
                progress?.Report(new("search", Interlocked.Increment(ref done), layers.Length, "kernels"));
            }
        );
        return found;
    }

    /// <summary>All that decides what is found for a kernel of a network.</summary>
    private static string NameOf(CompressibleLayer layer, StructureOptions options) =>
        string.Create(CultureInfo.InvariantCulture, $"structures of {layer.Name} {layer.Kernel.Shape} with {layer.Macs} MACs: {options}");

    private static ImmutableArray<StructureForm> FormsOf(CompressibleLayer layer, StructureOptions options, CancellationToken cancel)
    {
        KernelStarts starts = new(layer.Kernel, KernelMetric.Plain);
        ITreePrices prices = options.PricesMacs
            ? TreeMacs.From(starts.Cuts, layer.Use.Read, layer.Use.Written, layer.Use.IsTransposed)
            : new TreeParameters(starts.Cuts);
        var forms = ImmutableArray.CreateBuilder<StructureForm>();
        foreach (double rate in options.Rates)
        {
            double budget = rate * (options.PricesMacs ? layer.Macs : layer.Parameters);
            if (StructureSearch.Tree(starts, prices, budget) is { } tree)
                forms.Add(TreeOf(layer, starts, rate, tree, cancel));
            foreach (FoundStructure found in StructureSearch.Of(starts, rate, cancel).Where(found => layer.Suits(found.Form.Format)))
            {
                LayerForm form = LayerForm.From(layer, found.Form.Format, found.Ranks);
                if (found.Form.Format.Cuts.IsEmpty && (!options.PricesMacs || form.MacsOf(layer) <= budget))
                    forms.Add(FormOf(layer, rate, KindOf(form), form, null, found.Bound, null, found.Error));
            }
            if (options.Grows && StructureGrowth.Of(starts, rate, cancel) is { } grown && layer.Suits(grown.Form.Format))
            {
                LayerForm form = LayerForm.From(layer, grown.Form.Format, grown.Ranks);
                forms.Add(FormOf(layer, rate, StructureKind.Grown, form, null, null, null, grown.Error));
            }
            if (options.Parts > 1 && !options.PricesMacs && FoldedStructure.Of(layer.Kernel, options.Parts, rate, cancel) is { } folded)
                forms.Add(folded);
            foreach (KernelFormat format in options.Compared.Where(layer.Suits))
            {
                cancel.ThrowIfCancellationRequested();
                KernelForm named = layer.FormOf(format);
                ImmutableArray<int> ranks = named.RanksAt(starts, rate);
                if (named.Parameters(ranks.AsSpan()) <= rate * layer.Parameters)
                    forms.Add(
                        FormOf(
                            layer,
                            rate,
                            StructureKind.Named,
                            LayerForm.From(layer, format, ranks),
                            null,
                            null,
                            null,
                            KernelFactorization.Fit(starts, named, ranks, StructureSearch.Whole(layer.Kernel.Shape), cancel).RelativeError
                        )
                    );
            }
        }
        return forms.ToImmutable();
    }

    private static StructureKind KindOf(LayerForm form) =>
        form.IsSum ? StructureKind.Sum
        : form.Format.HasRankByChannel ? StructureKind.Decoupled
        : StructureKind.SharedBond;

    private static StructureForm TreeOf(
        CompressibleLayer layer,
        KernelStarts starts,
        double rate,
        FoundTree found,
        CancellationToken cancel
    )
    {
        (KernelFormat format, ImmutableArray<int> ranks) = TreeFormats.Of(found.Tree);
        LayerForm form = LayerForm.From(layer, format, ranks);
        return FormOf(
            layer,
            rate,
            StructureKind.Tree,
            form,
            found.Tree.Drawn(TreeFormats.Axes),
            found.Bound,
            found.Least,
            KernelFactorization.Fit(starts, form.Form, ranks, StructureSearch.Whole(layer.Kernel.Shape), cancel).RelativeError
        );
    }

    private static StructureForm FormOf(
        CompressibleLayer layer,
        double rate,
        StructureKind kind,
        LayerForm form,
        string? tree,
        double? predicted,
        double? least,
        double fitted
    ) =>
        new(
            rate,
            kind,
            form.Format.ToString(),
            form.Form.Tensor.Text,
            form.Ranks,
            tree,
            form.Parameters,
            form.MacsOf(layer),
            predicted,
            least,
            fitted
        );
}
