using System.Globalization;

namespace Tensorial.Compression;

/// <summary>How small a network is to become.</summary>
/// <param name="Measure">What is counted.</param>
/// <param name="Value">The part of it that may be left, 0 to 1; for <see cref="TargetMeasure.MaxDrop"/> accuracy points.</param>
public sealed record CompressionTarget(TargetMeasure Measure, double Value)
{
    private static readonly (string Name, TargetMeasure Measure)[] Names =
    [
        ("params", TargetMeasure.Parameters),
        ("conv-params", TargetMeasure.ConvParameters),
        ("macs", TargetMeasure.Macs),
        ("latency", TargetMeasure.Latency),
        ("max-drop", TargetMeasure.MaxDrop),
    ];

    /// <summary>Reads <c>params=0.25</c>, <c>conv-params=0.5</c>, <c>macs=0.5</c>, <c>latency=0.7</c> or <c>max-drop=0.5</c>.</summary>
    /// <exception cref="BadInputException">It is none of these.</exception>
    public static CompressionTarget Parse(string text)
    {
        string[] parts = text.Split('=');
        if (
            parts.Length == 2
            && Names.FirstOrDefault(name => name.Name == parts[0].Trim()) is { Name: not null } known
            && double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            && (known.Measure == TargetMeasure.MaxDrop ? value is >= 0 and <= 100 : value is > 0 and <= 1)
        )
            return new(known.Measure, value);
        throw new BadInputException(
            $"\"{text}\" is no target: write params=, conv-params=, macs= or latency= and the part that may be left (0 to 1), or max-drop= and accuracy points (0 to 100).{NearestWord.Hint(parts[0].Trim(), Names.Select(static name => name.Name))}"
        );
    }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Names.First(name => name.Measure == Measure).Name}={Value}");
}

/// <summary>What a target counts.</summary>
public enum TargetMeasure
{
    /// <summary>Parameters of the whole network.</summary>
    Parameters,

    /// <summary>Parameters of convolution kernels.</summary>
    ConvParameters,

    /// <summary>Multiply-accumulates of the whole network.</summary>
    Macs,

    /// <summary>Measured time of one image through the whole network.</summary>
    Latency,

    /// <summary>Points of top-1 accuracy that may be lost.</summary>
    MaxDrop,
}
