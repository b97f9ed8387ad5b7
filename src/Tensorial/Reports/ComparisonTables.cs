using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Decompositions;

namespace Tensorial.Reports;

/// <summary>A comparison of formats as tables, for pages and CSV.</summary>
internal static class ComparisonTables
{
    /// <summary>A row for each format and rate.</summary>
    public static Table Networks(FormatComparison comparison) =>
        new(
            [
                new("format", "format", CellFormat.Code),
                new("rate", "rate", CellFormat.Percent, "part of each layer's parameters that was asked for"),
                new("parameters", "parameters", CellFormat.Count),
                new("layerParameters", "in these layers", CellFormat.Count),
                new("macs", "MACs", CellFormat.Count),
                new("relativeError", "relative error", CellFormat.Fixed3),
                .. comparison.Data is null
                    ? (Column[])[]
                    :
                    [
                        new("klDivergence", "KL divergence (nats)", CellFormat.Significant),
                        new("outputError", "relative error of outputs", CellFormat.Fixed3),
                        new("agreement", "agreement", CellFormat.PercentFine),
                        new("top1", "top-1", CellFormat.PercentFine),
                    ],
                new("dominated", "dominated", CellFormat.Text, "another network is no larger and no worse, and better in one of both"),
            ],
            comparison.Networks.Select(row =>
                (ValueList<Cell>)
                    [
                        row.Format,
                        row.Rate,
                        row.Parameters,
                        row.LayerParameters,
                        row.Macs,
                        row.RelativeError,
                        .. comparison.Data is null ? (Cell[])[] : [row.KlDivergence, row.OutputError, row.Agreement, row.Top1],
                        row.Dominated ? "yes" : "no",
                    ]
            )
        );

    /// <summary>A row for each layer, format and rate.</summary>
    public static Table Layers(FormatComparison comparison) =>
        new(
            [
                new("layer", "layer", CellFormat.Code),
                new("format", "format", CellFormat.Code),
                new("rate", "rate", CellFormat.Percent),
                new("ranks", "ranks", CellFormat.Text),
                new("parameters", "parameters", CellFormat.Count),
                new("parametersBefore", "of parameters", CellFormat.Count),
                new("macs", "MACs", CellFormat.Count),
                new("macsBefore", "of MACs", CellFormat.Count),
                new("relativeError", "relative error", CellFormat.Fixed3),
                .. comparison.Data is null ? (Column[])[] : [new("sensitivity", "sensitivity (nats)", CellFormat.Significant)],
                new("dominated", "dominated", CellFormat.Text),
            ],
            comparison.Layers.Select(row =>
                (ValueList<Cell>)
                    [
                        row.Name,
                        row.Format,
                        row.Rate,
                        LayerForm.Text(KernelFormat.Parse(row.Format), row.Ranks),
                        row.Parameters,
                        row.ParametersBefore,
                        row.Macs,
                        row.MacsBefore,
                        row.RelativeError,
                        .. comparison.Data is null ? (Cell[])[] : [row.Sensitivity],
                        row.Dominated ? "yes" : "no",
                    ]
            )
        );

    /// <summary>For every layer and rate the best format and its runner-up.</summary>
    public static Table Best(FormatComparison comparison) =>
        new(
            [
                new("layer", "layer", CellFormat.Code),
                new("rate", "rate", CellFormat.Percent),
                new("best", "best", CellFormat.Code),
                new("bestCost", CostTitle(comparison), CellFormat.Significant),
                new("second", "runner-up", CellFormat.Code),
                new("secondCost", $"its {CostTitle(comparison)}", CellFormat.Significant),
            ],
            comparison
                .Layers.GroupBy(static row => (row.Name, row.Rate))
                .Select(static own => (own.Key, Order: own.OrderBy(static row => row.Cost).ThenBy(static row => row.Parameters).ToArray()))
                .Select(static own =>
                    (ValueList<Cell>)
                        [
                            own.Key.Name,
                            own.Key.Rate,
                            own.Order[0].Format,
                            own.Order[0].Cost,
                            own.Order.Length > 1 ? own.Order[1].Format : Cell.None,
                            own.Order.Length > 1 ? own.Order[1].Cost : Cell.None,
                        ]
                )
        );

    private static string CostTitle(FormatComparison comparison) => comparison.Data is null ? "relative error" : "sensitivity (nats)";
}
