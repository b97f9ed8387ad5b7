using System.Diagnostics;
using System.Text.RegularExpressions;
using Tensorial.Tests.Data;

namespace Tensorial.Tests.Docs;

/// <summary>
/// The commands of a page, run as they are printed: every <c>sh</c> block in one shell, and what a <c>text</c> block behind it shows held
/// against what the commands printed.
/// </summary>
internal static partial class PageCommands
{
    /// <summary>A block of commands, and what the page says that they print.</summary>
    private sealed record Step(string Commands, string Shown);

    /// <summary>Numbers may differ by this part of themselves: other processors round otherwise, and trainings wander.</summary>
    private const double Tolerance = 0.1;

    /// <summary>Runs a page in a fresh folder from which the repository's folders are seen, and checks what it shows.</summary>
    /// <param name="page">Its path in the repository.</param>
    public static void Check(string page)
    {
        Step[] steps = [.. Steps(File.ReadAllText(Path.Combine(Oracles.Repository, page)).ReplaceLineEndings("\n"))];
        Assert.NotEmpty(steps);
        using TemporaryFolder folder = new();
        // Copies, as in a checkout: through links the compiler sees neither its rules nor what projects import.
        foreach (string name in (string[])["samples", "src"])
            Copy(new(Path.Combine(Oracles.Repository, name)), Path.Combine(folder.Path, name));
        foreach (string file in Directory.EnumerateFiles(Oracles.Repository))
            File.Copy(file, Path.Combine(folder.Path, Path.GetFileName(file)));
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "experiments"), Path.Combine(Oracles.Repository, "experiments"));
        string[] printed = Run(steps, folder.Path);
        for (int k = 0; k < steps.Length; k++)
            CheckShown(page, steps[k], printed[k]);
    }

    /// <summary>A folder without what was built in it.</summary>
    private static void Copy(DirectoryInfo from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (FileInfo file in from.EnumerateFiles())
            file.CopyTo(Path.Combine(to, file.Name));
        foreach (DirectoryInfo inner in from.EnumerateDirectories().Where(static inner => inner.Name is not ("bin" or "obj")))
            Copy(inner, Path.Combine(to, inner.Name));
    }

    /// <summary>What a page shows stands, line by line and in that order, in what was printed.</summary>
    private static void CheckShown(string page, Step step, string printed)
    {
        string[] lines = [.. printed.Split('\n').Select(Spaced).Where(static line => line.Length > 0)];
        int next = 0;
        foreach (string shown in step.Shown.Split('\n').Select(Spaced).Where(static line => line is not ("" or "…")))
        {
            int found = Array.FindIndex(lines, next, line => IsLike(shown, line));
            Assert.True(found >= 0, $"{page} shows\n  {shown}\nbehind\n{step.Commands}\nwhich printed\n{printed}");
            next = found + 1;
        }
    }

    /// <summary>
    /// Whether a line is the one shown: words alike, numbers near; … stands for anything, and a number behind ~ for any number.
    /// </summary>
    internal static bool IsLike(string shown, string line)
    {
        List<double?> expected = [];
        string pattern = Number()
            .Replace(
                Regex.Escape(shown).Replace("…", ".*", StringComparison.Ordinal).Replace("\\ ", " ", StringComparison.Ordinal),
                match =>
                {
                    expected.Add(match.Value[0] == '~' ? null : Value(match.Value));
                    return @"(-?(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?)";
                }
            );
        Match match = Regex.Match(line, $"^{pattern}$");
        return match.Success
            && expected
                .Zip(match.Groups.Values.Skip(1))
                .All(static pair =>
                    pair.First is not { } value
                    || Math.Abs(Value(pair.Second.Value) - value) <= Math.Max(Tolerance * Math.Abs(value), 0.011)
                );
    }

    private static double Value(string text) =>
        double.Parse(text.Replace("\\", "", StringComparison.Ordinal), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Single spaces, and no rules.</summary>
    private static string Spaced(string line) => Spaces().Replace(line.Replace('─', ' '), " ").Trim();

    private static IEnumerable<Step> Steps(string page)
    {
        Match[] fences = [.. Fences().Matches(page).Cast<Match>()];
        for (int k = 0; k < fences.Length; k++)
            if (fences[k].Groups[1].Value == "sh")
                yield return new(
                    fences[k].Groups[2].Value,
                    k + 1 < fences.Length && fences[k + 1].Groups[1].Value == "text" ? fences[k + 1].Groups[2].Value : ""
                );
    }

    private static string[] Run(Step[] steps, string folder)
    {
        const string Mark = "-- next step --";
        string script =
            "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n"
            + $"tensorial() {{ dotnet '{typeof(Tensorial.Cli.Tool).Assembly.Location}' \"$@\"; }}\n"
            + string.Join($"\necho '{Mark}'\n", steps.Select(static step => step.Commands));
        ProcessStartInfo start = new("bash", ["-euo", "pipefail", "-c", script])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What analyzers say is said where the repository is built.
        start.Environment["RunAnalyzers"] = "false";
        start.Environment["NO_COLOR"] = "1";
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"exit code {process.ExitCode}\n{output}\n{errors.Result}");
        return output.Split(Mark);
    }

    [GeneratedRegex(@"```(\w+)\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Fences();

    [GeneratedRegex(@"~?-?(?<![\w.])(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\\\.\d+)?(?!\w)")]
    private static partial Regex Number();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
