using System.Runtime.CompilerServices;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Training;

namespace Tensorial.Tests.Docs;

/// <summary>The first page of the library runs as it is printed.</summary>
[Collection(nameof(Alone))]
public class LibraryPageTests
{
    [Fact]
    public void The_first_page_runs()
    {
        string printed = Printed(FirstPage);
        Assert.Contains("Top1 = 0.9", printed);
        Assert.Contains("Cuts = [o|ihw]", printed);
    }

    [Fact]
    public void The_smaller_network_is_made() => Assert.Contains("conv2.weight: ", Printed(Smaller));

    [Fact]
    public void The_tensorial_network_learns() => Assert.Contains("Epoch = 3", Printed(FromScratch));

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
        foreach (string body in (string[])[nameof(FirstPage), nameof(Smaller), nameof(FromScratch)])
            Assert.Contains(BodyOf(body), Page().ReplaceLineEndings("\n"));
    }

    private static void FirstPage()
    {
        Graph graph = OnnxFile.Read(Sample.Model, "sample");
        ImageSet images = DataSource.Parse("sample").Open(DataSplit.Test, Normalization.None, limit: 500);

        using Inference dense = new(graph);
        Console.WriteLine(Evaluator.Evaluate(dense, graph, images).Result);

        KernelWeight weight = KernelWeights.From(graph).Kernels[1];
        Kernel kernel = Kernel.From(weight);
        Truncation truncation = Truncation.From(kernel, [new CutStep(Cut.Parse("o|ihw"), new RankRule.NormLoss(0.3))]);
        Console.WriteLine(truncation.Account);

        Graph changed = graph.With(weight.Name, kernel.Store(truncation.Values));
        using Inference truncated = dense.With(changed);
        Console.WriteLine(Evaluator.Evaluate(truncated, changed, images).Result);

        OnnxFile.Write(changed, "truncated.onnx");
    }

    private static void Smaller()
    {
        Graph graph = OnnxFile.Read(Sample.Model, "sample");
        ImageSet training = DataSource.Parse("sample").Open(DataSplit.Train, Normalization.None, limit: 200);

        NetworkCompression compression = new(
            graph,
            CompressibleLayer.Of(graph).Layers,
            training,
            [],
            new RewriteOptions(),
            ResultCache.None
        );
        CompressedNetwork small = compression.Run(
            new PlanRequest
            {
                Targets = [CompressionTarget.Parse("params=0.5")],
                Search = new() { Formats = [KernelFormat.SvdIn, KernelFormat.Tucker2] },
            }
        );
        foreach (CompressionCandidate chosen in small.Chosen)
            Console.WriteLine($"{chosen.Layer.Name}: {chosen.Form?.ToString() ?? "dense"}");

        OnnxFile.Write(small.Graph, "small.onnx");
    }

    private static void FromScratch()
    {
        NetworkBuilder net = new("small", [1, 28, 28], seed: 0);
        Features x = net.Input;
        foreach ((int channels, int layer) in ((int, int)[])[(16, 1), (32, 2)])
        {
            x = net.BatchNormalization($"bn{layer}", net.Convolution($"conv{layer}", x, channels, 3, padding: 1));
            x = net.MaxPool($"pool{layer}", net.Relu($"relu{layer}", x), 2, 2);
        }
        // From 32×7×7 features to 10 classes through a bond r; nothing is flattened.
        x = net.Contraction("classes", x, "nchw,crh,rwo->no", new Dictionary<char, int> { ['r'] = 8, ['o'] = 10 });
        Graph network = Tensorization.InitializeFactorized(net.ToGraph(x), KernelFormat.Parse("rcp:2"), rate: 0.3, images: 32);

        ImageSet training = DataSource.Parse("sample").Open(DataSplit.Train, Normalization.None);
        using Trainer trainer = new(
            network,
            training,
            new()
            {
                Epochs = 3,
                Batch = 32,
                LearningRate = 0.05,
            }
        );
        TrainingResult trained = trainer.Run();
        Console.WriteLine(trained.Epochs[^1]);

        OnnxFile.Write(trained.Network, "tensorial.onnx");
    }

    private static string BodyOf(string page, [CallerFilePath] string source = "")
    {
        string text = File.ReadAllText(source).ReplaceLineEndings("\n");
        int start = text.IndexOf($"    private static void {page}()\n    {{\n", StringComparison.Ordinal);
        string body = text[(text.IndexOf('{', start) + 2)..text.IndexOf("\n    }\n", start, StringComparison.Ordinal)];
        return string.Join('\n', body.Split('\n').Select(static line => line.Length > 8 ? line[8..] : line));
    }

    private static string Page() => File.ReadAllText(Path.Combine(Oracles.Repository, "docs", "library.md"));
}
