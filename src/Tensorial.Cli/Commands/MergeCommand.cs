using System.CommandLine;
using System.Globalization;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Reports;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial merge: one result from the parts of a sweep.</summary>
internal static class MergeCommand
{
    internal sealed record Options(FileInfo Output, IReadOnlyList<string> Parts, FileInfo? Html, DirectoryInfo? Csv);

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> output = new("out.json")
        {
            Description =
                "The merged result of a sweep, as analyze --json writes it; of shards of plan, search or compare the folder for the joined store.",
        };
        output.Written();
        Argument<string[]> parts = new("part")
        {
            Description =
                "Results of analyze (JSON files) and result stores (folders given to --resume), all of one model and one set of images. Stores of plan, search or compare are joined into one.",
            Arity = ArgumentArity.OneOrMore,
        };
        parts.ReadAsPath();
        Option<FileInfo?> html = new("--report") { HelpName = "FILE", Description = "Also write the report as one HTML file." };
        html.Written();
        Option<DirectoryInfo?> csv = new("--csv") { HelpName = "DIR", Description = "Also write the tables as CSV." };
        csv.WrittenInto();
        return new Command("merge", "Joins the shards of a sweep, or those of plan, search or compare.")
        {
            output,
            parts,
            html,
            csv,
        }.Finish(
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
        if (parts.All(static part => Directory.Exists(part) && StoreMerge.IsSearch(part)))
            return Join(options, terminal);
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

    /// <summary>One store from those of a compression's shards.</summary>
    private static ExitCode Join(Options options, Terminal terminal)
    {
        string folder = options.Output.ToString();
        if (options.Html is not null || options.Csv is not null || options.Output.Extension == ".json")
            throw new UsageException(
                $"{string.Join(" and ", options.Parts)} {(options.Parts.Count == 1 ? "is a store" : "are stores")} of plan, search, compress or compare, joined into a folder: tensorial merge DIR {string.Join(' ', options.Parts)}, and then that command with --resume DIR, which writes files and reports."
            );
        OutputFile.Check(new DirectoryInfo(folder));
        JoinedStore joined = StoreMerge.Into(folder, options.Parts);
        terminal.Say(
            $"{joined.Results.ToString("N0", CultureInfo.InvariantCulture)} results from {options.Parts.Count} stores are in {folder}."
        );
        if (joined.Missing.Count > 0)
            terminal.Say(
                $"Of the search {string.Join(", and ", joined.Missing)}; the same commands go on where they stopped, and a run with --resume {folder} measures what is missing itself."
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
