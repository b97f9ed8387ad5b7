using System.CommandLine;
using System.Globalization;
using System.Text.Json.Serialization;
using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial bench: two networks timed in turn.</summary>
internal static class BenchCommand
{
    internal sealed record Options(
        FileInfo First,
        FileInfo Second,
        IReadOnlyList<int>? Batches,
        string Runtime,
        int Pairs,
        int Threads,
        int Seed,
        FileInfo? Json
    )
    {
        /// <summary>Extents of inputs that the networks leave open.</summary>
        public InputShape[] Shapes { get; init; } = [];

        /// <summary>Whether the time for one image is parted among the layers.</summary>
        public bool ByLayer { get; init; }
    }

    private static readonly int[] UsualBatches = [1, 16];

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> first = new("a.onnx") { Description = "A network." },
            second = new("b.onnx") { Description = "The one to compare with it." };
        Option<int[]> batches = CommonOptions.Counts("--batch", "Images at a time; several are timed one after another.", UsualBatches);
        Option<int> pairs = CommonOptions.Positive("--pairs", "N", "Measurements of each network.", 15);
        Option<string> runtime = CommonOptions.Runtime();
        Option<int> threads = CommonOptions.Threads();
        Option<int> seed = CommonOptions.Seed();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<InputShape[]> shapes = CommonOptions.Shapes();
        Option<bool> byLayer = new("--by-layer")
        {
            Description =
                "Say where the time for one image goes: every layer of a.onnx, and the nodes of b.onnx that are named after it, as compress names them.",
        };
        Command command = new(
            "bench",
            "Times two networks pair by pair on the same random inputs: medians and ranges of milliseconds per batch, and the median ratio of the pairs."
        )
        {
            first,
            second,
            batches,
            runtime,
            pairs,
            threads,
            seed,
            json,
            shapes,
            byLayer,
        };
        return command.Finish(
            terminal,
            (parsed, cancel) =>
                Run(
                    new(
                        parsed.GetRequiredValue(first),
                        parsed.GetRequiredValue(second),
                        parsed.GetResult(batches) is { Implicit: false } ? parsed.GetValue(batches)! : null,
                        parsed.GetValue(runtime)!,
                        parsed.GetValue(pairs),
                        parsed.GetValue(threads),
                        parsed.GetValue(seed),
                        parsed.GetValue(json)
                    )
                    {
                        Shapes = parsed.GetValue(shapes)!,
                        ByLayer = parsed.GetValue(byLayer),
                    },
                    terminal,
                    cancel
                )
        );
    }

    internal static ExitCode Run(Options options, Terminal terminal, CancellationToken cancel)
    {
        OutputFile.Check(options.Json, options.First.FullName, options.Second.FullName);
        Graph first = InputShape.Apply(OnnxFile.Read(options.First.ToString()), options.Shapes),
            second = InputShape.Apply(OnnxFile.Read(options.Second.ToString()), options.Shapes);
        CheckInputs(options, first, second);
        IReadOnlyList<int> batches = BatchesOf(options, first, second);
        using IRuntime runtime = Runtimes.Open(options.Runtime);
        int threads = options.Threads > 0 ? options.Threads : Environment.ProcessorCount;
        using ISession one = runtime.Load(first, threads),
            other = runtime.Load(second, threads);
        BenchRow[] rows =
        [
            .. batches.Select(batch =>
            {
                IReadOnlyDictionary<string, Tensor> inputs = RandomInputs.Create(first, batch, options.Seed),
                    others = RandomInputs.Create(second, batch, options.Seed);
                PairedTiming timing = terminal.WithProgress(progress =>
                    PairedTiming.From(
                        () => one.Run(inputs),
                        () => other.Run(others),
                        options.Pairs,
                        PairedTiming.WellSettled,
                        progress,
                        cancel
                    )
                );
                return new BenchRow(batch, BenchTime.From(timing.First), BenchTime.From(timing.Second), timing.Speedup);
            }),
        ];

        terminal.Say(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{runtime.Name}, {threads} threads, {options.Pairs} pairs; medians and ranges of milliseconds a batch"
            )
        );
        TextTable table = new(
            "batch#",
            $"{options.First.Name} ms#",
            new("range ms#", 1),
            $"{options.Second.Name} ms#",
            new("range ms#", 1),
            "speed-up#"
        );
        foreach (BenchRow row in rows)
            table.AddRow(
                Text($"{row.Batch}"),
                Text($"{row.First.MedianMs:F3}"),
                row.First.Range,
                Text($"{row.Second.MedianMs:F3}"),
                row.Second.Range,
                Text($"{row.Speedup:F2}")
            );
        terminal.Show(table);
        LayerTimes? layers = options.ByLayer ? LayerTimes.Measure(first, second, runtime, threads, options.Seed, cancel) : null;
        if (layers is not null)
            Show(layers, options, terminal);
        else if (options.ByLayer)
            terminal.Warn($"{runtime.Name} does not tell the times of the steps of these networks.");
        if (options.Json is { } file)
            JsonFile.Write(
                file,
                new BenchFile(1, options.First.Name, options.Second.Name, runtime.Name, threads, options.Pairs, rows) { Layers = layers }
            );
        return ExitCode.Done;
    }

    private static void Show(LayerTimes times, Options options, Terminal terminal)
    {
        terminal.Say(
            Text(
                $"One image by layer, ms; the floor is what the multiply-accumulates take at the peak of {times.Threads} {(times.Threads == 1 ? "thread" : "threads")}, {times.PeakMacs / 1e9:F0} billion a second."
            )
        );
        TextTable table = new(
            "layer",
            $"{options.First.Name} ms#",
            $"{options.Second.Name} ms#",
            "speed-up#",
            new("floor ms#", 1),
            new("floor after ms#", 1),
            new("MACs#", 2),
            new("MACs after#", 2)
        );
        foreach (LayerTime layer in times.Layers)
            table.AddRow(
                layer.Layer.Length > 0 ? layer.Layer : "everything else",
                Text($"{layer.BeforeMs:F3}"),
                Text($"{layer.AfterMs:F3}"),
                layer.AfterMs > 0 && layer.BeforeMs > 0 ? Text($"{layer.BeforeMs / layer.AfterMs:F2}") : "",
                Text($"{layer.FloorBeforeMs:F3}"),
                Text($"{layer.FloorAfterMs:F3}"),
                Text($"{layer.MacsBefore:N0}"),
                Text($"{layer.MacsAfter:N0}")
            );
        terminal.Show(table);
    }

    /// <summary>Refuses networks that do not take the same inputs: their times would say nothing of each other.</summary>
    private static void CheckInputs(Options options, Graph first, Graph second)
    {
        string[] one = InputsOf(first),
            other = InputsOf(second);
        if (!one.SequenceEqual(other))
            throw new BadInputException(
                $"{options.First.Name} takes {string.Join(" and ", one)} and {options.Second.Name} takes {string.Join(" and ", other)} for a sample: times of different inputs cannot be compared."
            );

        static string[] InputsOf(Graph graph) =>
            [
                .. RandomInputs
                    .Create(graph, 1, 0)
                    .Values.Select(static input => string.Join('×', input.Shape.Skip(1)))
                    .Order(StringComparer.Ordinal),
            ];
    }

    /// <summary>The batches that are timed: those asked for; the one that a network fixes, where it does.</summary>
    /// <exception cref="UsageException">Another is asked for than a network takes.</exception>
    private static IReadOnlyList<int> BatchesOf(Options options, Graph first, Graph second)
    {
        (FileInfo File, int Batch)[] given =
        [
            .. new (FileInfo File, Graph Graph)[] { (options.First, first), (options.Second, second) }
                .Select(static network =>
                    // Of several inputs the first is the images; the others may be sizes.
                    (network.File, Batch: network.Graph.FreeInputs is [{ Dimensions: [{ Extent: { } extent }, _, ..] }, ..] ? extent : 0)
                )
                .Where(static network => network.Batch > 0),
        ];
        foreach ((FileInfo file, int batch) in given)
            if ((options.Batches ?? []).FirstOrDefault(asked => asked != batch) is > 0 and var asked)
                throw new UsageException(
                    $"--batch asks for {asked} images at a time, and {file.Name} takes {batch}, as {(options.Shapes.Length > 0 ? "--shape" : "its file")} says; leave one of them out."
                );
        return options.Batches ?? (given.Length > 0 ? [given[0].Batch] : UsualBatches);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <param name="Batch">Images at a time.</param>
    /// <param name="First">Times of the first network.</param>
    /// <param name="Second">Times of the second.</param>
    /// <param name="Speedup">Median over pairs of first time over second.</param>
    internal sealed record BenchRow(int Batch, BenchTime First, BenchTime Second, double Speedup);

    internal sealed record BenchTime(double MedianMs, double LeastMs, double MostMs)
    {
        public static BenchTime From(IReadOnlyList<double> rising) =>
            new(1e3 * PairedTiming.Median(rising), 1e3 * rising[0], 1e3 * rising[^1]);

        [JsonIgnore]
        public string Range => Text($"{LeastMs:F3} to {MostMs:F3}");
    }

    internal sealed record BenchFile(
        int SchemaVersion,
        string First,
        string Second,
        string Runtime,
        int Threads,
        int Pairs,
        IReadOnlyList<BenchRow> Batches
    )
    {
        /// <summary>Where the time for one image goes; null where that was not asked for, or the runtime does not tell.</summary>
        public LayerTimes? Layers { get; init; }
    }
}
