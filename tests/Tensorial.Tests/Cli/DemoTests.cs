namespace Tensorial.Tests.Cli;

/// <summary>The first thing a stranger runs.</summary>
public sealed class DemoTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public async Task The_demo_leaves_a_model_results_and_a_report()
    {
        string folder = Path.Combine(_folder.FullName, "demo");
        CommandRun run = await CommandRun.Of("demo", "--out", folder, "--quiet");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("94.20", run.Output);
        Assert.Equal(
            [
                "analysis.json",
                "cuts.csv",
                "evaluation.json",
                "fashion-cnn.onnx",
                "report.html",
                "spectra.csv",
                "tolerance.csv",
                "truncations.csv",
            ],
            Directory.GetFiles(folder).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal)
        );
        Assert.Contains("conv3.weight", File.ReadAllText(Path.Combine(folder, "report.html")));
    }
}
