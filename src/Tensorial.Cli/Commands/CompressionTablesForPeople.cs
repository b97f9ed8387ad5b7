using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Decompositions;

namespace Tensorial.Cli.Commands;

/// <summary>A compression on the terminal.</summary>
internal static class CompressionTablesForPeople
{
    public static void Show(CompressionResult result, Terminal terminal)
    {
        ShowLayers(result.Layers, terminal);
        ShowSizes(result, terminal);
        Verification v = result.Verification;
        string inputs = result.Data is null ? Text($"On {v.Samples:N0} random inputs") : Text($"On {v.Samples:N0} images of {result.Data}");
        foreach (OutputDifference output in v.Outputs)
        {
            string scores = output is { Agreement: { } agreement, KlDivergence: { } kl }
                ? Text($"agreement {100 * agreement:F2} %, KL divergence {kl:G3} nats, ")
                : "";
            terminal.Say(
                Text(
                    $"{inputs}, output {output.Name}: {scores}relative error {100 * output.RelativeError:F2} % (at most {100 * output.MaxRelativeError:F2} %)."
                )
            );
        }
        if (result.RandomInputs is { } random)
            terminal.Say(InputScale.Proof(random));
        foreach (DropTrial trial in result.Trials)
            terminal.Say(
                Text($"Tried {100 * trial.Parameters:F1} % of the parameters: {trial.Drop:F2} points lost on training images held back.")
            );
        foreach (MeasuredLatency time in result.Latencies)
            terminal.Say(
                Text(
                    $"{time.Runtime}, batch {time.Batch}: {time.AfterMs:F3} ms, before {time.BeforeMs:F3} ms; {time.Ratio:F2} of the time (median of pairs)."
                )
            );
        if (result.Recalibrated)
            terminal.Say("Batch norm was recalibrated.");
        if (result.Quantization is { } quantization)
            QuantizationTablesForPeople.ShowNetworks(quantization.Networks, terminal);
    }

    /// <summary>Layers with their formats, and why others stayed.</summary>
    public static void ShowLayers(IReadOnlyCollection<CompressedLayer> layers, Terminal terminal)
    {
        TextTable table = new(
            "layer",
            "format",
            "ranks#",
            "parameters#",
            new("of parameters#", 1),
            new("MACs#", 2),
            new("of MACs#", 3),
            new("time of dense %#", 4),
            "relative error#"
        );
        foreach (CompressedLayer layer in layers.Where(static layer => layer.Format is not null))
            table.AddRow(
                layer.Name,
                layer.Format!,
                LayerForm.Text(KernelFormat.Parse(layer.Format!), layer.Ranks!.Value),
                Text($"{layer.ParametersAfter:N0}"),
                Text($"{layer.ParametersBefore:N0}"),
                Text($"{layer.MacsAfter:N0}"),
                Text($"{layer.MacsBefore:N0}"),
                layer.TimeRatio is { } time ? Text($"{100 * time:F0}") : "",
                layer.RelativeError is { } error ? Text($"{error:F4}") : ""
            );
        terminal.Show(table);
        foreach (
            IGrouping<string?, CompressedLayer> alike in layers
                .Where(static layer => layer.Format is null)
                .GroupBy(static layer => layer.KeptBecause)
        )
            terminal.Say($"Kept because {alike.Key}: {string.Join(", ", alike.Select(Named))}");

        // Beyond these ranks factors hold more than the layer itself.
        static string Named(CompressedLayer layer) =>
            layer.BreakEven is { Count: > 0 } even
                ? $"{layer.Name} (break-even {string.Join(", ", even.Where(static pair => !pair.Key.Contains(':')).Select(static pair => $"{pair.Key} {string.Join('×', pair.Value)}"))})"
                : layer.Name;
    }

    private static void ShowSizes(CompressionResult result, Terminal terminal)
    {
        TextTable table = new(
            "network",
            "parameters#",
            new("in convolutions#", 2),
            "MACs#",
            new("bytes#", 1),
            "top-1 %#",
            new("loss (nats)#", 3)
        );
        AddRow(result.Model, result.Before, result.Verification.First);
        AddRow(result.Output, result.After, result.Verification.Second);
        terminal.Show(table);

        void AddRow(string name, CompressedSize size, Evaluation? evaluation) =>
            table.AddRow(
                name,
                Text($"{size.Parameters:N0}"),
                Text($"{size.ConvParameters:N0}"),
                Text($"{size.Macs:N0}"),
                Text($"{size.FileBytes:N0}"),
                evaluation is null ? "" : Text($"{100 * evaluation.Top1:F2}"),
                evaluation is null ? "" : Text($"{evaluation.Loss:F4}")
            );
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
