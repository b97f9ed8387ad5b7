using System.Runtime.CompilerServices;
using Tensorial.Analysis;
using Tensorial.Data;
using Tensorial.Networks;
using Tensorial.Onnx;

namespace Tensorial.Tests.Docs;

/// <summary>The first page of the library runs as it is printed.</summary>
[Collection(nameof(Alone))]
public class LibraryPageTests
{
    [Fact]
    public void The_first_page_runs()
    {
        string before = Directory.GetCurrentDirectory();
        DirectoryInfo folder = Directory.CreateTempSubdirectory();
        TextWriter console = Console.Out;
        using StringWriter printed = new();
        try
        {
            Directory.SetCurrentDirectory(folder.FullName);
            Console.SetOut(printed);
            FirstPage();
        }
        finally
        {
            Console.SetOut(console);
            Directory.SetCurrentDirectory(before);
            folder.Delete(true);
        }
        Assert.Contains("Top1 = 0.9", printed.ToString());
        Assert.Contains("Cuts = [o|ihw]", printed.ToString());
    }

    [Fact]
    public void The_page_prints_what_runs() => Assert.Contains(BodyOfFirstPage(), Page().ReplaceLineEndings("\n"));

    private static void FirstPage()
    {
        Graph graph = OnnxFile.Read(Sample.Model, "sample");
        ImageSet images = DataSource.Parse("sample").Open(Split.Test, Normalization.None, limit: 500);

        using Inference dense = new(graph);
        Console.WriteLine(Evaluator.Run(dense, graph, images).Result);

        KernelWeight weight = KernelWeights.Of(graph).Kernels[1];
        Kernel kernel = Kernel.Of(weight);
        Truncation truncation = Truncation.Of(kernel, [new CutStep(Cut.Parse("o|ihw"), new RankRule.NormLoss(0.3))]);
        Console.WriteLine(truncation.Account);

        Graph changed = graph.With(weight.Name, kernel.Store(truncation.Values));
        using Inference truncated = dense.With(changed);
        Console.WriteLine(Evaluator.Run(truncated, changed, images).Result);

        OnnxFile.Write(changed, "truncated.onnx");
    }

    private static string BodyOfFirstPage([CallerFilePath] string source = "")
    {
        string text = File.ReadAllText(source).ReplaceLineEndings("\n");
        int start = text.IndexOf("    private static void FirstPage()\n    {\n", StringComparison.Ordinal);
        string body = text[(text.IndexOf('{', start) + 2)..text.IndexOf("\n    }\n", start, StringComparison.Ordinal)];
        return string.Join('\n', body.Split('\n').Select(static line => line.Length > 8 ? line[8..] : line));
    }

    private static string Page() => File.ReadAllText(Path.Combine(Oracles.Repository, "docs", "library.md"));
}
