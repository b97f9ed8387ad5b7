using System.CommandLine;
using System.CommandLine.Parsing;
using Tensorial.Analysis;

namespace Tensorial.Cli.Commands;

/// <summary>The options that say what a sweep measures.</summary>
internal sealed class SweepOptionGroup
{
    private readonly Option<ValueList<Cut>?> _cuts = Parsed(
        "--cuts",
        "CUT,...",
        "Cuts, such as o|ihw,oh|iw (quote the bar for the shell). Default: all bipartitions of every kernel.",
        static text => (ValueList<Cut>)[.. text.Split(',').Select(Cut.Parse)]
    );

    private readonly Option<ValueList<RankRule>?> _ranks = Parsed(
        "--ranks",
        "RANK,...",
        "Ranks to truncate to at every cut: numbers (16), parts of the maximal rank (25%), norm losses allowed (loss=0.1); or none, for --sequence alone. "
            + $"Default: {string.Join(',', SweepOptions.DefaultRanks)}.",
        static text => (ValueList<RankRule>)[.. text == "none" ? [] : text.Split(',').Select(RankRule.Parse)]
    );

    private readonly Option<string[]> _sequences = new("--sequence")
    {
        HelpName = "CUT:RANK,...",
        Description =
            "Cuts made one after another, such as \"o|ihw:50%,i|ohw:50%\"; may be given several times, each is one measurement per layer and one of all.",
        DefaultValueFactory = static _ => [],
    };

    private readonly Option<SweepScope?> _scope = Parsed(
        "--scope",
        "layers|all|both",
        "Truncate kernels one by one, all convolution kernels together, or measure both (the default).",
        static text =>
            text switch
            {
                "layers" => (SweepScope?)SweepScope.EachLayer,
                "all" => SweepScope.AllLayers,
                "both" => SweepScope.Both,
                _ => throw new BadInputException($"\"{text}\" is no scope: write layers, all or both."),
            }
    );

    private readonly Option<Shard?> _shard = SchedulerShard.Create();

    private readonly Option<int> _batch = CommonOptions.Batch();

    private readonly Option<int?> _memory = CommonOptions.Positive(
        "--memory",
        "MIB",
        "Activations to hold from one measurement to the next, MiB. Default 1024; with less they are computed again more often."
    );

    public SweepOptionGroup() =>
        _sequences.Validators.Add(static result =>
        {
            foreach (Token token in result.Tokens)
                Try(result, () => CutStep.ParseSequence(token.Value));
        });

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_cuts, _ranks, _sequences, _scope, _shard, _batch, _memory])
            command.Options.Add(option);
    }

    public SweepOptions Read(ParseResult parsed) =>
        new()
        {
            Cuts = parsed.GetValue(_cuts),
            Ranks = parsed.GetValue(_ranks) ?? SweepOptions.DefaultRanks,
            Sequences = [.. parsed.GetValue(_sequences)!.Select(CutStep.ParseSequence)],
            Scope = parsed.GetValue(_scope) ?? SweepScope.Both,
            Shard = parsed.GetValue(_shard) ?? Shard.Whole,
            Batch = parsed.GetValue(_batch),
            ActivationBudget = (parsed.GetValue(_memory) ?? 1024) * (1L << 20),
        };

    /// <summary>An option whose text the library reads; what the library refuses is a mistake in the command line.</summary>
    internal static Option<T?> Parsed<T>(string name, string helpName, string description, Func<string, T> parse) =>
        new(name)
        {
            HelpName = helpName,
            Description = description,
            CustomParser = result => Try(result, () => parse(result.Tokens[0].Value)),
        };

    private static T? Try<T>(SymbolResult result, Func<T> parse)
    {
        try
        {
            return parse();
        }
        catch (BadInputException error)
        {
            result.AddError(error.Message);
            return default;
        }
    }
}
