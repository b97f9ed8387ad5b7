using System.CommandLine;
using System.Text;
using Tensorial.Analysis;
using Tensorial.Reports;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial report: the page for people, made again from the numbers for machines; trainings side by side.</summary>
internal static class ReportCommand
{
    internal sealed record Options(
        FileInfo Result,
        FileInfo Out,
        IReadOnlyList<FileInfo> Others,
        DirectoryInfo? Csv,
        DirectoryInfo? Figures
    );

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> result = new("result.json") { Description = "What analyze, train or tune --json wrote." };
        Argument<FileInfo> page = new("report.html") { Description = "The page to write: one file, which opens offline." };
        page.Written();
        Option<FileInfo[]> others = new("--compare")
        {
            HelpName = "FILE...",
            Description = "Other trainings to draw in the same figure (what train or tune --json wrote); the first may be among them.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = static _ => [],
        };
        Option<DirectoryInfo?> csv = new("--csv")
        {
            HelpName = "DIR",
            Description =
                "Also write the tables into this folder, made if need be: spectra.csv, cuts.csv, truncations.csv and tolerance.csv of an analysis, convergence.csv and epochs.csv of trainings.",
        };
        csv.WrittenInto();
        Option<DirectoryInfo?> figures = CommonOptions.Figures();
        Command command = new(
            "report",
            "Makes the HTML report of an analysis from its JSON, or the curves of trainings side by side: accuracy against epochs and seconds, and how soon each came near its end."
        )
        {
            result,
            page,
            others,
            csv,
            figures,
        };
        return command.Finish(
            terminal,
            (parsed, _) =>
                Run(
                    new(
                        parsed.GetRequiredValue(result),
                        parsed.GetRequiredValue(page),
                        parsed.GetValue(others) ?? [],
                        parsed.GetValue(csv),
                        parsed.GetValue(figures)
                    ),
                    terminal
                )
        );
    }

    internal static ExitCode Run(Options options, Terminal terminal)
    {
        OutputFile.Check(options.Out, [options.Result.FullName, .. options.Others.Select(static other => other.FullName)]);
        OutputFile.Check(options.Csv);
        OutputFile.Check(options.Figures);
        byte[] json = InputFile.ReadBytes(options.Result.FullName);
        if (TrainingRunCurve.IsRun(json))
            return Compare(options, json, terminal);
        if (options.Others.Count > 0)
            throw new UsageException($"--compare puts trainings side by side, and {options.Result.Name} is none.");
        AnalysisReport analysis = AnalysisJson.Read(Encoding.UTF8.GetString(json), options.Result.Name);
        ReportWriter.WriteHtml(analysis, options.Out.FullName);
        terminal.Say(options.Out.ToString());
        Say(options.Csv is { } csv ? CsvWriter.Write(analysis, csv.ToString()) : [], terminal);
        Say(options.Figures is { } figures ? FigureFiles.Write(analysis, figures.ToString()) : [], terminal);
        return ExitCode.Done;
    }

    private static ExitCode Compare(Options options, byte[] json, Terminal terminal)
    {
        TrainingRunCurve[] runs =
        [
            TrainingRunCurve.Read(json, options.Result.Name),
            .. options
                .Others.Where(other => other.FullName != options.Result.FullName)
                .DistinctBy(static other => other.FullName)
                .Select(static other => TrainingRunCurve.Read(InputFile.ReadBytes(other.FullName), other.Name)),
        ];
        Report page = TrainingRunsPage.From(runs);
        ReportWriter.WriteHtml(page, options.Out.FullName);
        terminal.Say(options.Out.ToString());
        Say(options.Csv is { } csv ? CsvWriter.Write(runs, csv.ToString()) : [], terminal);
        Say(options.Figures is { } figures ? FigureFiles.Write(page, figures.ToString()) : [], terminal);
        return ExitCode.Done;
    }

    private static void Say(IReadOnlyList<string> paths, Terminal terminal)
    {
        foreach (string path in paths)
            terminal.Say(path);
    }
}
