using System.CommandLine;
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Data;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial verify: how far the answers of two networks lie apart.</summary>
internal static class VerifyCommand
{
    internal sealed record Options(
        FileInfo First,
        FileInfo Second,
        DataOptions? Data,
        string? Runtime,
        Gates Gates,
        int Batch,
        int Threads,
        int Seed,
        FileInfo? Json
    )
    {
        /// <summary>Extents of inputs that the networks leave open.</summary>
        public InputShape[] Shapes { get; init; } = [];

        /// <summary>Whether what is reported is computed again.</summary>
        public bool Check { get; init; }
    }

    /// <summary>What must hold; null asks nothing.</summary>
    internal sealed record Gates(double? MaxDrop, double? MaxDifference, double? MaxError, double? MinAgreement, double? MaxKl);

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> first = new("a.onnx") { Description = "The reference." },
            second = new("b.onnx") { Description = "The network to verify." };
        DataOptions.Group data = new(required: false);
        Option<double?> drop = Gate(
                "--max-drop",
                "POINTS",
                "b may lose at most so many points of top-1 accuracy (0.5 is half a percentage point); needs --data."
            )
            .Between(-100, 100);
        Option<double?> difference = Gate("--max-difference", "X", "No output may differ by more.").Between(0);
        Option<double?> error = Gate("--max-error", "X", "The mean relative error of the outputs, ‖b - a‖ / ‖a‖, may be at most this.")
            .Between(0);
        Option<double?> agreement = Gate(
                "--min-agreement",
                "F",
                "At least this fraction of the images, 0 to 1, must get the same class from both."
            )
            .Between(0, 1);
        Option<double?> kl = Gate("--max-kl", "NATS", "The mean KL divergence of the predictions may be at most this.").Between(0);
        Option<bool> check = Checks.Create();
        Option<string?> runtime = CommonOptions.RuntimeOrSuiting();
        Option<int> batch = CommonOptions.Batch(),
            threads = CommonOptions.Threads();
        Option<int> seed = CommonOptions.Seed();
        Option<FileInfo?> json = CommonOptions.Json();
        Option<InputShape[]> shapes = CommonOptions.Shapes();
        Command command = new(
            "verify",
            "Runs two networks on the same inputs: differences and relative error of each of their outputs; of class scores also KL divergence and agreement, "
                + "and with labelled --data the accuracy of both. Without --data the inputs are random, which says little of real ones. Exit code 1 when a "
                + "gate is missed."
        )
        {
            first,
            second,
            drop,
            difference,
            error,
            agreement,
            kl,
            runtime,
            batch,
            threads,
            seed,
            json,
            shapes,
            check,
        };
        data.AddTo(command);
        return command.Finish(
            terminal,
            (parsed, cancel) =>
                Run(
                    new(
                        parsed.GetRequiredValue(first),
                        parsed.GetRequiredValue(second),
                        data.Read(parsed, DataSplit.Test),
                        parsed.GetValue(runtime),
                        new(
                            parsed.GetValue(drop),
                            parsed.GetValue(difference),
                            parsed.GetValue(error),
                            parsed.GetValue(agreement),
                            parsed.GetValue(kl)
                        ),
                        parsed.GetValue(batch),
                        parsed.GetValue(threads),
                        parsed.GetValue(seed),
                        parsed.GetValue(json)
                    )
                    {
                        Shapes = parsed.GetValue(shapes)!,
                        Check = parsed.GetValue(check),
                    },
                    terminal,
                    cancel
                )
        );
    }

    private static Option<double?> Gate(string name, string value, string description) =>
        new(name) { HelpName = value, Description = description };

    internal static ExitCode Run(Options options, Terminal terminal, CancellationToken cancel)
    {
        if (options.Gates.MaxDrop is not null && options.Data is null)
            throw new UsageException("--max-drop is about accuracy: it needs --data.");
        OutputFile.Check(options.Json, options.First.FullName, options.Second.FullName);
        Graph whole = OnnxFile.Read(options.First.ToString());
        InputArrays? arrays = options.Data is { } set ? InputArrays.ForInputsOf(whole, set.Source) : null;
        ImageSet? images =
            arrays is not null || options.Data is not { } shown ? null : (shown with { Source = shown.Source.Suiting(whole) }).Open();
        Graph first = Given(whole),
            second = Given(OnnxFile.Read(options.Second.ToString()));
        DataOptions.CheckNormalization(first, images, options.Threads, terminal);
        int threads = options.Threads > 0 ? options.Threads : Environment.ProcessorCount;
        using IRuntime runtime = options.Runtime is { } named ? Runtimes.Open(named) : Runtimes.Suiting(first, threads);
        using ISession one = runtime.Load(first, threads),
            other = runtime.Load(second, threads);
        InputScale? scale = options.Data is null ? InputScale.From(first, options.Seed) : null;
        ScoreOutput? scores = ScoreOutput.Find(first, images is { HasLabels: true } ? images.Classes : null);
        Refuse(options.Gates, scores, images);
        Verification found = terminal.WithProgress(progress =>
            Verification.From(
                one.Run,
                other.Run,
                images is not null ? InputBatch.Images(first, images, options.Batch)
                    : arrays is not null ? arrays.Batches(0, Math.Min(arrays.Count, options.Data!.Limit ?? int.MaxValue), options.Batch)
                    : InputBatch.Random(first, RandomInputs.SamplesFor(first), options.Seed, scale),
                scores,
                images?.Count ?? arrays?.Count ?? 0,
                progress,
                cancel
            )
        );

        string? data = images?.Name ?? arrays?.Name;
        Show(options, found, data ?? "random inputs", runtime.Name, terminal);
        WarnOfBlindness(found, options.First.Name, terminal);
        if (data is null)
            terminal.Say(InputScale.Proof(InputScale.Describe(scale)));
        if (options.Check)
            Checks.Report(
                terminal,
                new[] { (options.First, first, one), (options.Second, second, other) }.Select(network =>
                    Recomputation.Outputs(
                        network.Item1.Name,
                        network.Item2,
                        network.Item3.Run,
                        Recomputation.Sample(first, images, options.Seed, scale)
                    )
                )
            );
        string[] missed = [.. Missed(options.Gates, found)];
        if (options.Json is { } file)
            JsonFile.Write(
                file,
                new VerifyFile(
                    1,
                    options.First.Name,
                    options.Second.Name,
                    data,
                    images?.Fingerprint,
                    runtime.Name,
                    found,
                    found.Drop,
                    missed
                )
            );
        return missed.Length == 0
            ? ExitCode.Done
            : throw new GoalNotMetException($"{options.Second.Name} misses what was asked for: {string.Join("; ", missed)}.");

        Graph Given(Graph graph) => InputShape.Apply(graph, options.Shapes).WithImageShape(images?.ImageShape);
    }

    /// <summary>Where the reference gives no number, a difference of 0 says nothing.</summary>
    internal static void WarnOfBlindness(Verification found, string reference, Terminal terminal)
    {
        if (!found.Blind.IsEmpty)
            terminal.Warn(
                $"{reference} gives no numbers (NaN) on these inputs in {string.Join(", ", found.Blind.Select(static name => $"'{name}'"))}: nothing was compared there. Give --data of what the network really reads."
            );
    }

    /// <summary>A gate for which nothing can be measured is neither met nor missed.</summary>
    private static void Refuse(Gates gates, ScoreOutput? scores, ImageSet? images)
    {
        if (gates.MaxDrop is not null)
            images!.LabelsFor("--max-drop");
        if (scores is not null)
            return;
        if (gates.MaxDrop is not null)
            throw new BadInputException(
                $"--max-drop is about accuracy, and no output of the network scores the {images!.Classes} classes of {images.Name}."
            );
        if (gates.MinAgreement is not null || gates.MaxKl is not null)
            throw new BadInputException(
                "--min-agreement and --max-kl are about class scores, and no output of the network is: ask for --max-error or --max-difference."
            );
    }

    internal static IEnumerable<string> Missed(Gates gates, Verification found)
    {
        // Accuracies are fractions of whole images: half an image decides nothing.
        if (gates.MaxDrop is { } drop && found.Drop > drop + 1e-9)
            yield return Text($"it loses {found.Drop:F2} points of accuracy, {drop} are allowed");
        if (gates.MaxDifference is { } most && found.MaxDifference > most)
            yield return Text($"an output differs by {found.MaxDifference:G3}, {most} is allowed");
        if (gates.MaxError is { } error && found.RelativeError > error)
            yield return Text($"the outputs have a relative error of {found.RelativeError:G3}, {error} is allowed");
        if (gates.MinAgreement is { } least && found.Agreement < least)
            yield return Text($"both agree on {found.Agreement:F4} of the images, {least} is asked for");
        if (gates.MaxKl is { } kl && found.KlDivergence > kl)
            yield return Text($"the predictions diverge by {found.KlDivergence:G3} nats, {kl} is allowed");
    }

    private static void Show(Options options, Verification found, string images, string runtime, Terminal terminal)
    {
        terminal.Say(Text($"{found.Samples:N0} of {images}, {runtime}"));
        TextTable outputs = new(
            "output",
            new("largest difference#", 2),
            new("mean difference#", 3),
            "relative error %#",
            new("largest relative error %#", 1),
            "KL divergence (nats)#",
            "agreement %#"
        );
        foreach (OutputDifference output in found.Outputs)
            outputs.AddRow(
                output.Name,
                Text($"{output.MaxDifference:G3}"),
                Text($"{output.MeanDifference:G3}"),
                Text($"{100 * output.RelativeError:F3}"),
                Text($"{100 * output.MaxRelativeError:F3}"),
                output.KlDivergence is { } kl ? Text($"{kl:G3}") : "",
                output.Agreement is { } agreement ? Text($"{100 * agreement:F2}") : ""
            );
        terminal.Show(outputs);
        if (found.First is not { } one || found.Second is not { } other)
            return;
        TextTable table = new("model", "top-1 %#", new("top-5 %#", 1), new("loss (nats)#", 2));
        foreach ((FileInfo file, Evaluation e) in new[] { (options.First, one), (options.Second, other) })
            table.AddRow(file.Name, Text($"{100 * e.Top1:F2}"), Text($"{100 * e.Top5:F2}"), Text($"{e.Loss:F4}"));
        terminal.Show(table);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    internal sealed record VerifyFile(
        int SchemaVersion,
        string First,
        string Second,
        string? Data,
        string? DataFingerprint,
        string Runtime,
        Verification Result,
        double? Drop,
        IReadOnlyList<string> Missed
    );
}
