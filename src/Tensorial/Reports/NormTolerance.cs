using Tensorial.Analysis;

namespace Tensorial.Reports;

/// <summary>
/// How much of their norm kernels can lose one at a time before the accuracy falls: what arXiv 2403.14379 says of kernels, cuts and depth, as
/// numbers.
/// </summary>
/// <param name="Drop">The accuracy that may be lost, as a fraction of the images.</param>
/// <param name="Kernels">The largest norm loss tolerated by each kernel along each cut, kernels in the network's order.</param>
internal sealed record NormTolerance(double Drop, ValueList<KernelTolerance> Kernels)
{
    /// <summary>The only cut of a dense layer.</summary>
    private const string MatrixCut = "o|i";

    /// <summary>Norm losses at which kernels are counted.</summary>
    public static ReadOnlySpan<double> NormLosses => [0.1, 0.2, 0.3, 0.5];

    /// <summary>The tolerance of everything that was measured one kernel at a time; null where nothing was.</summary>
    /// <param name="findings">The analysis.</param>
    /// <param name="drop">The accuracy that may be lost, as a fraction of the images.</param>
    public static NormTolerance? From(Findings findings, double drop = Findings.UsualDrop)
    {
        if (findings.Analysis.Baseline is null)
            return null;
        ValueList<KernelTolerance> kernels =
        [
            .. findings.Analysis.Layers.SelectMany(
                (layer, place) =>
                    findings
                        .AloneOf(layer.Name)
                        .GroupBy(static t => t.Cut)
                        .Select(along => new KernelTolerance(layer.Name, place, along.Key, findings.Farthest(along, drop)))
            ),
        ];
        return kernels.Count == 0 ? null : new(drop, kernels);
    }

    /// <summary>
    /// Sums for each cut, the one that bears most norm loss first; last for all cuts of the convolutions together, where there are any.
    /// </summary>
    public ValueList<CutTolerance> ByCut()
    {
        KernelTolerance[] convolutions = [.. Kernels.Where(static kernel => kernel.Cut != MatrixCut)];
        return
        [
            .. Kernels
                .GroupBy(static kernel => kernel.Cut)
                .Select(static along => CutTolerance.From(along.Key, [.. along]))
                .OrderByDescending(static cut => cut.Mean),
            .. convolutions.Length > 0 ? (CutTolerance[])[CutTolerance.From("all", convolutions)] : [],
        ];
    }

    /// <summary>The sums of <see cref="ByCut"/> as a table.</summary>
    internal Table Table() =>
        new(
            [
                new("cut", "cut", CellFormat.Code),
                new("kernels", "kernels", CellFormat.Count),
                .. NormLosses
                    .ToArray()
                    .Select(static loss => new Column(
                        "tolerating" + Numbers.Exact(loss),
                        $"bear ≥ {Numbers.Percent(loss, 0)}",
                        CellFormat.Count,
                        $"Kernels that may lose at least {Numbers.Percent(loss, 0)} of their norm along this cut."
                    )),
                new("mean", "mean norm loss", CellFormat.Percent),
                new(
                    "depthCorrelation",
                    "correlation with depth",
                    CellFormat.Fixed3,
                    "Spearman’s rank correlation of the norm loss tolerated with the kernel’s place in the network."
                ),
            ],
            ByCut()
                .Select(static cut =>
                    (ValueList<Cell>)
                        [
                            cut.Cut == "all" ? "all cuts" : cut.Cut,
                            cut.Kernels,
                            .. cut.Tolerating.Select(static count => (Cell)count),
                            cut.Mean,
                            cut.DepthCorrelation,
                        ]
                )
        );

    /// <summary>A row for each kernel and cut.</summary>
    internal Table KernelTable() =>
        new(
            [
                new("layer", "kernel", CellFormat.Code),
                new("place", "place", CellFormat.Count, "In the network’s order, from 1."),
                new("cut", "cut", CellFormat.Code),
                new("normLoss", "norm loss", CellFormat.Fixed3),
                new("rank", "rank", CellFormat.Count),
                new("parameters", "parameters", CellFormat.Count),
                new("top1", "top-1", CellFormat.PercentFine),
            ],
            Kernels.Select(static kernel =>
                (ValueList<Cell>)
                    [
                        kernel.Layer,
                        kernel.Place + 1,
                        kernel.Cut,
                        kernel.NormLoss,
                        kernel.Farthest?.Rank,
                        kernel.Farthest?.Parameters,
                        kernel.Farthest?.Top1,
                    ]
            )
        );
}

/// <summary>How far one kernel can be truncated along one cut.</summary>
/// <param name="Layer">Its weight's name.</param>
/// <param name="Place">Its place in the network, from 0.</param>
/// <param name="Cut">The cut.</param>
/// <param name="Farthest">The largest norm loss up to which every measurement stays within the loss of accuracy; null where the least
/// truncation measured loses more.</param>
internal sealed record KernelTolerance(string Layer, int Place, string Cut, TruncationResult? Farthest)
{
    /// <summary>‖K - Kχ‖ / ‖K‖; 0 where nothing may be lost.</summary>
    public double NormLoss => Farthest?.NormLoss ?? 0;
}

/// <summary>What the kernels cut along one cut, or along any, tolerate together.</summary>
/// <param name="Cut">The cut, or <c>all</c>.</param>
/// <param name="Kernels">Kernels measured; for all cuts pairs of kernel and cut.</param>
/// <param name="Tolerating">How many bear each of <see cref="NormTolerance.NormLosses"/>.</param>
/// <param name="Mean">Mean norm loss tolerated.</param>
/// <param name="DepthCorrelation">Spearman's rank correlation of the norm loss tolerated with the kernel's place in the network; for all
/// cuts of its mean over the kernel's cuts. Null for fewer than three kernels.</param>
internal sealed record CutTolerance(string Cut, int Kernels, ValueList<int> Tolerating, double Mean, double? DepthCorrelation)
{
    internal static CutTolerance From(string cut, IReadOnlyList<KernelTolerance> kernels)
    {
        (int Place, double NormLoss)[] places =
        [
            .. kernels.GroupBy(static k => k.Place).Select(static at => (at.Key, at.Average(static k => k.NormLoss))),
        ];
        return new(
            cut,
            kernels.Count,
            [.. NormTolerance.NormLosses.ToArray().Select(loss => kernels.Count(kernel => kernel.NormLoss >= loss))],
            kernels.Average(static kernel => kernel.NormLoss),
            RankCorrelation.Of([.. places.Select(static p => (double)p.Place)], [.. places.Select(static p => p.NormLoss)])
        );
    }
}
