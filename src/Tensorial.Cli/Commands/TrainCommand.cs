using System.Collections.Immutable;
using System.CommandLine;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Reports;
using Tensorial.Training;
using Tensorial.Training.Losses;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial train: a network, fresh or read from a file, trained on labelled images.</summary>
internal static class TrainCommand
{
    internal sealed record Options(
        string Model,
        bool IsFresh,
        FileInfo Output,
        TrainingImages Images,
        TrainingOptions Training,
        DirectoryInfo? Folder,
        string Signature,
        TrainingOutputs Outputs,
        TensorialLayers? Tensorial
    )
    {
        /// <summary>Whether what is reported is computed again.</summary>
        public bool Check { get; init; }

        /// <summary>Whether this process reads checkpoints and writes results: of several ranks, rank 0.</summary>
        public bool IsFirst => Training.Communicator is null or { Rank: 0 };
    }

    public static Command Create(Terminal terminal)
    {
        Argument<string> model = new("model")
        {
            Description = $"A network to go on with (model.onnx), or a fresh one: {string.Join(", ", ModelZoo.Names)}.",
        };
        model.ReadAsPath();
        Argument<FileInfo> output = new("out.onnx") { Description = "The trained network." };
        output.Written();
        Option<bool> fresh = new("--fresh")
        {
            Description = "Draw the weights of model.onnx anew, by --seed, and train its form from scratch.",
        };
        Option<double> smoothing = new("--label-smoothing")
        {
            HelpName = "PART",
            Description = "Part of the target that all classes share.",
            DefaultValueFactory = static _ => 0,
        };
        smoothing.Between(0, 1);
        TrainingOptionGroup training = new(
            epochs: 30,
            freshRate: result => FreshRate(result.GetValue(model), result.GetValue(fresh)),
            freshNote: $"; {ModelZoo.LearningRateOf("")} for fresh networks, {ModelZoo.LearningRateOf("lenet5")} for lenet5, {ModelZoo.LearningRateOf("cnn4")} for cnn4"
        );
        Option<bool> check = Checks.Create();
        TensorialLayers.Group tensorial = new();
        Command command = new(
            "train",
            "Trains a network by gradient descent: all its convolutions, dense layers and normalisations. Batch normalisations use the statistics of the batch "
                + "and renew their running ones; a network whose normalisations were folded into convolutions trains as it is."
        )
        {
            model,
            output,
            fresh,
            smoothing,
            check,
        };
        tensorial.AddTo(command);
        training.AddTo(command);
        return command.Finish(
            terminal,
            (parsed, cancel) =>
                RankedCommand.Run(
                    terminal,
                    ranks =>
                        Run(
                            new(
                                parsed.GetRequiredValue(model),
                                parsed.GetValue(fresh),
                                parsed.GetRequiredValue(output),
                                training.ReadImages(parsed),
                                training.Read(parsed, ranks) with
                                {
                                    Loss = new CrossEntropy(parsed.GetValue(smoothing)),
                                },
                                training.ReadFolder(parsed),
                                $"{training.Signature(parsed)}, smoothing {parsed.GetValue(smoothing):R}",
                                training.ReadOutputs(parsed),
                                tensorial.Read(parsed)
                            )
                            {
                                Check = parsed.GetValue(check),
                            },
                            terminal,
                            cancel
                        ),
                    cancel
                )
        );
    }

    /// <summary>The rate at which a fresh network learns; null for one that is trained.</summary>
    private static double? FreshRate(string? model, bool isFresh) =>
        model is not null && File.Exists(model) && !isFresh ? null : ModelZoo.LearningRateOf(model ?? "");

