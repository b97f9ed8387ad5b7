using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Reports;
using Tensorial.Training;
using Tensorial.Training.Distributed;
using Tensorial.Training.Losses;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial tune: a compressed network learns from the one it came from.</summary>
internal static class TuneCommand
{
    internal enum Mode
    {
        E2e,
        Sequential,
    }

    internal sealed record Options(
        FileInfo Input,
        FileInfo Output,
        FileInfo? Teacher,
        Mode Mode,
        SequentialOptions Blocks,
        TrainingImages Images,
        TrainingOptions Training,
        bool HasEpochs,
        DirectoryInfo? Folder,
        string Signature,
        TrainingOutputs Outputs
    )
    {
        /// <summary>Parts of outputs in the loss, by name; those that are not named have 1.</summary>
        public IReadOnlyDictionary<string, double> OutputWeights { get; init; } = new Dictionary<string, double>();

        /// <summary>Whether this process reads checkpoints and writes results: of several ranks, rank 0.</summary>
        public bool IsFirst => Training.Communicator is null or { Rank: 0 };
    }

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> input = new("small.onnx") { Description = "The compressed network." };
        Argument<FileInfo> output = new("out.onnx") { Description = "The tuned one." };
        output.Written();
        Option<FileInfo?> teacher = new("--teacher")
        {
            HelpName = "DENSE.onnx",
            Description = "The network it came from. Without, e2e learns from the labels alone.",
        };
        Option<Mode> mode = new("--mode")
        {
            HelpName = "e2e|sequential",
            Description =
                "e2e: all weights together, from labels and the teacher's answers. sequential: block by block, from the teacher's activations at the same place, "
                + "then end to end for as many --epochs as are given.",
        };
        Option<double> temperature = new("--temperature")
        {
            HelpName = "T",
            Description = "Softmax temperature of knowledge distillation.",
            DefaultValueFactory = static _ => 4,
        };
        Option<double> share = new("--teacher-weight")
        {
            HelpName = "PART",
            Description = "The teacher's part of the loss, 0 to 1; the labels, where there are any, have the rest.",
            DefaultValueFactory = static _ => 0.9,
        };
        Option<string[]> weights = new("--output-weight")
        {
            HelpName = "NAME=WEIGHT",
            Description =
                "Of networks with several outputs and images without labels: the part of an output in the loss, 1 for those that are not named, 0 for "
                + "none. May be given several times.",
            DefaultValueFactory = static _ => [],
        };
        Option<int> blockImages = CommonOptions.Positive("--block-images", "N", "Training images that blocks see.", 2000);
        Option<int> blockEpochs = CommonOptions.Positive("--block-epochs", "N", "Times that a block sees them.", 10);
        Option<BlockSize> blockSize = new("--block-size")
        {
            HelpName = "module|layer",
            Description =
                "What a block is: all between two values that the rest of the network depends on alone, such as a residual block; or "
                + "a single layer.",
        };
        Option<BlockInputs> blockInputs = new("--block-inputs")
        {
            HelpName = "tuned|dense",
            Description =
                "What blocks read: the network as tuned so far, one after the other; or the dense one's activations, as many at once "
                + "as there are threads.",
        };
        TrainingOptionGroup training = new(epochs: 5, freshRate: static _ => null);
        Command command = new(
            "tune",
            "Tunes a compressed network, end to end or block by block, with or without the dense network as its teacher. With a teacher the images need no "
                + "labels: class scores are distilled by their divergence, other outputs by their squared distance; of several outputs all count."
        )
        {
            input,
            output,
            teacher,
            mode,
            temperature,
            share,
            weights,
            blockImages,
            blockEpochs,
            blockSize,
            blockInputs,
        };
        training.AddTo(command);
        return command.Finish(
            terminal,
            (parsed, cancel) => RankedCommand.Run(terminal, ranks => Run(ReadOptions(parsed, ranks), terminal, cancel), cancel)
        );

