using System.CommandLine;
using Tensorial.Compression.Int8;

namespace Tensorial.Cli;

/// <summary>The options that say how a network is quantized, for commands to share.</summary>
internal sealed class QuantizationOptionGroup
{
    private readonly Option<bool> _perChannel = new("--per-channel")
    {
        HelpName = "true|false",
        Description = "A scale for the weights of each output channel (the default), or one for the layer.",
        DefaultValueFactory = static _ => true,
    };

    private readonly Option<RangeMethod> _method = new("--method")
    {
        HelpName = "minmax|percentile|mse",
        Description =
            "The range of an activation that its 256 steps cover: all values seen, all but a few (--percentile), or the one of least squared error. Default: mse.",
        DefaultValueFactory = static _ => RangeMethod.Mse,
    };

    private readonly Option<double> _percentile = new("--percentile")
    {
        HelpName = "PERCENT",
        Description = "The part of the values that --method percentile covers.",
        DefaultValueFactory = static _ => 99.99,
    };

    private readonly Option<bool> _fullRange = new("--full-range")
    {
        Description =
            "Weights use all of -127 to 127: a little more accurate where processors have VNNI or dot-product instructions, and wrong sums elsewhere (docs/quantize.md).",
    };

    private readonly Option<bool> _noCorrection = new("--no-bias-correction")
    {
        Description = "Leave the mean errors of rounding as they are, instead of taking them out of the biases.",
    };

    public QuantizationOptionGroup() =>
        _percentile.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<double>() is not (> 50 and <= 100))
                result.AddError("--percentile takes a number above 50 and up to 100.");
        });

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_perChannel, _method, _percentile, _fullRange, _noCorrection])
            command.Options.Add(option);
    }

    public QuantizationOptions Read(ParseResult parsed, int threads) =>
        new()
        {
            PerChannel = parsed.GetValue(_perChannel),
            Method = parsed.GetValue(_method),
            Covered = parsed.GetValue(_percentile) / 100,
            FullRange = parsed.GetValue(_fullRange),
            CorrectsBias = !parsed.GetValue(_noCorrection),
            Threads = threads,
        };
}
