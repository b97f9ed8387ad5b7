using Tensorial.Analysis;
using Tensorial.Compression.Int8;

namespace Tensorial.Reports.Sections;

/// <summary>A network in float and in 8-bit integers, dense and in factors, side by side.</summary>
internal static class QuantizationSection
{
    public static Section Of(QuantizationResult result)
    {
        Table table = new(
            [
                new("network", "network", CellFormat.Text),
                new("bytes", "bytes", CellFormat.Count),
                new("part", "of float", CellFormat.Percent),
                new("top1", "top-1", CellFormat.Percent),
                new("error", "relative error", CellFormat.Percent),
                new("latency", "ms for one image", CellFormat.Fixed3),
                new("ratio", "of the time", CellFormat.Percent),
            ],
            result.Networks.Select(network =>
                (ValueList<Cell>)
                    [
                        network.Kind,
                        network.FileBytes,
                        (double)network.FileBytes / result.Networks[0].FileBytes,
                        network.Top1,
                        network.RelativeError,
                        network.LatencyMs,
                        network.LatencyRatio,
                    ]
            )
        );
        return new(
            "int8",
            "8-bit integers",
            [
                new TableBlock(
                    "int8",
                    Prose.From(
                        $"{Prose.Strong("What each step saves and costs.")} The network in float and in 8-bit integers, dense and in factors: bytes of the file, accuracy and relative error of the outputs on {Numbers.Count(result.Verification.Samples)} samples of {result.Data}, and the time of one image in ONNX Runtime (medians of pairs with the float network)."
                    ),
                    table
                ),
            ]
        );
    }
}
