using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Compression.Int8;
using Tensorial.Compression.Runtimes;
using Tensorial.Data;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial quantize: a network with 8-bit integers.</summary>
internal static class QuantizeCommand
{
    internal sealed record Options(
        FileInfo Input,
        FileInfo Output,
        DataOptions? Data,
        int Calibration,
        QuantizationOptions Quantization,
        double? MaxDrop,
        double? MaxError,
        string[] Keep,
        string CommandLine,
        FileInfo? Json
    );

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> input = new("in.onnx") { Description = "The trained network, in float." };
        Argument<FileInfo> output = new("out.onnx")
        {
            Description = "The quantized one: standard operators (QDQ), the same inputs and outputs.",
        };
        output.Written();
        DataOptions.Group data = new(required: false);
        QuantizationOptionGroup quantization = new();
        Option<int> calibration = CommonOptions.Positive(
            "--calibration",
            "N",
            "Training samples to calibrate on.",
            QuantizationDefaults.Calibration
        );
        Option<double?> drop = new("--max-drop")
        {
            HelpName = "POINTS",
            Description =
                "The network may lose at most so many points of top-1 accuracy (0.5 is half a percentage point): the most sensitive layers stay in float, as many as it takes.",
        };
        Option<double?> error = new("--max-error")
        {
            HelpName = "X",
            Description = "The same for the mean relative error of the outputs, ‖b - a‖ / ‖a‖; needs no labels.",
        };
        drop.Between(0, 100);
        error.Between(0);
        Option<string[]> keep = CommonOptions.Keep();
        keep.Description = "Layers that stay in float, by weight or node, * and ? allowed; may be given several times.";
        Option<int> threads = CommonOptions.Threads();
        Option<FileInfo?> json = CommonOptions.Json();
        Command command = new(
            "quantize",
            "Writes a network with 8-bit integers (INT8), as QuantizeLinear and DequantizeLinear around convolutions and products (QDQ), which ONNX Runtime "
                + "fuses to integer operations. Scales are calibrated on training samples; the result is compared with the float network on others: accuracy "
                + "where there are labels, relative error of every output, and time in ONNX Runtime."
        )
        {
            input,
            output,
            calibration,
            drop,
            error,
            keep,
            threads,
            json,
        };
        quantization.AddTo(command);
        data.AddTo(command);
        return command.Finish(
            terminal,
            (parsed, cancel) =>
                Run(
                    new(
                        parsed.GetRequiredValue(input),
                        parsed.GetRequiredValue(output),
                        data.Read(parsed, DataSplit.Test),
                        parsed.GetValue(calibration),
                        quantization.Read(parsed, parsed.GetValue(threads)),
                        parsed.GetValue(drop),
                        parsed.GetValue(error),
                        parsed.GetValue(keep)!,
                        AnalyzeCommand.CommandLineOf(parsed),
                        parsed.GetValue(json)
                    ),
                    terminal,
                    cancel
                )
        );
    }

    internal static ExitCode Run(Options options, Terminal terminal, CancellationToken cancel)
    {
        OutputFile.Check(options.Output, options.Input.FullName);
        OutputFile.Check(options.Json, options.Input.FullName, options.Output.FullName);
        (DateTimeOffset began, Stopwatch clock) = (DateTimeOffset.UtcNow, Stopwatch.StartNew());
        Graph read = OnnxFile.Read(options.Input.ToString());
        using (OwnRuntime own = new())
            // What cannot be quantized at all is refused before anything is asked for.
            _ = new Quantizer(read, options.Quantization, own, options.Keep);
        if (options.Data is not { } data)
            throw new UsageException(
                "Quantization takes samples of what the network really reads, for the ranges of its activations: give --data; random inputs would give ranges that mean nothing."
            );
        QuantizationSamples samples = QuantizationSamples.Open(data, read, options.Calibration);
        DataOptions.CheckNormalization(read.WithImageShape(samples.ImageShape), samples.TestImages, options.Quantization.Threads, terminal);
        QuantizationRun run = new(read, samples, options.Quantization, options.Keep, terminal, cancel);
        if (options.MaxDrop is not null)
            RefuseDrop(options, samples, run.Scores);
        ModelFile source = ModelFile.OfSource(read);
        QuantizedNetwork quantized = run.Quantize(read, options.MaxDrop, options.MaxError);
        Graph result = quantized.Graph with { Metadata = quantized.Graph.Metadata.SetItems(ProvenanceOf(options, source, quantized)) };
        using OutputModel staged = OutputModel.Stage(result.WithDynamicDimensionsOf(read), options.Output);
        (Verification found, string runtime) = run.Compare(staged);
        MeasuredLatency? latency = run.Time(staged);
        (long before, long after) = (OutputModel.BytesOf(options.Input.FullName), staged.Bytes);
        QuantizationResult report = new()
        {
            Model = options.Input.Name,
            Output = options.Output.Name,
            Method = options.Quantization.Method,
            PerChannel = options.Quantization.PerChannel,
            Calibration = samples.Calibrated,
            Data = samples.Name,
            Networks =
            [
                new("float", before, found.First?.Top1, null, latency?.BeforeMs, null),
                new("int8", after, found.Second?.Top1, found.RelativeError, latency?.AfterMs, latency?.Ratio),
            ],
            Runtime = runtime,
            Verification = found,
            Layers = quantized.Layers,
            Trials = quantized.Trials,
            Provenance = new()
            {
                Version = ToolVersion.Text,
                CommandLine = options.CommandLine,
                Date = began,
                Model = source,
                Machine = Machine.Here(options.Quantization.Threads),
                Data = samples.TestUse(data.Split),
                Calibration = samples.TrainingImages is { } images ? DataUse.From(images, DataSplit.Train) : null,
                Seconds = clock.Elapsed.TotalSeconds,
            },
        };
        QuantizationTablesForPeople.Show(report, terminal);
        if (Missed(options, found).ToArray() is { Length: > 0 } missed)
            throw new GoalNotMetException($"{options.Output.Name} was not written: {string.Join("; ", missed)}.");
        if (options.MaxDrop is null && options.MaxError is null && IsRuined(found))
            terminal.Warn(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"8 bits ruin this network: {(found.Drop is { } points ? $"{points:F1} points of accuracy" : $"a relative error of {found.RelativeError:G2}")} on the test samples. --max-drop 1, or --max-error 0.1, keeps in float what costs most."
                )
            );
        staged.Place(options.Input.FullName);
        if (after > before)
            terminal.Warn(
                $"{options.Output.Name} is larger than {options.Input.Name}: what was saved in weights is less than scales, new nodes and their names take."
            );
        if (options.Json is { } file)
            JsonFile.Write(file, report);
        return ExitCode.Done;
    }

    private static void RefuseDrop(Options options, QuantizationSamples samples, ScoreOutput? scores)
    {
        if (samples.TestImages is not { } images)
            throw new BadInputException($"--max-drop is about accuracy, and {samples.Name} has no labels; --max-error needs none.");
        images.LabelsFor("--max-drop");
        if (scores is null)
            throw new BadInputException(
                $"--max-drop is about accuracy, and no output of {options.Input.Name} scores the {images.Classes} classes of {images.Name}; --max-error needs no labels."
            );
    }

    /// <summary>Whether nobody would want the result: five points of accuracy lost, or answers that are half noise.</summary>
    private static bool IsRuined(Verification found) => found.Drop is { } points ? points > 5 : found.RelativeError > 0.5;

    private static IEnumerable<string> Missed(Options options, Verification found)
    {
        if (options.MaxDrop is { } drop && found.Drop > drop + 1e-9)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"it loses {found.Drop:F2} points of accuracy on the test samples, {drop} are allowed"
            );
        if (options.MaxError is { } error && found.RelativeError > error)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"its outputs have a relative error of {found.RelativeError:G3} on the test samples, {error} is allowed"
            );
    }

    private static Dictionary<string, string> ProvenanceOf(Options options, ModelFile source, QuantizedNetwork quantized) =>
        new()
        {
            ["tensorial.version"] = ToolVersion.Text,
            ["tensorial.command"] = options.CommandLine,
            ["tensorial.source"] = $"{source.Name} sha256:{source.Sha256}",
            ["tensorial.int8"] =
                $"{quantized.Layers.Count(static layer => layer.Bits is not null)} of {quantized.Layers.Length} layers, {options.Quantization.Method.ToString().ToLowerInvariant()}, {(options.Quantization.PerChannel ? "per channel" : "per layer")}",
        };
}

/// <summary>What holds where the user says nothing.</summary>
internal static class QuantizationDefaults
{
    /// <summary>Training samples that ranges are calibrated on.</summary>
    public const int Calibration = 512;
}
