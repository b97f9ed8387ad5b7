using System.Collections.Immutable;

namespace Tensorial.Compression;

/// <summary>Mean errors over all kernels at a rate.</summary>
/// <param name="Rate">The part that a form may take.</param>
/// <param name="Kernels">Kernels that have a form at the rate.</param>
/// <param name="Errors">Each kind of form, and each format that was compared: mean relative error, and where it was best.</param>
/// <param name="BestNamed">The best of the named formats for each kernel, on average; null where none was compared.</param>
/// <param name="BestFound">The best of what was found, on average.</param>
/// <param name="BestOfAll">The best of both, on average; null where none was compared.</param>
/// <param name="RankCorrelation">Spearman's, between predicted and fitted errors of the trees; null for fewer than three.</param>
internal sealed record StructureSummary(
    double Rate,
    int Kernels,
    ImmutableArray<StructureMean> Errors,
    double? BestNamed,
    double? BestFound,
    double? BestOfAll,
    double? RankCorrelation
)
{
    /// <summary>One for each rate, in the order given.</summary>
    public static ImmutableArray<StructureSummary> Of(IReadOnlyCollection<LayerStructures> layers, IEnumerable<double> rates) =>
        [
            .. rates.Select(rate =>
                Of(
                    [.. layers.Select(layer => layer.Forms.Where(form => form.Rate == rate).ToArray()).Where(static f => f.Length > 0)],
                    rate
                )
            ),
        ];

    private static StructureSummary Of(StructureForm[][] kernels, double rate)
    {
        // What a kernel cannot be written in at the rate keeps nothing of it: its error is 1.
        string[] names = [.. kernels.SelectMany(static forms => forms).Select(NameOf).Distinct()];
        StructureForm?[] best =
        [
            .. kernels.Select(static forms =>
                forms.Where(static form => form.Kind != StructureKind.FoldedTree).MinBy(static f => f.FittedError)
            ),
        ];
        StructureForm[] trees = [.. kernels.SelectMany(static forms => forms).Where(static form => form.Kind == StructureKind.Tree)];
        return new(
            rate,
            kernels.Length,
            [
                .. names.Select(name => new StructureMean(
                    name,
                    kernels.Average(forms => ErrorOf(forms.Where(form => NameOf(form) == name))),
                    best.Count(form => form is not null && NameOf(form) == name)
                )),
            ],
            Mean(static form => form.Kind == StructureKind.Named),
            Mean(static form => form.Kind is not (StructureKind.Named or StructureKind.FoldedTree)),
            kernels.Any(static forms => forms.Any(static form => form.Kind == StructureKind.Named))
                ? Mean(static form => form.Kind != StructureKind.FoldedTree)
                : null,
            Spearman([.. trees.Select(static tree => tree.PredictedError!.Value)], [.. trees.Select(static tree => tree.FittedError)])
        );

        double? Mean(Func<StructureForm, bool> which) =>
            kernels.Any(forms => forms.Any(which)) ? kernels.Average(forms => ErrorOf(forms.Where(which))) : null;
    }

    /// <summary>Named formats and decoupled forms by their name, what was found by its kind.</summary>
    private static string NameOf(StructureForm form) =>
        form.Kind switch
        {
            StructureKind.Tree => "best tree",
            StructureKind.FoldedTree => "best tree, channels folded",
            StructureKind.Sum => "best sum",
            StructureKind.Grown => "best grown network",
            _ => form.Format,
        };

    private static double ErrorOf(IEnumerable<StructureForm> forms) =>
        forms.Select(static form => form.FittedError).DefaultIfEmpty(1).Min();

    /// <summary>The correlation of ranks, equal values sharing theirs.</summary>
    internal static double? Spearman(double[] a, double[] b)
    {
        if (a.Length < 3)
            return null;
        double[] x = Ranks(a),
            y = Ranks(b);
        double mean = (a.Length - 1) / 2.0,
            both = x.Zip(y, (p, q) => (p - mean) * (q - mean)).Sum(),
            own = x.Sum(p => (p - mean) * (p - mean)),
            other = y.Sum(q => (q - mean) * (q - mean));
        return own > 0 && other > 0 ? both / Math.Sqrt(own * other) : null;
    }

    private static double[] Ranks(double[] values) =>
        [.. values.Select(value => values.Count(other => other < value) + (values.Count(other => other == value) - 1) / 2.0)];
}

/// <summary>One kind of form over all kernels.</summary>
/// <param name="Name">The kind, or the format.</param>
/// <param name="MeanError">Mean relative error; 1 where a kernel has no such form at the rate.</param>
/// <param name="Best">Kernels of which it has the least error of all.</param>
internal sealed record StructureMean(string Name, double MeanError, int Best);
