using System.CommandLine;
using System.Globalization;
using Tensorial.Data;
using Tensorial.Data.Sharded;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial data export: a set as PNG files, in a folder for each class where it has labels, or as tar files.</summary>
internal static class DataExportCommand
{
    private const int Batch = 64;

    internal sealed record Options(DataOptions Data, DirectoryInfo Out, bool Flat, int? Shards = null);

    public static Command Create(Terminal terminal)
    {
        DataOptions.Group data = new(required: true);
        Option<DirectoryInfo> folder = new("--out")
        {
            HelpName = "DIR",
            Description = "The folder to put the files in; made if need be.",
            Required = true,
        };
        Option<bool> flat = new("--flat") { Description = "All in one folder, or in tar files, without labels." };
        Option<int?> shards = CommonOptions.Positive(
            "--shards",
            "N",
            "Write N tar files of WebDataset instead, for --data tar:DIR: KEY.png and KEY.cls. Files of pictures and arrays go in as they are."
        );
        Command command = new(
            "export",
            "Writes a set as PNG files, for --data images:DIR or any other program, or as tar files. Pixels are written as they are stored, before normalisation."
        )
        {
            folder,
            flat,
            shards,
        };
        data.AddTo(command);
        return command.Finish(
            terminal,
            (parsed, cancel) =>
                Run(
                    new(
                        data.Read(parsed, DataSplit.Test)!,
                        parsed.GetRequiredValue(folder),
                        parsed.GetValue(flat),
                        parsed.GetValue(shards)
                    ),
                    terminal,
                    cancel
                )
        );
    }

    internal static ExitCode Run(Options options, Terminal terminal, CancellationToken cancel)
    {
        // Without normalisation a byte is a multiple of 1/255, and what is read is what was stored.
        ImageSet images = (options.Data with { Normalization = Normalization.None }).Open();
        if (options.Shards is { } shards)
            return WriteShards(options, images, shards, terminal, cancel);
        if (images.ImageShape.Rank != 3 || images.ImageShape[0] is not (1 or 3))
            throw new ShapeException(
                $"Only grey and RGB images can be written as pictures; those of {images.Name} are {images.ImageShape}."
            );
        bool isLabelled = images.HasLabels && !options.Flat;
        Directory.CreateDirectory(options.Out.FullName);
        terminal.WithProgress(progress =>
        {
            foreach (ImageBatch batch in images.Batches(Batch, cancel))
            {
                for (int k = 0; k < batch.Count; k++)
                {
                    string folder = isLabelled
                        ? Path.Combine(options.Out.FullName, Text($"{batch.Labels.Span[k]:D3}"))
                        : options.Out.FullName;
                    Directory.CreateDirectory(folder);
                    ImageFile.WritePng(Pixels(batch.Images.Rows(k, 1)), Path.Combine(folder, Text($"{batch.First + k:D6}.png")));
                }
                progress.Report(new("export", batch.First + batch.Count, images.Count, "images"));
            }
            return images.Count;
        });
        terminal.Say($"{images.Count} images are in place: --data images:{options.Out}{(images.ImageShape[0] == 1 ? " --grayscale" : "")}");
        return ExitCode.Done;
    }

    private static ExitCode WriteShards(Options options, ImageSet images, int shards, Terminal terminal, CancellationToken cancel)
    {
        if (shards > images.Count)
            throw new UsageException($"--shards {shards} is more than {images.Name} has images, {images.Count}.");
        string split = options.Data.Split == DataSplit.Train ? "train" : "test";
        string[] paths = [.. Enumerable.Range(0, shards).Select(k => Path.Combine(options.Out.FullName, Text($"{split}-{k:D6}.tar")))];
        // They may be the very files that are read.
        if (paths.FirstOrDefault(File.Exists) is { } there)
            throw new UsageException($"'{there}' is there already: name another folder, or remove it.");
        Directory.CreateDirectory(options.Out.FullName);
        terminal.WithProgress(progress =>
        {
            int done = 0;
            Tasks.Run(
                shards,
                k =>
                    ShardWriter.Write(
                        images,
                        paths[k],
                        k,
                        shards,
                        images.HasLabels && !options.Flat,
                        () => progress.Report(new("export", Interlocked.Increment(ref done), images.Count, "images")),
                        cancel
                    ),
                cancel
            );
            return images.Count;
        });
        // PNG files of one channel are read as colours unless that is said.
        bool isGray = images.FileOf(0) is null && images.Stored(0, cancel) is Tensor<byte> { Shape: [1, _, _] };
        terminal.Say($"{images.Count} images are in place: --data tar:{options.Out}{(isGray ? " --grayscale" : "")}");
        return ExitCode.Done;
    }

    /// <summary>[1, C, H, W] in [0, 1] as bytes [H, W, C].</summary>
    private static Tensor<byte> Pixels(Tensor<float> image)
    {
        (int channels, int height, int width) = (image.Shape[1], image.Shape[2], image.Shape[3]);
        Tensor<byte> pixels = new([height, width, channels]);
        for (int channel = 0; channel < channels; channel++)
        for (int k = 0; k < height * width; k++)
            pixels.Values[k * channels + channel] = (byte)Math.Clamp(MathF.Round(255 * image.Values[channel * height * width + k]), 0, 255);
        return pixels;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
