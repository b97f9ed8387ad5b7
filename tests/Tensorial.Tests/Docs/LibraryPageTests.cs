using Tensorial.Samples;

namespace Tensorial.Tests.Docs;

/// <summary>The first page of the library runs as it is printed.</summary>
[Collection(nameof(Alone))]
public class LibraryPageTests
{
    [Fact]
    public void The_network_is_evaluated() => Assert.Contains("Top1 = 0.9", Printed(LibraryPage.Evaluate));

    [Fact]
    public void Spectra_are_printed()
    {
        string printed = Printed(LibraryPage.Spectra);
        Assert.Equal(7, printed.Split('|').Length - 1);
        Assert.Contains("o|ihw: effective rank ", printed);
    }

    [Fact]
    public void The_smaller_network_is_made_with_the_defaults_of_the_tool()
    {
        string printed = Printed(LibraryPage.Compress);
        Assert.Contains("conv1.weight: the first and the last layer matter most and weigh little", printed);
        Assert.Contains("conv2.weight: ", printed);
    }

    [Fact]
    public void The_tensorial_network_learns() => Assert.Contains("Epoch = 3", Printed(LibraryPage.Build));

    [Fact]
    public void The_equation_has_gradients() => Assert.Contains("and 4 gradients", Printed(LibraryPage.Equations));

    private static string Printed(Action page)
    {
        string before = Directory.GetCurrentDirectory();
        DirectoryInfo folder = Directory.CreateTempSubdirectory();
        TextWriter console = Console.Out;
        using StringWriter printed = new();
        try
        {
            Directory.SetCurrentDirectory(folder.FullName);
            Console.SetOut(printed);
            page();
        }
        finally
        {
            Console.SetOut(console);
            Directory.SetCurrentDirectory(before);
            folder.Delete(true);
        }
        return printed.ToString();
    }

    [Fact]
    public void The_page_prints_what_runs()
    {
        foreach (
            string body in (string[])
                [
                    nameof(LibraryPage.Evaluate),
                    nameof(LibraryPage.Spectra),
                    nameof(LibraryPage.Compress),
                    nameof(LibraryPage.Build),
                    nameof(LibraryPage.Equations),
                ]
        )
            Assert.Contains(BodyOf(body), Page().ReplaceLineEndings("\n"));
    }

    private static string BodyOf(string page)
    {
        string text = File.ReadAllText(Path.Combine(Oracles.Repository, "samples", "Library", "LibraryPage.cs")).ReplaceLineEndings("\n");
        int start = text.IndexOf($"    public static void {page}()\n    {{\n", StringComparison.Ordinal);
        string body = text[(text.IndexOf('{', start) + 2)..text.IndexOf("\n    }\n", start, StringComparison.Ordinal)];
        return string.Join('\n', body.Split('\n').Select(static line => line.Length > 8 ? line[8..] : line));
    }

    private static string Page() => File.ReadAllText(Path.Combine(Oracles.Repository, "docs", "library.md"));
}
