using System.CommandLine;
using Tensorial.Analysis;
using Tensorial.Reports;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial merge: one result from the parts of a sweep.</summary>
internal static class MergeCommand
{
    internal sealed record Options(FileInfo Output, IReadOnlyList<string> Parts, FileInfo? Html, DirectoryInfo? Csv);

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> output = new("out.json") { Description = "The merged result, as analyze --json writes it." };
        output.Written();
        Argument<string[]> parts = new("part")
        {
            Description =
                "Results of analyze (JSON files) and result stores (folders given to --resume), all of one model and one set of images.",
            Arity = ArgumentArity.OneOrMore,
        };
        parts.ReadAsPath();
        Option<FileInfo?> html = new("--report") { HelpName = "FILE", Description = "Also write the report as one HTML file." };
        html.Written();
        Option<DirectoryInfo?> csv = new("--csv") { HelpName = "DIR", Description = "Also write the tables as CSV." };
        csv.WrittenInto();
        return new Command("merge", "Joins the shards of a sweep.") { output, parts, html, csv }.Finish(
            terminal,
            (parsed, _) =>
                Run(
                    new(parsed.GetRequiredValue(output), parsed.GetRequiredValue(parts), parsed.GetValue(html), parsed.GetValue(csv)),
                    terminal
                )
        );
    }

    internal static ExitCode Run(Options options, Terminal terminal)
    {
        string[] parts = [.. options.Parts];
        OutputFile.Check(options.Output, parts);
        OutputFile.Check(options.Html, parts);
        OutputFile.Check(options.Csv);
        AnalysisReport merged = ReportMerge.Of([.. options.Parts.Select(static part => (part, Read(part)))]);
        AtomicFile.Write(options.Output.FullName, stream => stream.Write(AnalysisJson.ToUtf8(merged)));
        if (options.Csv is { } csv)
            CsvWriter.Write(merged, csv.FullName);
        if (options.Html is { } html)
            ReportWriter.WriteHtml(merged, html.FullName);
        terminal.Say(
            $"{merged.Layers.Count} kernels and {merged.Truncations.Count:N0} of {merged.PlannedTruncations:N0} planned measurements from {options.Parts.Count} parts."
        );
        if (merged.Truncations.Count < merged.PlannedTruncations)
            terminal.Say(
                $"{merged.PlannedTruncations - merged.Truncations.Count:N0} measurements are missing{Missing(options.Parts)}; the same commands go on where they stopped."
            );
        return ExitCode.Done;
    }

    /// <summary>Shards of which no part says anything.</summary>
    private static string Missing(IReadOnlyList<string> parts)
    {
        Shard[] there = [.. parts.SelectMany(ShardsOf).OfType<string>().Select(Shard.Parse).Distinct()];
        Shard[] missing =
        [
            .. there
                .Select(static shard => shard.Count)
                .Distinct()
                .SelectMany(static count => Enumerable.Range(1, count).Select(index => new Shard(index, count)))
                .Except(there),
        ];
        return missing.Length switch
        {
            0 => "",
            <= 20 => $", and nothing is there of shard {string.Join(", ", missing)}",
            _ => $", and nothing is there of {missing.Length} shards: {string.Join(", ", missing.Take(20))}, …",
        };
    }

    private static IEnumerable<string?> ShardsOf(string part) =>
        Directory.Exists(part)
            ? ResultStore
                .Read(part)
                .Where(static result => result.Kind == StoredKind.Run)
                .Select(static result => result.As<AnalysisReport>().Provenance.Shard)
            : [Read(part).Provenance.Shard];

    private static AnalysisReport Read(string part) =>
        Directory.Exists(part) ? ReportMerge.OfStore(part) : AnalysisJson.Read(InputFile.ReadText(part), part);
}
