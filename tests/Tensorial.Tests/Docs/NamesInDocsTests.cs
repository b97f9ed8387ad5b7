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
            "Tensorial",
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

    /// <summary>Code of pages is what a user can write: public types and members, of the library and of .NET.</summary>
    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/data.md")]
    [InlineData("docs/einsum.md")]
    [InlineData("docs/training.md")]
    public void What_code_names_is_public(string page)
    {
        HashSet<string> names =
        [
            .. ((Type[])[typeof(Tensor), typeof(OnnxRuntime.OrtRuntime), typeof(string), typeof(Console), typeof(Enumerable)])
                .SelectMany(static type => type.Assembly.GetExportedTypes())
                .SelectMany(static type =>
                    type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static)
                        .Select(static member => member.Name)
                        .Append(type.Name.Split('`')[0])
                ),
        ];
        string text = File.ReadAllText(Path.Combine(Oracles.Repository, page));
        string[] code =
        [
            .. Fences().Matches(text).Select(static match => match.Value).Where(static fence => fence.StartsWith("```csharp")),
        ];
        Assert.NotEmpty(code);
        string[] named =
        [
            .. code.Select(static fence => Literals().Replace(fence, ""))
                .SelectMany(static fence => Identifiers().Matches(fence))
                .Select(static match => match.Value)
                .Distinct(),
        ];
        Assert.True(named.Length >= 4, $"{page}: {string.Join(' ', named)}");
        Assert.Equal([], named.Where(name => !names.Contains(name)));
    }

    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>Names of files, and of types and members: what begins with a capital and goes on with small letters.</summary>
    private static IEnumerable<string> Words(string code) =>
        code.EndsWith(".cs", StringComparison.Ordinal) ? [code.Split('/')[^1]] : Names().Matches(code).Select(static match => match.Value);

    [GeneratedRegex(@"""[^""]*""|//.*")]
    private static partial Regex Literals();

    [GeneratedRegex(@"\b[A-Z]\w+")]
    private static partial Regex Identifiers();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex Code();

    [GeneratedRegex("```.*?```", RegexOptions.Singleline)]
    private static partial Regex Fences();

    [GeneratedRegex(@"(?<![\w/.\-""])[A-Z][a-z]+\w*\b(?![\w./-])")]
    private static partial Regex Names();
}
