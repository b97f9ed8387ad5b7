using System.CommandLine;
using Tensorial.Analysis;
using Tensorial.Reports;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial report: the page for people, made again from the numbers for machines.</summary>
internal static class ReportCommand
{
    internal sealed record Options(FileInfo Analysis, FileInfo Out, DirectoryInfo? Csv);

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> analysis = new("analysis.json") { Description = "What analyze --json wrote." };
        Argument<FileInfo> page = new("report.html") { Description = "The page to write: one file, which opens offline." };
        page.Written();
        Option<DirectoryInfo?> csv = new("--csv")
        {
            HelpName = "DIR",
            Description = "Also write spectra.csv, cuts.csv and truncations.csv into this folder; made if need be.",
        };
        csv.Written();
        Command command = new("report", "Make the HTML report of an analysis from its JSON.") { analysis, page, csv };
        return command.Finish(
            terminal,
            (parsed, _) => Run(new(parsed.GetRequiredValue(analysis), parsed.GetRequiredValue(page), parsed.GetValue(csv)), terminal)
        );
    }

    internal static ExitCode Run(Options options, Terminal terminal)
    {
        OutputFile.Check(options.Out, options.Analysis.FullName);
        OutputFile.Check(options.Csv);
        AnalysisReport analysis = AnalysisJson.Read(File.ReadAllText(options.Analysis.FullName), options.Analysis.Name);
        ReportWriter.WriteHtml(analysis, options.Out.FullName);
        terminal.Say(options.Out.ToString());
        if (options.Csv is { } folder)
        {
            foreach (string path in CsvWriter.Write(analysis, folder.ToString()))
                terminal.Say(path);
        }
        return ExitCode.Done;
    }
}
