using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Cli.Commands;
using Tensorial.Data;
using Tensorial.Graphs;
using Tensorial.Training;
using Tensorial.Training.Distributed;
using Tensorial.Training.Optimizers;
using Tensorial.Training.Schedules;

namespace Tensorial.Cli;

/// <summary>Which images a network is trained on and tested with.</summary>
internal sealed record TrainingImages(DataSource Source, Normalization Normalization, int? Limit, int? TestLimit, bool IsTested)
{
    /// <summary>The images that a network is trained on; null for one that is made to suit them.</summary>
    /// <exception cref="BadInputException">It takes none.</exception>
    public ImageSet TrainFor(Graph? graph)
    {
        if (graph is null)
            return Source.Open(DataSplit.Train, Normalization, Limit);
        DataOptions.Require(graph, "Networks of other inputs are not trained by this tool; the library's TrainedNetwork takes several.");
        return Source.Suiting(graph).Open(DataSplit.Train, Normalization, Limit);
    }

    /// <summary>The images that a network is tested on; null for none.</summary>
    public ImageSet? TestFor(Graph? graph) =>
        IsTested ? (graph is null ? Source : Source.Suiting(graph)).Open(DataSplit.Test, Normalization, TestLimit) : null;
}

/// <summary>What a training leaves beside its network, and what it says there of itself.</summary>
/// <param name="Json">All numbers; null for none.</param>
/// <param name="Report">Curves as a page; null for none.</param>
/// <param name="Recipe">The choices that were made.</param>
/// <param name="CommandLine">The command as it could be typed again.</param>
internal sealed record TrainingOutputs(FileInfo? Json, FileInfo? Report, ValueList<(string Name, string Value)> Recipe, string CommandLine)
{
    /// <summary>Fails now where writing would fail after the work is done.</summary>
    public void Check(params string[] others)
    {
        OutputFile.Check(Json, others);
        OutputFile.Check(Report, [.. others, .. Json is null ? Array.Empty<string>() : [Json.FullName]]);
    }
}

/// <summary>The options that train and tune share.</summary>
/// <param name="epochs">Epochs unless --epochs says otherwise.</param>
/// <param name="freshRate">The learning rate at which a fresh network learns by SGD; null for one that is trained already.</param>
/// <param name="freshNote">What help says of fresh networks' rates.</param>
internal sealed class TrainingOptionGroup(int epochs, Func<SymbolResult, double?> freshRate, string freshNote = "")
{
    /// <summary>
    /// Rates of trained networks, which do not undo what they know. Factors that were fitted to a kernel differ in scale from layer to layer,
    /// and with them the gradients: a rate of SGD that suits one layer ruins another, so that Adam's steps, which do not depend on the
    /// scale, are the usual ones.
    /// </summary>
    private const double AdamRate = 0.001,
        TrainedRate = 0.01;

    private enum Rule
    {
        Sgd,
        Nesterov,
        Adam,
        AdamW,
    }

    private readonly ImageOptionGroup _images = new(required: true);
    private readonly Option<int?> _limit = CommonOptions.Positive("--limit", "N", "Train on the first N images only.");
    private readonly Option<int?> _testLimit = CommonOptions.Positive("--test-limit", "N", "Test on the first N images only.");
    private readonly Option<bool> _noTest = new("--no-test") { Description = "Do not evaluate on the test images after each epoch." };
    private readonly Option<int> _epochs = CommonOptions.Positive("--epochs", "N", "Times that every training image is seen.", epochs);
    private readonly Option<int> _batch = CommonOptions.Positive("--batch", "N", "Batch size.", 128);
    private readonly Option<string> _schedule = new("--schedule")
    {
        HelpName = "NAME",
        Description = "How the rate changes: cosine, constant, onecycle, or step:60,120 (a tenth after those epochs).",
        DefaultValueFactory = static _ => "cosine",
    };

    private readonly Option<double> _warmUp = Real("--warm-up", "EPOCHS", "Epochs in which the rate rises from 0.", 0);
    private readonly (Option<Rule> Rule, Option<double> Rate) _steps = Steps(freshRate, freshNote);
    private readonly Option<double> _momentum = Real("--momentum", "PART", "Momentum of sgd and nesterov.", 0.9, 1);
    private readonly Option<double> _decay = Real(
        "--weight-decay",
        "RATE",
        "Weight decay (L2) of kernels and matrices; biases and normalisations have none.",
        5e-4
    );
    private readonly Option<bool> _decayAll = new("--decay-all") { Description = "Weight decay for biases and normalisations as well." };
    private readonly Option<string> _augment = new("--augment")
    {
        HelpName = "PARTS",
        Description = "cifar (pad=4,flip), none, or parts: pad=PIXELS, flip, erase=PROBABILITY, mixup=ALPHA.",
        DefaultValueFactory = static _ => "none",
    };

