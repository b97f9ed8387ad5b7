using System.Text;
using Tensorial.Reports;
using Tensorial.Tests.Cli;
using Tensorial.Tests.Data;

namespace Tensorial.Tests.Reports;

public class TrainingRunsTests
{
    private static string Epochs(params (double Top1, double Seconds)[] epochs) =>
        string.Join(
            ',',
            epochs.Select(
                static (e, k) =>
                    FormattableString.Invariant(
                        $$"""{"epoch":{{k + 1}},"loss":1,"trainTop1":0.5,"testTop1":{{e.Top1}},"seconds":{{e.Seconds}},"learningRate":0.1,"imagesPerSecond":10}"""
                    )
            )
        );

    private static TrainingRunCurve Read(string json, string name = "run.json") =>
        TrainingRunCurve.Read(Encoding.UTF8.GetBytes(json), name);

    private static IEnumerable<string> Points(TrainingRunCurve run) =>
        run.Points.Select(static p => FormattableString.Invariant($"{p.Epoch} {p.Seconds} {p.Top1}"));

    [Fact]
    public void Seconds_add_up_and_blocks_come_first()
    {
        TrainingRunCurve run = Read(
            $$"""{"top1Before":0.1,"top1After":0.8,"blocks":[{"seconds":2},{"seconds":3}],"epochs":[{{Epochs((0.6, 10), (0.8, 20))}}]}"""
        );
        Assert.Equal(["0 0 0.1", "1 15 0.6", "2 35 0.8"], Points(run));
        Assert.Equal(new RunPoint(2, 35, 0.8), run.Reaching(0.9 * run.Final));
        TrainingRunCurve blocks = Read("""{"top1Before":0.1,"top1After":0.7,"blocks":[{"seconds":2}],"epochs":[]}""");
        Assert.Equal(["0 0 0.1", "0 2 0.7"], Points(blocks));
        Assert.Null(blocks.Reaching(0.71));
    }

    [Theory]
    [InlineData("""{"epochs":[]}""")]
    [InlineData("""{"epochs":3}""")]
    [InlineData("""{"epochs":[{"epoch":0,"loss":1,"seconds":1,"learningRate":1,"imagesPerSecond":1,"testTop1":0.5}]}""")]
    [InlineData("""{"epochs":[{"epoch":1,"loss":1,"seconds":1,"learningRate":1,"imagesPerSecond":1,"testTop1":1.5}]}""")]
    public void What_is_no_curve_is_refused_by_name(string json) =>
        Assert.Contains("odd.json", Assert.Throws<BadInputException>(() => Read(json, "odd.json")).Message);

    [Fact]
    public async Task Report_draws_trainings_side_by_side()
    {
        using TemporaryFolder folder = new();
        string fast = folder.Write("fast.json", Encoding.UTF8.GetBytes($$"""{"epochs":[{{Epochs((0.9, 1), (0.91, 1))}}]}""")),
            slow = folder.Write("slow.json", Encoding.UTF8.GetBytes($$"""{"epochs":[{{Epochs((0.2, 1), (0.5, 1), (0.8, 1))}}]}""")),
            page = Path.Combine(folder.Path, "page.html"),
            tables = Path.Combine(folder.Path, "tables"),
            figures = Path.Combine(folder.Path, "figures");
        CommandRun run = await CommandRun.Of("report", fast, page, "--compare", slow, "--csv", tables, "--figures", figures);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("fast", File.ReadAllText(page));
        Assert.True(File.Exists(Path.Combine(figures, "curves.svg")));
        string[] lines = File.ReadAllLines(Path.Combine(tables, "convergence.csv"));
        // 0.9 is more than 0.9 of 0.91, but more than half a point below it.
        Assert.Equal("fast,0.9,0.91,2,2,1,1,2,2", lines[1]);
        Assert.Equal("slow,0.2,0.8,3,3,3,3,,", lines[2]);
        Assert.Equal(6, File.ReadAllLines(Path.Combine(tables, "epochs.csv")).Length);
    }

    [Fact]
    public async Task An_analysis_is_compared_with_nothing()
    {
        using TemporaryFolder folder = new();
        string analysis = folder.Write("analysis.json", Tensorial.Analysis.AnalysisJson.ToUtf8(MadeUp.Named(["conv1"])));
        CommandRun run = await CommandRun.Of("report", analysis, Path.Combine(folder.Path, "page.html"), "--compare", analysis);
        Assert.Equal(2, run.Code);
        Assert.Contains("--compare", run.Error);
    }
}