    internal static ExitCode Run(Options options, Terminal terminal, CancellationToken cancel)
    {
        bool isFile = File.Exists(options.Model);
        if (!isFile && !ModelZoo.Knows(options.Model))
            throw new FileNotFoundException(
                $"There is no file '{options.Model}', and no ready-made network of this name; there are {string.Join(", ", ModelZoo.Names)}.{NearestWord.Hint(options.Model, ModelZoo.Names)}"
            );
        if (options.IsFirst)
        {
            OutputFile.Check(options.Output, isFile ? [options.Model] : []);
            options.Outputs.Check([options.Output.FullName, .. isFile ? [options.Model] : Array.Empty<string>()]);
            OutputFile.Check(options.Folder);
        }
        DirectoryInfo? folder = options.IsFirst ? options.Folder : null;
        using FolderLock? ours = folder is null ? null : FolderLock.Take(folder.FullName, "training");
        Graph? read = isFile ? Read(options) : null;
        ImageSet images = options.Images.TrainFor(read);
        images.LabelsFor("Training without a teacher");
        ImageSet? test = options.Images.TestFor(read);
        Graph graph = read ?? ModelZoo.Create(options.Model, images.ImageShape, images.Classes, options.Training.Seed);
        ModelFile? source = isFile ? ModelFile.OfSource(graph) : null;
        foreach (ImageSet set in (ImageSet[])[images, .. test is null ? Array.Empty<ImageSet>() : [test]])
            InputValidation.Check(graph, set);
        ImmutableArray<CompressedLayer> layers = [];
        if (options.Tensorial is { } tensorial)
        {
            bool isFresh = !isFile || options.IsFresh;
            using ResultCache memory =
                !isFresh && folder is not null
                    ? ResultCache.Open(folder.FullName, source!.Sha256, images.Fingerprint, terminal.Warn)
                    : ResultCache.None;
            RewriteOptions fitting = new() { Threads = options.Training.Threads, Seed = options.Training.Seed };
            (graph, layers) = tensorial.ApplyTo(graph, isFresh, images, options.Training.Batch, fitting, memory, terminal, cancel);
            CompressionTablesForPeople.ShowLayers(layers, terminal);
        }
        TrainingRun run = new(options.Training, images, test, terminal, cancel)
        {
            Folder = folder,
            Signature =
                $"train {(isFile && options.IsFresh ? "fresh " : "")}{source?.Mark ?? options.Model} on {images.Fingerprint}{TrainingRun.TestOf(test)}: {options.Signature}{(options.Tensorial is null ? "" : $", {options.Tensorial.Signature}")}",
        };
        TrainingResult result = run.Train(graph);
        if (!options.IsFirst)
            return ExitCode.Done;
        if (options.Check)
            Checks.Report(terminal, Claims(result.Network, images, test ?? images, options));
        Dictionary<string, string> metadata = new()
        {
            ["tensorial.version"] = ToolVersion.Text,
            ["tensorial.command"] = options.Outputs.CommandLine,
        };
        OutputModel.Write(
            result.Network with
            {
                Metadata = result.Network.Metadata.SetItems(metadata),
            },
            options.Output,
            isFile ? options.Model : null
        );
        TrainingTables.Show(result, terminal);
        string start = Path.GetFileName(options.Model);
        if (options.Outputs.Json is { } file)
            JsonFile.Write(
                file,
                new TrainingFile(
                    1,
                    start,
                    options.Output.Name,
                    images.Name,
                    images.Fingerprint,
                    images.Count,
                    test?.Count,
                    result.Stopped,
                    StepMemory.From(run.Memory),
                    [.. result.Epochs],
                    layers.IsEmpty ? null : layers,
                    run.Fixed.IsEmpty ? null : run.Fixed,
                    options.Training.Communicator?.Size
                )
            );
        if (options.Outputs.Report is { } page)
        {
            TrainingReport report = run.ReportOn(
                options.Outputs,
                options.Output,
                isFile && !options.IsFresh ? start : $"{start}, fresh weights"
            );
            double? reached =
                result.Stopped == StopReason.NoProgress ? result.Epochs.Max(static e => e.TestTop1) : result.Epochs[^1].TestTop1;
            ReportWriter.WriteHtml(
                TrainingPage.From(report with { Layers = layers, Epochs = result.Epochs, Stopped = result.Stopped, Top1After = reached }),
                page.FullName
            );
        }
        return ExitCode.Done;
    }

    /// <summary>The gradients that it learnt by, and the outputs of what it has become.</summary>
    private static IEnumerable<RecomputedClaim> Claims(Graph trained, ImageSet images, ImageSet shown, Options options)
    {
        yield return Recomputation.Gradients(trained, images, options.Training.Seed);
        Graph plain = InFloat32.Apply(trained).WithImageShape(images.ImageShape);
        using Inference network = new(plain, options.Training.Threads);
        yield return Recomputation.Outputs(
            options.Output.Name,
            plain,
            network.Run,
            Recomputation.Sample(plain, shown, options.Training.Seed, null)
        );
    }

    private static Graph Read(Options options)
    {
        Graph graph = WeightsAsInitializers.Apply(OnnxFile.Read(options.Model));
        return options.IsFresh ? FreshWeights.Initialize(graph, options.Training.Seed) : graph;
    }
}
