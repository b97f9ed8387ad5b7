using System.Text.RegularExpressions;

namespace Tensorial.Tests.Docs;

/// <summary>Links between pages lead to files and headings that are there.</summary>
public partial class LinkTests
{
    public static TheoryData<string> Pages =>
        [
            .. ((string[])["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]).Concat(
                ((string[])["docs", "samples", "experiments", "bench", "tests", "deploy"])
                    .Select(static folder => Path.Combine(Oracles.Repository, folder))
                    .Where(Directory.Exists)
                    .SelectMany(static folder => Directory.EnumerateFiles(folder, "*.md", SearchOption.AllDirectories))
                    .Select(static file => Path.GetRelativePath(Oracles.Repository, file).Replace('\\', '/'))
                    .Where(static file => !file.Contains("/bin/") && !file.Contains("/obj/"))
                    .Order(StringComparer.Ordinal)
            ),
        ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_lead_somewhere(string page)
    {
        string path = Path.Combine(Oracles.Repository, page);
        string[] broken =
        [
            .. Links()
                .Matches(Fences().Replace(File.ReadAllText(path), ""))
                .Select(static match => Spaces().Replace(match.Groups[1].Value, ""))
                .Where(static link =>
                    !link.Contains("://", StringComparison.Ordinal) && !link.StartsWith("mailto:", StringComparison.Ordinal)
                )
                .Where(link => !Exists(path, link)),
        ];
        Assert.Equal([], broken);
    }

    private static bool Exists(string page, string link)
    {
        string[] parts = link.Split('#', 2);
        string target = parts[0].Length == 0 ? page : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(page)!, parts[0]));
        if (!Path.Exists(target))
            return false;
        return parts.Length == 1
            || Headings().Matches(File.ReadAllText(target)).Any(heading => Anchor(heading.Groups[1].Value) == parts[1]);
    }

    /// <summary>A heading's anchor, as GitHub makes it.</summary>
    private static string Anchor(string heading) =>
        string.Concat(heading.Trim().ToLowerInvariant().Where(static c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_'))
            .Replace(' ', '-');

    [GeneratedRegex(@"\]\(([^()]+)\)")]
    private static partial Regex Links();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    [GeneratedRegex(@"^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Headings();

    [GeneratedRegex("```.*?```", RegexOptions.Singleline)]
    private static partial Regex Fences();
}
