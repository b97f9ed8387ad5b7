using System.CommandLine;
using System.Globalization;
using Tensorial.Data;

namespace Tensorial.Cli;

/// <summary>The options that say what --data is and how its images become what a network takes.</summary>
internal sealed class ImageOptionGroup
{
    private readonly Option<string?> _data = CommonOptions.Data();
    private readonly Option<string?> _preset = new("--preset")
    {
        HelpName = string.Join('|', ImagePreset.All.Select(static preset => preset.Name)),
        Description =
            "Size and normalisation as a family of networks takes them (docs/data.md); the options below say otherwise, one by one.",
    };
    private readonly Option<string> _normalize = CommonOptions.Normalize();
    private readonly Option<float[]?> _mean = Numbers("--mean", "Channel means, on the scale of --scale and in the network's order.");
    private readonly Option<float[]?> _std = Numbers("--std", "Channel standard deviations, likewise.");
    private readonly Option<float?> _scale = new("--scale")
    {
        HelpName = "WHITE",
        Description = "What white is before means and deviations apply: 1 (the default) or 255.",
    };
    private readonly Option<bool> _bgr = new("--bgr") { Description = "The network takes blue first: channels are reversed." };
    private readonly Option<string?> _resize = new("--resize")
    {
        HelpName = "N|HxW",
        Description = "Resize pictures of images:DIR and tar:SHARDS: the shorter edge to N pixels, or all to a height and width.",
    };
    private readonly Option<string?> _crop = new("--crop") { HelpName = "N|HxW", Description = "Cut the middle out of them." };
    private readonly Option<string?> _letterbox = new("--letterbox")
    {
        HelpName = "N|HxW",
        Description = "Fit the whole picture into the middle of a grey frame of this size.",
    };
    private readonly Option<Interpolation?> _interpolation = new("--interpolation")
    {
        HelpName = "bilinear|bicubic",
        Description = "How pixels between pixels are made, both with antialiasing. Default: bilinear.",
    };
    private readonly Option<bool> _grayscale = new("--grayscale") { Description = "Pictures as one channel of luma." };

    public ImageOptionGroup(bool required) => _data.Required = required;

    public void AddTo(Command command)
    {
        foreach (
            Option option in (Option[])
                [_data, _preset, _normalize, _mean, _std, _scale, _bgr, _resize, _crop, _letterbox, _interpolation, _grayscale]
        )
            command.Options.Add(option);
    }

    /// <summary>The set asked for; null where --data was not given.</summary>
    /// <exception cref="UsageException">The options do not go together.</exception>
    public (DataSource Source, Normalization Normalization)? Read(ParseResult parsed)
    {
        if (parsed.GetValue(_data) is not { } data)
            return null;
        ImagePreset? preset;
        ImageTransform? transform;
        try
        {
            preset = parsed.GetValue(_preset) is { } name ? ImagePreset.Parse(name) : null;
            bool isAsked = new Option[] { _resize, _crop, _letterbox, _interpolation, _grayscale }.Any(option =>
                parsed.GetResult(option) is { Implicit: false }
            );
            // A preset brings pictures to its size; other sets have one already.
            transform = DataSource.HoldsPictures(data) || isAsked ? Transform(parsed, preset) : null;
        }
        catch (BadInputException error)
        {
            throw new UsageException(error.Message);
        }
        return (DataSource.Parse(data, transform), Normalize(parsed, preset));
    }

    private ImageTransform Transform(ParseResult parsed, ImagePreset? preset)
    {
        ImageTransform transform = preset?.Transform ?? new();
        if (parsed.GetValue(_letterbox) is { } frame)
            transform = new() { Letterbox = ImageSize.Parse(frame), AtCorner = transform.AtCorner };
        if (parsed.GetValue(_resize) is { } size)
            transform = int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out _)
                ? transform with
                {
                    ShorterEdge = ImageSize.Parse(size).Height,
                    Exactly = null,
                }
                : transform with
                {
                    ShorterEdge = null,
                    Exactly = ImageSize.Parse(size),
                };
        if (parsed.GetValue(_crop) is { } crop)
            transform = transform with { Crop = ImageSize.Parse(crop) };
        if (
            parsed.GetValue(_letterbox) is null
            && (transform.ShorterEdge ?? transform.Exactly?.Height ?? transform.Crop?.Height) is not null
        )
            transform = transform with { Letterbox = null };
        transform = transform with
        {
            Interpolation = parsed.GetValue(_interpolation) ?? transform.Interpolation,
            Grayscale = parsed.GetValue(_grayscale),
        };
        transform.Check();
        return transform;
    }

    private Normalization Normalize(ParseResult parsed, ImagePreset? preset)
    {
        bool isNamed = parsed.GetResult(_normalize) is { Implicit: false };
        float[]? means = parsed.GetResult(_mean) is { Implicit: false } ? parsed.GetValue(_mean) : null,
            deviations = parsed.GetResult(_std) is { Implicit: false } ? parsed.GetValue(_std) : null;
        if (isNamed && (means ?? deviations) is not null)
            throw new UsageException("--normalize and --mean or --std say the same: give one of them.");
        int count = (means ?? deviations)?.Length ?? 1;
        Normalization? given =
            (means ?? deviations) is not null ? new([.. means ?? new float[count]], [.. deviations ?? Enumerable.Repeat(1f, count)])
            : isNamed ? Normalization.Parse(parsed.GetValue(_normalize)!)
            : null;
        Normalization result =
            given is null && parsed.GetValue(_scale) is null
                ? preset?.Normalization ?? Normalization.None
                : (given ?? Normalization.None).AtScale(parsed.GetValue(_scale) ?? 1);
        return result.Reversed(parsed.GetValue(_bgr) || preset?.Normalization.IsReversed == true);
    }

    private static Option<float[]?> Numbers(string name, string description) =>
        new(name)
        {
            HelpName = "X,...",
            Description = description,
            CustomParser = result =>
            {
                string[] parts = result.Tokens[0].Value.Split(',');
                float[] numbers = new float[parts.Length];
                for (int k = 0; k < parts.Length; k++)
                    if (!float.TryParse(parts[k], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[k]))
                        result.AddError($"{name} takes numbers, one for each channel, such as .485,.456,.406; '{parts[k]}' is none.");
                return numbers;
            },
        };
}
