using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Tensorial.Data;
using Tensorial.Graphs;

namespace Tensorial.Cli;

/// <summary>Options that several commands share: made here so that they read the same everywhere.</summary>
internal static class CommonOptions
{
    public static Argument<FileInfo> Model() => new("model.onnx") { Description = "The trained network." };

    public static Option<string?> Data() =>
        new Option<string?>("--data")
        {
            HelpName = "SET",
            Description =
                "images:DIR (JPEG, PNG, BMP, GIF, WebP; a subfolder for each class, or no labels), tar:SHARDS (tar files of WebDataset: one, a folder of them, or a pattern), cifar10:DIR, cifar100:DIR, idx:DIR, npy:IMAGES.npy[,LABELS.npy], npy:SET.npz, npy:DIR, or sample (embedded Fashion-MNIST images).",
        }.ReadAsData();

    public static Option<string> Normalize() =>
        new("--normalize")
        {
            HelpName = "VALUES",
            Description =
                "Channel means, then channel standard deviations, of pixels in [0,1] (such as .485,.456,.406,.229,.224,.225); or imagenet, cifar10, none.",
            DefaultValueFactory = static _ => "none",
        };

    public static Option<DataSplit?> Split() =>
        new("--split")
        {
            HelpName = "train|test",
            Description = "Which part of the set. Default: test for evaluation and sweeps, train for calibration.",
        };

    public static Option<int?> Limit() => Positive("--limit", "N", "Use the first N images only.");

    public static Option<int> Batch() => Whole("--batch", "Images per call of the network.", 64, int.MaxValue);

    public static Option<FileInfo?> Json() =>
        new Option<FileInfo?>("--json") { HelpName = "FILE", Description = "Write the whole result as JSON (docs/json.md)." }.Written();

    public static Option<DirectoryInfo?> Figures() =>
        new Option<DirectoryInfo?>("--figures")
        {
            HelpName = "DIR",
            Description = "Write the figures as SVG and PDF files into this folder; made if need be.",
        }.WrittenInto();

    public static Option<int> Threads() =>
        Whole(
            "--threads",
            "Threads to compute with. Default: all cores; of several ranks on a machine, each its part.",
            Environment.ProcessorCount,
            MostThreads
        );

    public static Option<int> Seed() =>
        new("--seed")
        {
            HelpName = "N",
            Description = "Seed of everything random.",
            DefaultValueFactory = static _ => 0,
        };

    private const string RuntimeNames = "own|onnxruntime";

    private const string WhatRuntimesAre = "this tool's own executor, or ONNX Runtime.";

    public static Option<string> Runtime() =>
        new("--runtime")
        {
            HelpName = RuntimeNames,
            Description = $"What executes the networks: {WhatRuntimesAre}",
            DefaultValueFactory = static _ => "own",
        };

    /// <summary>The runtime named; null where it is the tool's choice.</summary>
    public static Option<string?> RuntimeOrSuiting() =>
        new("--runtime")
        {
            HelpName = RuntimeNames,
            Description =
                $"What executes the networks: {WhatRuntimesAre} Default: the tool's own, or ONNX Runtime where that does not run them.",
        };

    public static Option<string[]> Runtimes() =>
        new("--runtime")
        {
            HelpName = RuntimeNames,
            Description =
                $"Where layers and networks are timed: {WhatRuntimesAre} Given several times, each counts. Default: ONNX Runtime, or the tool's own where that does not run.",
            DefaultValueFactory = static _ => [],
        };

    /// <summary>Each of an option's words as the library reads it; what it refuses is a mistake in the command line.</summary>
    public static T[] Each<T>(ArgumentResult result, Func<string, T> parse)
    {
        try
        {
            return [.. result.Tokens.Select(token => parse(token.Value))];
        }
        catch (BadInputException error)
        {
            result.AddError(error.Message);
            return [];
        }
    }

    /// <summary>Several whole numbers from 1 on, separated by commas.</summary>
    public static Option<int[]> Counts(string name, string description, params int[] usual) =>
        new(name)
        {
            HelpName = "N,...",
            Description = description,
            DefaultValueFactory = _ => usual,
            CustomParser = result =>
            {
                string[] parts = result.Tokens[0].Value.Split(',');
                int[] counts = [.. parts.Select(static text => int.TryParse(text, out int count) ? count : 0)];
                if (counts.Any(static count => count < 1))
                    result.AddError($"{name} takes whole numbers from 1 on, such as 1,16, not '{result.Tokens[0].Value}'.");
                return counts;
            },
        };

