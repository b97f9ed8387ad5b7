using System.CommandLine;
using System.Globalization;
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
            (parsed, cancel) => RankedCommand.Run(terminal, ranks => Tuning.Run(ReadOptions(parsed, ranks), terminal, cancel), cancel)
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

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