        Options ReadOptions(ParseResult parsed, ICommunicator? ranks)
        {
            FileInfo? from = parsed.GetValue(teacher);
            TrainingOptions options = training.Read(parsed, ranks);
            double weight = parsed.GetValue(share),
                degrees = parsed.GetValue(temperature);
            if (!(weight >= 0 && weight <= 1))
                throw new UsageException($"--teacher-weight is a part, 0 to 1, not {weight}.");
            if (!(degrees > 0))
                throw new UsageException($"--temperature must be positive, not {degrees}.");
            SequentialOptions blocks = new();
            blocks = blocks with
            {
                Images = parsed.GetValue(blockImages),
                Epochs = parsed.GetValue(blockEpochs),
                Batch = training.BatchIfGiven(parsed) ?? blocks.Batch,
                Size = parsed.GetValue(blockSize),
                Inputs = parsed.GetValue(blockInputs),
                MemoryLimit = options.MemoryLimit,
                Seed = options.Seed,
                Threads = options.Threads,
                Communicator = ranks,
                SyncBatchNorm = options.SyncBatchNorm,
            };
            return new(
                parsed.GetRequiredValue(input),
                parsed.GetRequiredValue(output),
                from,
                parsed.GetValue(mode),
                blocks,
                training.ReadImages(parsed),
                from is null ? options : options with { Loss = new Distillation(degrees, weight) },
                training.HasEpochs(parsed),
                training.ReadFolder(parsed),
                from is null ? training.Signature(parsed) : Text($"{training.Signature(parsed)}, distillation {degrees} {weight}"),
                training.ReadOutputs(parsed)
            )
            {
                OutputWeights = parsed
                    .GetValue(weights)!
                    .ToDictionary(static text => WeightOf(text).Name, static text => WeightOf(text).Weight),
            };
        }
    }

    /// <exception cref="UsageException">The text is not NAME=WEIGHT.</exception>
    private static (string Name, double Weight) WeightOf(string text)
    {
        // Names may hold an equals sign, numbers do not.
        int at = text.LastIndexOf('=');
        return
            at > 0
            && double.TryParse(text[(at + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out double weight)
            && weight is >= 0 and < double.PositiveInfinity
            ? (text[..at], weight)
            : throw new UsageException($"--output-weight is NAME=WEIGHT, a number from 0 on, not '{text}'.");
    }

    internal static ExitCode Run(Options options, Terminal terminal, CancellationToken cancel)
    {
        if (options.Mode == Mode.Sequential && options.Teacher is null)
            throw new UsageException("--mode sequential needs --teacher: blocks learn from the dense network's activations.");
        string[] read = [options.Input.FullName, .. options.Teacher is null ? Array.Empty<string>() : [options.Teacher.FullName]];
        if (options.IsFirst)
        {
            OutputFile.Check(options.Output, read);
            options.Outputs.Check([options.Output.FullName, .. read]);
            OutputFile.Check(options.Folder);
        }
        DirectoryInfo? folder = options.IsFirst ? options.Folder : null;
        Graph small = WeightsAsInitializers.Apply(OnnxFile.Read(options.Input.ToString()));
        Graph? dense = options.Teacher is null ? null : WeightsAsInitializers.Apply(OnnxFile.Read(options.Teacher.ToString()));
        ImageSet images = options.Images.Train;
        ImageSet? test = options.Images.Test;
        foreach (ImageSet set in (ImageSet[])[images, .. test is null ? Array.Empty<ImageSet>() : [test]])
        {
            InputValidation.Check(small, set, withLabels: dense is null);
            if (dense is not null)
                InputValidation.Check(dense, set, "teacher", withLabels: false);
        }
        DataOptions.CheckNormalization(dense ?? small, images, options.Training.Threads, terminal);
        using Inference? teacher = dense is null
            ? null
            : new(Logits.Of(InFloat32.Apply(dense)).WithImageShape(images.ImageShape), options.Training.Threads);
        TrainingOptions learning = options.Training;
        if (teacher is not null)
        {
            (images, test) = (
                LabelsThatFit(images, teacher.OutputShape, terminal),
                test is null ? null : LabelsThatFit(test, teacher.OutputShape, terminal)
            );
            learning = learning with { Loss = LossOf(options, images, teacher.OutputShape) };
        }
        // All outputs count where no labels say that one of them is the answer.
        JointOutputs? joint =
            dense is { Outputs.Length: > 1 } && !images.HasLabels
                ? JointOutputs.From(InFloat32.Apply(dense), images, options.OutputWeights, options.Training.Threads)
                : null;
        if (joint is null && options.OutputWeights.Count > 0)
            throw new UsageException("--output-weight is for networks with several outputs, a --teacher and images without labels.");
        if (joint is not null)
            learning = learning with { Loss = new RelativeSquares() };
        Graph Joined(Graph network) => joint?.Join(network) ?? network;
        using Inference? together = joint is null
            ? null
            : new(InFloat32.Apply(Joined(dense!)).WithImageShape(images.ImageShape), options.Training.Threads);
        using FolderLock? ours = folder is null ? null : FolderLock.Take(folder.FullName, "training");
        string signature = SignatureOf(options, images);
        TrainingRun run = new(learning, images, test, terminal, cancel)
        {
            Folder = folder,
            Teacher =
                together is not null ? together.Run
                : teacher is null ? null
                : teacher.Run,
            Dense = dense is null ? null : Joined(dense),
            Signature = Text(
                $"{signature}{TrainingRun.TestOf(test)}, {options.Signature}{(learning.Loss is RelativeSquares ? ", relative squares" : "")}{string.Concat(options.OutputWeights.Select(static pair => Text($", {pair.Key} {pair.Value}")))}"
            ),
        };
        double? before = test is { HasLabels: true } ? run.Top1(small) : null,
            errorBefore = test is { HasLabels: false } ? run.Error(Joined(small)) : null;

        Graph tuned = small;
        ImmutableArray<BlockRecord> blocks = [];
        BlocksMemory? blockMemory = null;
        if (options.Mode == Mode.Sequential)
        {
            SequentialTuning blockwise = new(small, dense!, images, options.Blocks)
            {
                Checkpoints = folder is null ? null : new(folder.FullName, signature) { Warn = terminal.Warn },
            };
            run.Name(blockwise.Fixed);
            blockMemory = BlocksMemory.From(blockwise);
            terminal.Note($"blocks take {blockMemory}");
            (tuned, blocks) = terminal.WithProgress(progress => blockwise.Run(progress, cancel));
        }
        TrainingResult? training = options.Mode == Mode.E2e || options.HasEpochs ? run.Train(Joined(tuned)) : null;
        if (training is not null)
            tuned = joint is null ? training.Network : JointOutputs.Part(training.Network, tuned.Outputs);
        double? after = test is { HasLabels: true } ? run.Top1(tuned) : null,
            errorAfter = test is { HasLabels: false } ? run.Error(Joined(tuned)) : null;
        if (!options.IsFirst)
            return ExitCode.Done;

        Dictionary<string, string> metadata = new()
        {
            ["tensorial.version"] = ToolVersion.Text,
            ["tensorial.tuned"] = options.Outputs.CommandLine,
        };
        OutputModel.Write(tuned with { Metadata = tuned.Metadata.SetItems(metadata) }, options.Output, options.Input.FullName);
        Show(blocks, training, before, after, terminal);
        if (errorBefore is { } least && errorAfter is { } left)
            terminal.Say(Text($"relative error of the outputs on test images: {100 * least:F2} % before, {100 * left:F2} % after"));
        if (options.Outputs.Json is { } file)
            JsonFile.Write(
                file,
                new TuningFile(
                    1,
                    options.Input.Name,
                    options.Output.Name,
                    options.Teacher?.Name,
                    images.Name,
                    images.Fingerprint,
                    before,
                    after,
                    errorBefore,
                    errorAfter,
                    blocks,
                    blockMemory,
                    StepMemory.From(run.Memory),
                    [.. training?.Epochs ?? []],
                    run.Fixed.IsEmpty ? null : run.Fixed,
                    options.Training.Communicator?.Size
                )
            );
        if (options.Outputs.Report is { } page)
        {
            TrainingReport report = run.ReportOn(options.Outputs, options.Output, options.Input.Name) with
            {
                Teacher = options.Teacher?.Name,
                Recipe = RecipeOf(options, learning.Loss, blockMemory),
                Blocks = blocks,
                Epochs = training?.Epochs ?? [],
                Stopped = training?.Stopped ?? StopReason.Finished,
                Top1Before = before,
                Top1After = after,
                ErrorBefore = errorBefore,
                ErrorAfter = errorAfter,
            };
            ReportWriter.WriteHtml(TrainingPage.From(report), page.FullName);
        }
        return ExitCode.Done;
    }

    /// <summary>Labels count where the output can be scores of their classes.</summary>
    private static ImageSet LabelsThatFit(ImageSet images, Shape output, Terminal terminal)
    {
        if (!images.HasLabels || images.CanBeScored(output))
            return images;
        terminal.Warn(
            $"The labels of {images.Name} are not used: the network's output {output} is no row of scores for {images.Classes} classes."
        );
        return images.WithoutLabels();
    }

    /// <summary>Class scores are distilled by their divergence, with labels where there are any; other outputs by their squares.</summary>
    private static Loss LossOf(Options options, ImageSet images, Shape output) =>
        !ClassScores.Are(output) ? new RelativeSquares()
        : options.Training.Loss is Distillation loss && !images.HasLabels ? loss with { Weight = 1 }
        : options.Training.Loss;

    /// <summary>What was chosen for the blocks, then for what followed end to end.</summary>
    private static ValueList<(string Name, string Value)> RecipeOf(Options options, Loss chosen, BlocksMemory? memory)
    {
        List<(string, string)> lines = [];
        if (memory is not null)
        {
            SequentialOptions blocks = options.Blocks;
            string from = blocks.Inputs == BlockInputs.Dense ? "teacher" : "network as tuned so far";
            lines.Add(("Blocks", blocks.Size == BlockSize.Layer ? "single layers" : "modules"));
            lines.Add(
                (
                    "Learning of blocks",
                    Text(
                        $"{blocks.Images:N0} images, {blocks.Epochs} epochs, batches of {blocks.Batch}, Adam from {blocks.LearningRate}, inputs from the {from}"
                    )
                )
            );
            lines.Add(("Memory of blocks", memory.ToString()));
        }
        if (options.Mode == Mode.E2e || options.HasEpochs)
            lines.AddRange(options.Outputs.Recipe);
        if (chosen is RelativeSquares && (options.Mode == Mode.E2e || options.HasEpochs))
            lines.Add(
                (
                    "Loss",
                    $"squared distance of the outputs from the teacher's, over their squares{string.Concat(options.OutputWeights.Select(static pair => Text($"; {pair.Key} counts {pair.Value:0.###}")))}"
                )
            );
        if (chosen is Distillation loss && (options.Mode == Mode.E2e || options.HasEpochs))
            lines.Add(
                (
                    "Loss",
                    Text(
                        $"{loss.Weight:0.##} of the teacher's answers at temperature {loss.Temperature}, {1 - loss.Weight:0.##} of the labels"
                    )
                )
            );
        return [.. lines];
    }

    /// <summary>What both parts of a tuning have in common, for checkpoints.</summary>
    private static string SignatureOf(Options options, ImageSet images)
    {
        string signature = Text($"tune {ModelFile.From(options.Input.FullName).Mark} on {images.Fingerprint}, {options.Mode}");
        if (options.Teacher is { } teacher)
            signature += Text($", teacher {ModelFile.From(teacher.FullName).Mark}");
        if (options.Mode == Mode.E2e)
            return signature;
        SequentialOptions blocks = options.Blocks;
        return Text(
            $"{signature}, {blocks.Images} images {blocks.Epochs} times in batches of {blocks.Batch}, Adam {blocks.LearningRate}, inputs {blocks.Inputs}, size {blocks.Size}, seed {blocks.Seed}"
        );
    }

    private static void Show(ImmutableArray<BlockRecord> blocks, TrainingResult? training, double? before, double? after, Terminal terminal)
    {
        if (!blocks.IsEmpty)
        {
            TextTable table = new("block", "error before %#", "error after %#", new("seconds#", 1));
            foreach (BlockRecord block in blocks)
                table.AddRow(
                    block.Name,
                    Text($"{100 * block.ErrorBefore:F3}"),
                    Text($"{100 * block.ErrorAfter:F3}"),
                    Text($"{block.Seconds:F1}")
                );
            terminal.Show(table);
        }
        if (training is not null)
            TrainingTables.Show(training, terminal);
        if (before is { } first && after is { } last)
            terminal.Say(Text($"test top-1: {100 * first:F2} % before, {100 * last:F2} % after"));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    internal sealed record TuningFile(
        int SchemaVersion,
        string Model,
        string Output,
        string? Teacher,
        string Data,
        string DataFingerprint,
        double? Top1Before,
        double? Top1After,
        double? ErrorBefore,
        double? ErrorAfter,
        IReadOnlyList<BlockRecord> Blocks,
        BlocksMemory? BlockMemory,
        StepMemory? Memory,
        IReadOnlyList<EpochRecord> Epochs,
        IReadOnlyList<FixedConstant>? NotTrained,
        int? Ranks = null
    );

    /// <summary>What tuning block by block takes.</summary>
    /// <param name="Bytes">Of all blocks at work, where each is the one that takes most.</param>
    /// <param name="ActivationBytes">Of that one, for what it reads and what it is to make.</param>
    /// <param name="AreKept">Whether every block's activations are computed once.</param>
    /// <param name="AtOnce">Blocks at work.</param>
    internal sealed record BlocksMemory(long Bytes, long ActivationBytes, bool AreKept, int AtOnce)
    {
        public static BlocksMemory From(SequentialTuning tuning)
        {
            BlockMemory largest = tuning.Memory.MaxBy(static block => block.Bytes)!;
            return new(
                largest.Bytes * tuning.AtOnce,
                largest.ActivationBytes,
                tuning.Memory.All(static block => block.IsKept),
                tuning.AtOnce
            );
        }

        public override string ToString() =>
            $"up to {TrainingMemory.Text(Bytes)}{(AtOnce > 1 ? TuneCommand.Text($", {AtOnce} at once") : "")}: "
            + $"{TrainingMemory.Text(ActivationBytes)} of one for activations, {(AreKept ? "kept" : "computed anew for every batch where they do not fit")}";
    }
}