    private readonly Option<double?> _clip = new("--clip")
    {
        HelpName = "LENGTH",
        Description = "Shorten gradients to this length over all weights.",
    };
    private readonly Option<double> _average = Real(
        "--ema",
        "PART",
        "Keep a running mean of the weights, this part of itself at each step (0.999), and use it.",
        0
    );
    private readonly Option<int?> _patience = CommonOptions.Positive(
        "--patience",
        "EPOCHS",
        "Stop after so many epochs without a better test accuracy, and give the best network."
    );
    private readonly Option<DirectoryInfo?> _resume = new("--resume")
    {
        HelpName = "DIR",
        Description =
            "Keep a checkpoint of every epoch, or tuned block, in this folder and continue from what is there, to the same bits as if never stopped.",
    };
    private readonly Option<long?> _memory = CommonOptions.Memory(
        "Most that a step may take (512MB, 2GiB): larger batches go through the network in parts, or are refused where batch normalisations need them whole; blocks that are "
            + "tuned one by one compute anew what they cannot keep."
    );

    private readonly Option<bool> _syncNorms = new("--sync-batch-norm")
    {
        Description =
            "Of several ranks (mpirun, srun; docs/distributed.md): batch normalisations take mean and variance of the whole batch, so that the result is that of one process. "
            + "Without, of each rank's images.",
    };

    private readonly Option<FileInfo?> _json = CommonOptions.Json();
    private readonly Option<FileInfo?> _report = new("--report")
    {
        HelpName = "FILE",
        Description = "Write the curves as one HTML file that opens offline.",
    };
    private readonly Option<int> _threads = CommonOptions.Threads(),
        _seed = CommonOptions.Seed();

    public void AddTo(Command command)
    {
        _resume.Written();
        _report.Written();
        _images.AddTo(command);
        foreach (
            Option option in (Option[])
                [
                    _limit,
                    _testLimit,
                    _noTest,
                    _epochs,
                    _batch,
                    _steps.Rate,
                    _schedule,
                    _warmUp,
                    _steps.Rule,
                    _momentum,
                    _decay,
                    _decayAll,
                    _augment,
                    _clip,
                    _average,
                    _patience,
                    _resume,
                    _memory,
                    _syncNorms,
                    _report,
                    _json,
                    _threads,
                    _seed,
                ]
        )
            command.Options.Add(option);
    }

    public TrainingImages ReadImages(ParseResult parsed)
    {
        (DataSource source, Normalization normalization) = _images.Read(parsed)!.Value;
        return new(source, normalization, parsed.GetValue(_limit), parsed.GetValue(_testLimit), !parsed.GetValue(_noTest));
    }

    /// <summary>Whether --epochs was given.</summary>
    public bool HasEpochs(ParseResult parsed) => parsed.GetResult(_epochs) is { Implicit: false };

    /// <summary>--batch, where it was given.</summary>
    public int? BatchIfGiven(ParseResult parsed) => parsed.GetResult(_batch) is { Implicit: false } ? parsed.GetValue(_batch) : null;

    /// <summary>The folder of --resume.</summary>
    public DirectoryInfo? ReadFolder(ParseResult parsed) => parsed.GetValue(_resume);

    public TrainingOutputs ReadOutputs(ParseResult parsed) =>
        new(parsed.GetValue(_json), parsed.GetValue(_report), Recipe(parsed), AnalyzeCommand.CommandLineOf(parsed));

