using System.Collections.Immutable;
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Reports;
using Tensorial.Training;
using Tensorial.Training.Losses;

namespace Tensorial.Cli.Commands;

/// <summary>What <see cref="TuneCommand"/> does, once its options are read.</summary>
internal static class Tuning
{
    internal static ExitCode Run(TuneCommand.Options options, Terminal terminal, CancellationToken cancel)
    {
        if (options.Mode == TuneCommand.Mode.Sequential && options.Teacher is null)
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
        ImageSet images = options.Images.TrainFor(small);
        ImageSet? test = options.Images.TestFor(small);
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
        // All outputs count where no labels say that one of them is the answer; rows are made of those that put time first.
        JointOutputs? joint =
            dense is not null
            && !images.HasLabels
            && (dense.Outputs.Length > 1 || SampleAxis.Of(dense.WithImageShape(images.ImageShape), dense.Outputs[0].Name) > 0)
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
        string signature = SignatureOf(options, small, dense, images);
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
        double? before = test is { HasLabels: true } ? terminal.WithProgress(progress => run.Top1(small, progress)) : null,
            errorBefore = test is { HasLabels: false } ? run.Error(Joined(small)) : null;

        Graph tuned = small;
        ImmutableArray<BlockRecord> blocks = [];
        BlocksMemory? blockMemory = null;
        if (options.Mode == TuneCommand.Mode.Sequential)
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
        TrainingResult? training = options.Mode == TuneCommand.Mode.E2e || options.HasEpochs ? run.Train(Joined(tuned)) : null;
        if (training is not null)
            tuned = joint is null ? training.Network : JointOutputs.Part(training.Network, tuned.Outputs);
        double? after = test is { HasLabels: true } ? terminal.WithProgress(progress => run.Top1(tuned, progress)) : null,
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
    private static Loss LossOf(TuneCommand.Options options, ImageSet images, Shape output) =>
        !ClassScores.Are(output) ? new RelativeSquares()
        : options.Training.Loss is Distillation loss && !images.HasLabels ? loss with { Weight = 1 }
        : options.Training.Loss;

    /// <summary>What was chosen for the blocks, then for what followed end to end.</summary>
    private static ValueList<(string Name, string Value)> RecipeOf(TuneCommand.Options options, Loss chosen, BlocksMemory? memory)
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
        if (options.Mode == TuneCommand.Mode.E2e || options.HasEpochs)
            lines.AddRange(options.Outputs.Recipe);
        if (chosen is RelativeSquares && (options.Mode == TuneCommand.Mode.E2e || options.HasEpochs))
            lines.Add(
                (
                    "Loss",
                    $"squared distance of the outputs from the teacher's, over their squares{string.Concat(options.OutputWeights.Select(static pair => Text($"; {pair.Key} counts {pair.Value:0.###}")))}"
                )
            );
        if (chosen is Distillation loss && (options.Mode == TuneCommand.Mode.E2e || options.HasEpochs))
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
    private static string SignatureOf(TuneCommand.Options options, Graph small, Graph? dense, ImageSet images)
    {
        string signature = Text($"tune {ModelFile.OfSource(small).Mark} on {images.Fingerprint}, {options.Mode}");
        if (dense is not null)
            signature += Text($", teacher {ModelFile.OfSource(dense).Mark}");
        if (options.Mode == TuneCommand.Mode.E2e)
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
}
