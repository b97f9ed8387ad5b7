using System.Reflection;
using System.Text.RegularExpressions;

namespace Tensorial.Tests.Docs;

/// <summary>Pages that lead through the code name what is there.</summary>
public partial class NamesInDocsTests
{
    [Theory]
    [InlineData("docs/tour.md")]
    [InlineData("docs/library.md")]
    [InlineData("CONTRIBUTING.md")]
    public void What_a_page_names_exists(string page)
    {
        string sources = Path.Combine(Oracles.Repository, "src", "Tensorial");
        HashSet<string> files =
        [
            .. Directory
                .EnumerateFiles(sources, "*", SearchOption.AllDirectories)
                .Concat(Directory.EnumerateFiles(Path.Combine(Oracles.Repository, "tests"), "*.cs", SearchOption.AllDirectories))
                .Select(static file => Path.GetFileName(file)!),
        ];
        HashSet<string> names =
        [
            nameof(Tensorial),
            .. Directory.EnumerateDirectories(sources, "*", SearchOption.AllDirectories).Select(static folder => Path.GetFileName(folder)!),
            .. AppDomain
                .CurrentDomain.GetAssemblies()
                .Append(typeof(OnnxRuntime.OrtRuntime).Assembly)
                .Where(static assembly => assembly.GetName().Name!.StartsWith("Tensorial", StringComparison.Ordinal))
                .SelectMany(assembly => page == "docs/library.md" ? assembly.GetExportedTypes() : assembly.GetTypes())
                .SelectMany(static type => type.GetMembers(All).Select(static member => member.Name).Append(type.Name.Split('`')[0])),
        ];
        string text = File.ReadAllText(Path.Combine(Oracles.Repository, page));
        string[] named = [.. Code().Matches(Fences().Replace(text, "")).Select(static match => match.Groups[1].Value)];
        Assert.True(named.Length >= 10, $"{page} names {named.Length} things only: the pattern misses them.");
        string[] missing =
        [
            .. named.SelectMany(Words).Where(word => !(word.Contains('.') ? files.Contains(word) : names.Contains(word))).Distinct(),
        ];
        Assert.Equal([], missing);
    }

    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>Names of files, and of types and members: what begins with a capital and goes on with small letters.</summary>
    private static IEnumerable<string> Words(string code) =>
        code.EndsWith(".cs", StringComparison.Ordinal) ? [code.Split('/')[^1]] : Names().Matches(code).Select(static match => match.Value);

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex Code();

    [GeneratedRegex("```.*?```", RegexOptions.Singleline)]
    private static partial Regex Fences();

    [GeneratedRegex(@"(?<![\w/.\-""])[A-Z][a-z]+\w*\b(?![\w./-])")]
    private static partial Regex Names();
}