    /// <summary>Extents of inputs that a network leaves open.</summary>
    public static Option<InputShape[]> Shapes() =>
        new("--shape")
        {
            HelpName = "INPUT=1x3x640x640",
            Description = "Extents of an input that the network leaves open (docs/tool.md); may be given for each input.",
            DefaultValueFactory = static _ => [],
            CustomParser = static result => Each(result, InputShape.Parse),
        };

    public static Option<string[]> Layers() =>
        new("--layers")
        {
            HelpName = "GLOB",
            Description = "Only kernels whose weight or node has a name that matches, * and ? allowed; may be given several times.",
            DefaultValueFactory = static _ => [],
        };

    public static Option<string[]> Keep() =>
        new("--keep")
        {
            HelpName = "GLOB",
            Description = "Kernels that stay as they are, by weight or node; may be given several times.",
            DefaultValueFactory = static _ => [],
        };

    public static Option<DirectoryInfo?> Resume() =>
        new Option<DirectoryInfo?>("--resume")
        {
            HelpName = "DIR",
            Description = "Keep every finished measurement in this folder and continue from what is there.",
        }.Written();

    /// <summary>Far beyond any machine's cores, and few enough that starting them harms nobody.</summary>
    private const int MostThreads = 1024;

    /// <summary>A whole number from 1 to a limit.</summary>
    private static Option<int> Whole(string name, string description, int usual, int most)
    {
        Option<int> option = new(name)
        {
            HelpName = "N",
            Description = description,
            DefaultValueFactory = _ => usual,
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 0 || !int.TryParse(result.Tokens[0].Value, out int value))
                return;
            if (value < 1)
                result.AddError($"{name} must be at least 1, not {value}.");
            if (value > most)
                result.AddError($"{name} must be at most {most}, not {value}.");
        });
        return option;
    }

    public static Option<int?> Positive(string name, string helpName, string description)
    {
        Option<int?> option = new(name) { HelpName = helpName, Description = description };
        option.Validators.Add(AtLeastOne);
        return option;
    }

    /// <inheritdoc cref="Positive(string, string, string)"/>
    /// <param name="usual">The value where none is given.</param>
    public static Option<int> Positive(string name, string helpName, string description, int usual)
    {
        Option<int> option = new(name)
        {
            HelpName = helpName,
            Description = description,
            DefaultValueFactory = _ => usual,
        };
        option.Validators.Add(AtLeastOne);
        return option;
    }

    private static void AtLeastOne(OptionResult result)
    {
        if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[0].Value, out int value) && value <= 0)
            result.AddError($"{result.Option.Name} must be at least 1, not {value}.");
    }

    private static readonly (string Name, double Bytes)[] Units =
    [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("KB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("", 1),
    ];

    /// <summary>An amount of memory in bytes: 512MB in steps of 1,000, 512MiB in steps of 1,024, or a plain number.</summary>
    public static Option<long?> Memory(string description) =>
        new("--memory")
        {
            HelpName = "SIZE",
            Description = description,
            CustomParser = static result =>
            {
                string text = result.Tokens[0].Value;
                (string name, double bytes) = Units.First(unit => text.EndsWith(unit.Name, StringComparison.OrdinalIgnoreCase));
                if (
                    double.TryParse(text[..^name.Length], NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
                    && number * bytes is >= 1 and <= 1e18
                )
                    return (long)(number * bytes);
                result.AddError($"--memory takes a size such as 512MB or 2GiB, not '{text}'.");
                return null;
            },
        };

    /// <summary>Adds --quiet and --no-color, which every command honours, and the action that runs it.</summary>
    public static Command Finish(this Command command, Terminal terminal, Func<ParseResult, CancellationToken, ExitCode> run)
    {
        Option<bool> quiet = new("--quiet") { Description = "No progress and no notes on stderr." };
        Option<bool> noColor = new("--no-color") { Description = "Plain text; NO_COLOR in the environment does the same." };
        command.Options.Add(quiet);
        command.Options.Add(noColor);
        command.SetAction(
            (parsed, cancel) =>
            {
                terminal.Quiet = parsed.GetValue(quiet);
                if (parsed.GetValue(noColor))
                    terminal.DropColor();
                PathRoles.Check(parsed);
                using IDisposable? watch = terminal.Watch(command.Name);
                return Task.FromResult((int)run(parsed, cancel));
            }
        );
        return command;
    }
}
