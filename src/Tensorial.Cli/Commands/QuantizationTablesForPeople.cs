using System.Collections.Immutable;
using System.Globalization;
using Tensorial.Compression;
using Tensorial.Compression.Int8;

namespace Tensorial.Cli.Commands;

/// <summary>A quantization on the terminal.</summary>
internal static class QuantizationTablesForPeople
{
    public static void Show(QuantizationResult result, Terminal terminal)
    {
        ShowLayers(result.Layers, terminal);
        ShowNetworks(result.Networks, terminal);
        ShowOutputs(
            result.Verification,
            $"On {Text($"{result.Verification.Samples:N0}")} samples of {result.Data}, in {result.Runtime}",
            terminal
        );
        foreach (QuantizationTrial trial in result.Trials)
            terminal.Say(
                Text($"Tried with {trial.LayersInFloat} layers in float: ")
                    + (trial.Drop is { } drop ? Text($"{drop:F2} points lost, ") : "")
                    + Text($"relative error {100 * trial.RelativeError:F2} % on samples held back.")
            );
    }

    /// <summary>Networks side by side.</summary>
    public static void ShowNetworks(ImmutableArray<ComparedNetwork> networks, Terminal terminal)
    {
        TextTable table = new(
            "network",
            "bytes#",
            new("of float#", 2),
            "top-1 %#",
            new("relative error %#", 1),
            "ms at batch 1#",
            new("of the time#", 1)
        );
        foreach (ComparedNetwork network in networks)
            table.AddRow(
                network.Kind,
                Text($"{network.FileBytes:N0}"),
                Text($"{(double)network.FileBytes / networks[0].FileBytes:F2}"),
                network.Top1 is { } top ? Text($"{100 * top:F2}") : "",
                network.RelativeError is { } error ? Text($"{100 * error:F2}") : "",
                network.LatencyMs is { } time ? Text($"{time:F3}") : "",
                network.LatencyRatio is { } ratio ? Text($"{ratio:F2}") : ""
            );
        terminal.Show(table);
    }

    private static void ShowLayers(ImmutableArray<QuantizedLayer> layers, Terminal terminal)
    {
        bool isMeasured = layers.Any(static layer => layer.Sensitivity is not null);
        TextTable table = new([
            "layer",
            "bits#",
            new("parameters#", 1),
            "error of weights %#",
            .. isMeasured ? (Column[])["sensitivity (nats)#"] : [],
        ]);
        foreach (QuantizedLayer layer in layers.Where(static layer => layer.Bits is not null || layer.Sensitivity is not null))
        {
            string[] cells =
            [
                layer.Name,
                layer.Bits is { } bits ? Text($"{bits}{(layer.WeightsOnly ? " (weights only)" : "")}") : "float",
                Text($"{layer.Parameters:N0}"),
                layer.WeightError is { } error ? Text($"{100 * error:F2}") : "",
                .. isMeasured ? (string[])[layer.Sensitivity is { } sensitivity ? Text($"{sensitivity:G3}") : ""] : [],
            ];
            table.AddRow(cells);
        }
        terminal.Show(table);
        foreach (
            IGrouping<string?, QuantizedLayer> alike in layers
                .Where(static layer => layer.KeptBecause is not null)
                .GroupBy(static layer => layer.KeptBecause)
        )
            terminal.Say($"In float because {alike.Key}: {string.Join(", ", alike.Select(static layer => layer.Name))}");
    }

    private static void ShowOutputs(Verification found, string where, Terminal terminal)
    {
        foreach (OutputDifference output in found.Outputs)
        {
            string scores = output is { Agreement: { } agreement, KlDivergence: { } kl }
                ? Text($"agreement {100 * agreement:F2} %, KL divergence {kl:G3} nats, ")
                : "";
            terminal.Say(
                Text(
                    $"{where}, output {output.Name}: {scores}relative error {100 * output.RelativeError:F2} % (at most {100 * output.MaxRelativeError:F2} %)."
                )
            );
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
