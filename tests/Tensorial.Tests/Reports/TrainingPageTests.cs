using System.Collections.Immutable;
using System.Text;
using System.Xml.Linq;
using Tensorial.Reports;
using Tensorial.Training;

namespace Tensorial.Tests.Reports;

/// <summary>The page of a training, of a tuning, and of what was cut short.</summary>
public class TrainingPageTests
{
    private static readonly TrainingReport Usual = new()
    {
        Start = "resnet20, fresh weights",
        Provenance = new()
        {
            Version = "0.1.0",
            CommandLine = "tensorial train resnet20 out.onnx",
            Date = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
            Model = new("out.onnx", new string('a', 64), 1_900_000),
            Data = new("cifar10", "test", 10_000, "0123"),
            Machine = new("Linux x64", ".NET 10", 4, 2),
            Seconds = 91,
        },
        Images = new("cifar10", "train", 50_000, "4567"),
        Recipe = [("Length", "3 epochs, batches of 128")],
        Memory = new(36_000_000, 400_000, 1),
        Epochs = Epochs(3),
        Top1After = 0.75,
    };

    private static readonly Dictionary<string, TrainingReport> Reports = new()
    {
        ["usual"] = Usual,
        ["one epoch"] = Usual with { Epochs = Epochs(1) },
        ["200 epochs"] = Usual with { Epochs = Epochs(200) },
        ["untested"] = Usual with
        {
            Epochs = [.. Epochs(3).Select(static e => e with { TestTop1 = null })],
            Top1After = null,
            Provenance = Usual.Provenance with { Data = null },
        },
        ["parts"] = Usual with { Memory = new(100, 200, 4), Stopped = StopReason.NoProgress },
        ["blocks alone"] = Tuned() with { Epochs = [], Memory = null },
        ["blocks, untested"] = Tuned() with { Epochs = [], Memory = null, Top1Before = null, Top1After = null },
        ["blocks and epochs"] = Tuned(),
        ["a perfect block"] = Tuned() with { Blocks = [new("conv", 0, 0, 0.1)] },
        ["hostile names"] = Tuned() with
        {
            Teacher = "<script>alert(1)</script>",
            Start = "\"><img src=x>",
            Blocks = [new("]]></svg>", 0.5, 0.1, 1), new("\0\ud800", 0.5, 0.5, 1)],
        },
    };

    public static TheoryData<string> Names => [.. Reports.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_page_is_well_formed_and_its_charts_are_described(string name)
    {
        XElement page = Tree(Reports[name]);
        string[] ids = [.. page.Descendants().Attributes("id").Select(static a => a.Value)];
        Assert.Equal(ids.Distinct(), ids);
        foreach (XAttribute link in page.Descendants().Attributes("href"))
            Assert.Contains(link.Value[1..], ids);
        Assert.DoesNotContain(
            page.DescendantNodes().OfType<XText>(),
            static text => text.Value.Contains("NaN") || text.Value.Contains('∞')
        );
        Assert.DoesNotContain(
            page.Descendants("path").Attributes("d"),
            static path => path.Value.Contains('N') || path.Value.Contains("∞")
        );
        XElement[] charts = [.. page.Descendants("svg").Where(static svg => (string?)svg.Attribute("role") == "img")];
        Assert.Equal((Reports[name].Epochs.IsEmpty ? 0 : 4) + (Reports[name].Blocks.IsEmpty ? 0 : 1), charts.Length);
        Assert.All(charts, static chart => Assert.NotEmpty((string)chart.Attribute("aria-label")!));
        Assert.Single(page.Descendants("script"));
    }

    [Fact]
    public void Curves_stand_where_their_numbers_are()
    {
        XElement accuracy = Tree(Usual)
            .Descendants("svg")
            .First(static svg => ((string?)svg.Attribute("aria-label"))?.StartsWith("Accuracy", StringComparison.Ordinal) == true);
        string[] ends = ((string)accuracy.Attribute("data-y")!).Split(' ');
        double[] number = [.. ends.Skip(1).Select(static text => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture))];
        string line = (string)
            accuracy
                .Descendants("g")
                .Single(static g => (string?)g.Attribute("data-name") == "test")
                .Elements("path")
                .First()
                .Attribute("d")!;
        double[] heights =
        [
            .. line.Split('M', 'L')
                .Skip(1)
                .Select(static point => double.Parse(point.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture)),
        ];
        double[] read = [.. heights.Select(y => number[0] + ((y - number[2]) / (number[3] - number[2]) * (number[1] - number[0])))];
        Assert.Equal(Usual.Epochs.Select(static e => e.TestTop1!.Value), read, static (a, b) => Math.Abs(a - b) < 1e-3);
    }

    [Fact]
    public void What_was_reached_is_said_first()
    {
        string page = Text(Tree(Reports["blocks and epochs"]));
        Assert.Contains("1 of 2 blocks came closer to dense.onnx: the median error fell from 40.00 % to 25.00 %", page);
        Assert.Contains(
            "After 3 epochs 75.00 % of 10,000 test images of cifar10 are classified correctly, +45.00 points against 30.00 % before.",
            page
        );
        Assert.Contains("nothing was tested", Text(Tree(Reports["untested"])));
        Assert.Contains("batches go through in 4 parts", Text(Tree(Reports["parts"])));
    }

    private static TrainingReport Tuned() =>
        Usual with
        {
            Start = "small.onnx",
            Teacher = "dense.onnx",
            Top1Before = 0.3,
            Blocks = [new("block1", 0.5, 0.2, 1), new("block2", 0.3, 0.3, 1)],
        };

    private static ImmutableArray<EpochRecord> Epochs(int count) =>
        [
            .. Enumerable
                .Range(1, count)
                .Select(k => new EpochRecord(k, 2.3 / k, 1 - (0.7 / k), 1 - (0.75 / Math.Min(k, 3)), 12.5, 0.1 / k, 4000 + k)),
        ];

    private static string Text(XElement page) => page.Value.Replace('\u202f', ' ');

    private static XElement Tree(TrainingReport report)
    {
        using MemoryStream stream = new();
        ReportWriter.WriteHtml(TrainingPage.From(report), stream);
        return Pages.Tree(Encoding.UTF8.GetString(stream.ToArray()));
    }
}