    /// <summary>The recipe as people read it, a line for each choice.</summary>
    private ValueList<(string Name, string Value)> Recipe(ParseResult parsed)
    {
        List<(string, string)> lines =
        [
            ("Length", Text($"{parsed.GetValue(_epochs)} epochs, batches of {parsed.GetValue(_batch)}")),
            (
                "Learning rate",
                Text(
                    $"{parsed.GetValue(_steps.Rate)}, {parsed.GetValue(_schedule)}{(parsed.GetValue(_warmUp) is > 0 and var rise ? Text($", rising for {rise} epochs") : "")}"
                )
            ),
            (
                "Optimizer",
                Text(
                    $"{parsed.GetValue(_steps.Rule)}{(parsed.GetValue(_steps.Rule) is Rule.Sgd or Rule.Nesterov ? Text($", momentum {parsed.GetValue(_momentum)}") : "")}, weight decay {parsed.GetValue(_decay)}{(parsed.GetValue(_decayAll) ? " of all weights" : "")}"
                )
            ),
            ("Augmentation", parsed.GetValue(_augment)!),
        ];
        if (parsed.GetValue(_clip) is { } clip)
            lines.Add(("Clipped at", Text($"{clip}")));
        if (parsed.GetValue(_average) is > 0 and var kept)
            lines.Add(("Mean of weights", Text($"keeps {kept} at each step")));
        if (parsed.GetValue(_patience) is { } patience)
            lines.Add(("Patience", Text($"{patience} epochs")));
        return [.. lines];
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <param name="parsed">The command line.</param>
    /// <param name="ranks">The ranks that train together; null for this process alone.</param>
    /// <exception cref="UsageException">The options do not make a training.</exception>
    public TrainingOptions Read(ParseResult parsed, ICommunicator? ranks)
    {
        try
        {
            TrainingOptions options = Parse(parsed);
            return ranks is null
                ? options
                : options with
                {
                    Communicator = ranks,
                    Threads = parsed.GetResult(_threads) is { Implicit: false } ? options.Threads : LocalCores.Of(ranks),
                };
        }
        catch (BadInputException error)
        {
            throw new UsageException(error.Message);
        }
    }

    private TrainingOptions Parse(ParseResult parsed)
    {
        double decay = parsed.GetValue(_decay),
            momentum = parsed.GetValue(_momentum);
        WeightDecay decays = parsed.GetValue(_decayAll) ? WeightDecay.Everywhere(decay) : new(decay);
        Rule rule = parsed.GetValue(_steps.Rule);
        if (parsed.GetValue(_noTest) && parsed.GetValue(_patience) is not null)
            throw new UsageException("--patience goes by the test accuracy, which --no-test leaves out.");
        TrainingOptions options = new()
        {
            Epochs = parsed.GetValue(_epochs),
            Batch = parsed.GetValue(_batch),
            LearningRate = parsed.GetValue(_steps.Rate),
            Schedule = ScheduleText.Parse(parsed.GetValue(_schedule)!, parsed.GetValue(_epochs), parsed.GetValue(_warmUp)),
            Optimizer = () =>
                rule switch
                {
                    Rule.Sgd => new Sgd(momentum) { Decay = decays },
                    Rule.Nesterov => new Sgd(momentum, nesterov: true) { Decay = decays },
                    _ => new Adam(decoupled: rule == Rule.AdamW) { Decay = decays },
                },
            Augmentation = AugmentationText.Parse(parsed.GetValue(_augment)!),
            MaxGradientNorm = parsed.GetValue(_clip),
            EmaDecay = parsed.GetValue(_average),
            Patience = parsed.GetValue(_patience),
            MemoryLimit = parsed.GetValue(_memory),
            SyncBatchNorm = parsed.GetValue(_syncNorms),
            Seed = parsed.GetValue(_seed),
            Threads = parsed.GetValue(_threads),
        };
        options.Check();
        return options;
    }

    /// <summary>
    /// All options that decide the curve, so that a checkpoint is not continued with others. How many epochs there are decides the
    /// schedule.
    /// </summary>
    public string Signature(ParseResult parsed) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"epochs {parsed.GetValue(_epochs)}, batch {parsed.GetValue(_batch)}, lr {parsed.GetValue(_steps.Rate)}, {parsed.GetValue(_schedule)}, warm-up {parsed.GetValue(_warmUp)}, {parsed.GetValue(_steps.Rule)} {parsed.GetValue(_momentum)}, decay {parsed.GetValue(_decay)}{(parsed.GetValue(_decayAll) ? " of all" : "")}, augment {parsed.GetValue(_augment)}, clip {parsed.GetValue(_clip)}, ema {parsed.GetValue(_average)}, patience {parsed.GetValue(_patience)}{(parsed.GetValue(_memory) is { } most ? $", memory {most}" : "")}, seed {parsed.GetValue(_seed)}"
        );

    private static (Option<Rule> Rule, Option<double> Rate) Steps(Func<SymbolResult, double?> freshRate, string freshNote)
    {
        Option<Rule> rule = new("--optimizer")
        {
            HelpName = "sgd|nesterov|adam|adamw",
            Description =
                $"Optimizer.{(freshNote.Length > 0 ? " Unless given: nesterov for fresh networks, adamw for trained ones." : "")}",
            DefaultValueFactory = result => Usual(result),
        };
        Option<double> rate = Real(
            "--lr",
            "RATE",
            Text(
                $"Learning rate, before the schedule. Unless given: {AdamRate} with adam and adamw, {TrainedRate} with sgd and nesterov{freshNote}."
            ),
            result => Chosen(result) is Rule.Adam or Rule.AdamW ? AdamRate : freshRate(result) ?? TrainedRate
        );
        return (rule, rate);

        // A word that is no optimizer is refused where it stands, whatever rate it gets.
        Rule Chosen(SymbolResult result) =>
            result.GetResult(rule) is { Implicit: false, Tokens: [{ Value: var word }] } && Enum.TryParse(word, true, out Rule given)
                ? given
                : Usual(result);

        Rule Usual(SymbolResult result) => freshRate(result) is null ? Rule.AdamW : Rule.Nesterov;
    }

    private static Option<double> Real(string name, string helpName, string description, double usual, double most = double.MaxValue) =>
        Real(name, helpName, description, _ => usual, most);

    private static Option<double> Real(
        string name,
        string helpName,
        string description,
        Func<SymbolResult, double> usual,
        double most = double.MaxValue
    )
    {
        Option<double> option = new(name)
        {
            HelpName = helpName,
            Description = description,
            DefaultValueFactory = result => usual(result),
        };
        return option.Between(0, most);
    }
}
