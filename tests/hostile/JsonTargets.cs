using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Equations;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Reports;
using Tensorial.Training;

namespace Tensorial.Hostile;

/// <summary>What the tool itself wrote and others may have changed: plans, results, stores, states.</summary>
internal static class JsonTargets
{
    public static IReadOnlyList<Target> All =>
        [
            new("plan", false, static () => Corpora.Files("plan.json"), Jsons.Mutate, Plan),
            new("analysis", false, static () => Corpora.Files("analysis.json", "spectra.json"), Jsons.Mutate, Analysis),
            new("training-run", false, static () => Corpora.Files("train.json", "tune.json"), Jsons.Mutate, TrainingRun),
            new("store", false, static () => Corpora.Files("store.jsonl", "cache.jsonl"), MutateStore, Store),
            new("state", false, static () => Corpora.Files("state.json"), Jsons.Mutate, State),
            new("blocks", false, static () => Corpora.Files("blocks.json"), Jsons.Mutate, Blocks),
            new("cost-model", false, static () => Corpora.Files("costs.json"), Jsons.Mutate, Costs),
        ];

    private static readonly Lazy<ImmutableArray<CompressibleLayer>> Layers = new(static () =>
        CompressibleLayer
            .Of(WeightsAsInitializers.Apply(OnnxFile.Read(Corpora.File("tiny.onnx"), "tiny.onnx")).WithImageShape([1, 28, 28]))
            .Layers
    );

    private static void Plan(byte[] bytes) => _ = CompressionPlan.Read(Scratch.Write(bytes, "plan.json")).ChoicesFor(Layers.Value);

    private static void Analysis(byte[] bytes)
    {
        AnalysisReport report = AnalysisJson.Read(Encoding.UTF8.GetString(bytes), "x.json");
        AnalysisReport merged = ReportMerge.Of([("x.json", report), ("y.json", report)]);
        if (!IsShown(bytes))
            return;
        Show(report);
        Show(merged);
    }

    /// <summary>One in sixteen: pages and figures take fifty times as long as reading does.</summary>
    private static bool IsShown(byte[] bytes) => bytes.Sum(static value => value) % 16 == 0;

    private static void Show(AnalysisReport report)
    {
        ReportWriter.WriteHtml(report, Stream.Null);
        _ = CsvWriter.Write(report, Scratch.At("csv"));
        _ = FigureFiles.Write(report, Scratch.At("figures"));
    }

    private static void TrainingRun(byte[] bytes)
    {
        _ = TrainingRunCurve.IsRun(bytes);
        TrainingRunCurve run = TrainingRunCurve.Read(bytes, "x.json");
        ReportWriter.WriteHtml(TrainingRunsPage.From([run, run]), Stream.Null);
    }

    /// <summary>Lines of JSON under their checksums: three in four get the right one again, so that what they say is read.</summary>
    private static byte[] MutateStore(IReadOnlyList<byte[]> corpus, Random random)
    {
        byte[] good = Hostile.Bytes.Pick(corpus, random);
        if (random.Next(4) == 0)
            return Hostile.Bytes.Mutate(good, corpus, random);
        List<string> lines = [.. Encoding.UTF8.GetString(good).TrimEnd('\n').Split('\n')];
        for (int change = random.Next(1, 4); change > 0; change--)
        {
            int line = random.Next(lines.Count);
            lines[line] = random.Next(6) == 0 ? lines[random.Next(lines.Count)] : Checked(Jsons.Change(lines[line], random));
        }
        return Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n");
    }

    private static string Checked(string line)
    {
        try
        {
            return JsonSerializer.Serialize(
                JsonSerializer.Deserialize<StoredResult>(line, AnalysisJson.Line)!.Checked(),
                AnalysisJson.Line
            );
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or NullReferenceException or ArgumentException)
        {
            return line;
        }
    }

    private static void Store(byte[] bytes)
    {
        string path = Scratch.Write(bytes, "store", "measurements.jsonl");
        using (ResultStore store = ResultStore.Open(Path.GetDirectoryName(path)!))
        {
            AnalysisReport[] runs = [.. store.All<AnalysisReport>(StoredKind.Run)];
            foreach (AnalysisReport run in runs)
                store.CheckBelongsTo(run.Provenance);
            _ = store.OtherVersions;
            if (runs.Length == 0)
                return;
        }
        AnalysisReport all = ReportMerge.OfStore(Path.GetDirectoryName(path)!);
        if (IsShown(bytes))
            Show(all);
    }

    private static void State(byte[] bytes)
    {
        string path = Scratch.Write(bytes, "state", "state.json");
        string folder = Path.GetDirectoryName(path)!;
        foreach (
            (string name, string from) in ((string, string)[])
                [("epoch-00002.safetensors", "weights"), ("epoch-00001.safetensors", "weights1")]
        )
            if (!File.Exists(Path.Combine(folder, name)))
                File.WriteAllBytes(Path.Combine(folder, name), Corpora.File($"{from}.safetensors"));
        _ = new CheckpointFolder(folder).Load(SignatureOf("state.json"));
    }

    private static void Blocks(byte[] bytes)
    {
        string path = Scratch.Write(bytes, "blocks", "blocks.json");
        string folder = Path.GetDirectoryName(path)!;
        if (!File.Exists(Path.Combine(folder, "block-001.safetensors")))
            File.WriteAllBytes(Path.Combine(folder, "block-001.safetensors"), Corpora.File("block-001.safetensors"));
        _ = new BlockFolder(folder, SignatureOf("blocks.json")).Load();
    }

    private static string SignatureOf(string file)
    {
        using JsonDocument document = JsonDocument.Parse(Corpora.File(file));
        return document.RootElement.GetProperty("signature").GetString()!;
    }

    private static void Costs(byte[] bytes) => _ = CostModelFile.Read(Scratch.Write(bytes, "costs.json"));
}
