using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tensorial.Analysis;
using Tensorial.Training;

namespace Tensorial.Reports;

/// <summary>Test accuracy of one training or tuning against epochs and seconds.</summary>
/// <param name="Name">What it is called beside others: its file.</param>
/// <param name="Points">In order; epoch 0 is before the first, or after tuning block by block.</param>
internal sealed record TrainingRunCurve(string Name, ImmutableArray<RunPoint> Points)
{
    private static readonly JsonSerializerOptions Json = new(AnalysisJson.Indented) { TypeInfoResolver = RunJsonTypes.Default };

    /// <summary>Whether JSON is what train or tune wrote, rather than analyze.</summary>
    public static bool IsRun(byte[] json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return document.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("epochs", out _);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>The curve that <c>train --json</c> or <c>tune --json</c> wrote.</summary>
    /// <param name="json">The file's bytes.</param>
    /// <param name="name">The file's name.</param>
    /// <exception cref="BadInputException">It is no such file, or no accuracy was measured.</exception>
    public static TrainingRunCurve Read(byte[] json, string name)
    {
        RunFile file = JsonInput.Read<RunFile>(json, name, "result of train or tune", Json);
        List<RunPoint> points = [];
        if (file.Top1Before is { } before)
            points.Add(new(0, 0, before));
        double seconds = (file.Blocks ?? []).Sum(static block => block.Seconds);
        if (file.Epochs.IsEmpty && file.Top1After is { } after)
            points.Add(new(0, seconds, after));
        foreach (EpochRecord epoch in file.Epochs)
        {
            seconds += epoch.Seconds;
            if (epoch.TestTop1 is { } top1)
                points.Add(new(epoch.Epoch, seconds, top1));
        }
        return points.Count > 0
            ? new(Path.GetFileNameWithoutExtension(name), [.. points])
            : throw new BadInputException($"'{name}' has no test accuracies: it was made without test images or with --no-test.");
    }

    /// <summary>The last accuracy.</summary>
    public double Final => Points[^1].Top1;

    /// <summary>The first point with at least this accuracy; null where there is none.</summary>
    public RunPoint? Reaching(double top1) => Points.Where(p => p.Top1 >= top1).Select(static p => (RunPoint?)p).FirstOrDefault();

    internal sealed record RunFile(
        ImmutableArray<EpochRecord> Epochs,
        ImmutableArray<RunBlock>? Blocks = null,
        [property: Range(0.0, 1.0)] double? Top1Before = null,
        [property: Range(0.0, 1.0)] double? Top1After = null
    );

    internal sealed record RunBlock([property: Range(0, double.MaxValue)] double Seconds);
}

/// <param name="Epoch">Epochs done.</param>
/// <param name="Seconds">Wall time until then, evaluation included.</param>
/// <param name="Top1">Accuracy on the test images, 0 to 1.</param>
internal readonly record struct RunPoint(int Epoch, double Seconds, double Top1);

/// <summary>What is read of the results of trainings.</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(TrainingRunCurve.RunFile))]
internal sealed partial class RunJsonTypes : JsonSerializerContext;
