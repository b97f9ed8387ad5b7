using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Tensorial.Analysis;
using Tensorial.Reports;
using Tensorial.Tests.Data;

namespace Tensorial.Tests.Reports;

public class ReportTests
{
    private static readonly string[] HostileNames =
    [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</style><script>alert(1)</script>",
        "</title>&lt;&amp;",
        "]]>",
        "line\r\nbreak\ttab",
        "nul\0bell\a\u001b[31m",
        "\ud800half",
        "\uffff",
        "right\u202eto\u2066left",
        "漢字 مرحبا 🦆",
        "javascript:alert(1)",
        "",
        " ",
        new string('x', 5000),
        "=cmd|' /C calc'!A1",
        "a|b\nc|d",
    ];

    private static readonly Dictionary<string, AnalysisReport> Reports = new()
    {
        ["ResNet-32"] = MadeUp.ResNet32(),
        ["no data"] = MadeUp.ResNet32(withData: false),
        ["no kernel"] = MadeUp.Of([], withData: false),
        ["no kernel, nothing uncut"] = MadeUp.Of([], withData: false) with { Uncut = [] },
        ["no kernel, data"] = MadeUp.Of([], withData: true),
        ["one kernel"] = MadeUp.Named(["conv"]),
        ["one dense kernel"] = MadeUp.Of([MadeUp.Layer("fc", [10, 64], 0.5)], withData: true),
        ["a kernel of one number"] = MadeUp.Of([MadeUp.Layer("one", [1, 1, 1, 1], 0.5)], withData: true),
        ["zero kernel"] = MadeUp.Of([Zero("zero"), MadeUp.Layer("conv", [8, 4, 3, 3], 0.5)], withData: true),
        ["only zero"] = MadeUp.Of([Zero("zero")], withData: false),
        ["twice the same name"] = MadeUp.Named(["conv", "conv"]),
        ["300 kernels"] = MadeUp.Named(Enumerable.Range(0, 300).Select(static k => $"conv{k}"), withData: false),
        ["hostile names"] = MadeUp.Named(HostileNames),
        ["sequences"] = WithSequences(),
        ["truncations of what is not there"] = MadeUp.Named(["conv"]) with { Layers = [] },
        ["no baseline"] = MadeUp.ResNet32() with { Baseline = null },
    };

    public static TheoryData<string> Names => [.. Reports.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_page_is_well_formed_and_its_links_lead_somewhere(string name)
    {
        XElement page = Pages.Tree(Reports[name]);
        string[] ids = [.. page.Descendants().Attributes("id").Select(static a => a.Value)];
        Assert.Equal(ids.Distinct(), ids);
        foreach (XAttribute link in page.Descendants().Attributes("href"))
            Assert.Contains(link.Value[1..], ids);
        foreach (XAttribute label in page.Descendants("label").Attributes("for"))
            Assert.Contains(label.Value, ids);
        Assert.DoesNotContain(page.DescendantNodes().OfType<XText>(), static text => text.Value.Contains("NaN"));
        Assert.DoesNotContain(
            page.Descendants("path").Attributes("d"),
            static path => path.Value.Contains('N') || path.Value.Contains("∞")
        );
        foreach (XElement chart in page.Descendants("svg").Where(static svg => (string?)svg.Attribute("aria-hidden") != "true"))
        {
            Assert.Equal("img", (string?)chart.Attribute("role"));
            Assert.NotEmpty((string)chart.Attribute("aria-label")!);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void No_page_asks_for_anything_or_runs_anything_but_its_own_script(string name)
    {
        string html = Pages.Html(Reports[name]);
        XElement page = Pages.Tree(html);
        Assert.Single(page.Descendants("script"));
        Assert.Single(page.Descendants("style"));
        Assert.DoesNotContain(
            page.Descendants(),
            static e => e.Name.LocalName is "img" or "link" or "iframe" or "object" or "embed" or "base" or "form" or "use"
        );
        Assert.DoesNotContain(
            page.Descendants().Attributes(),
            static a => a.Name.LocalName is "src" or "style" or "action" || a.Name.LocalName.StartsWith("on")
        );
        Assert.All(page.Descendants().Attributes("href"), static a => Assert.StartsWith("#", a.Value));
        Assert.DoesNotContain("url(", html);
        Assert.DoesNotContain("@import", html);
        string hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Pages.Script(html))));
        Assert.Contains($"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hash}'", html);
    }

    [Fact]
    public void Names_are_shown_as_they_are_and_what_cannot_be_shown_as_such()
    {
        XElement page = Pages.Tree(Reports["hostile names"]);
        string[] codes = [.. page.Descendants("code").Select(static code => code.Value)];
        Assert.Contains("<script>alert(1)</script>", codes);
        Assert.Contains("\"><img src=x onerror=alert(1)>", codes);
        Assert.Contains("漢字 مرحبا 🦆", codes);
        Assert.Contains("\ufffdhalf", codes);
        Assert.Contains("right\ufffdto\ufffdleft", codes);
    }

    [Fact]
    public void The_country_makes_no_difference()
    {
        CultureInfo before = CultureInfo.CurrentCulture,
            other = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (other.NumberFormat.NumberDecimalSeparator, other.NumberFormat.NumberGroupSeparator, other.NumberFormat.NegativeSign) = (
            ",",
            ".",
            "~"
        );
        string here = Pages.Html(Reports["ResNet-32"]);
        try
        {
            CultureInfo.CurrentCulture = other;
            Assert.Equal(here, Pages.Html(Reports["ResNet-32"]));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void ResNet_50_with_a_whole_sweep_stays_below_a_megabyte_and_a_half()
    {
        AnalysisReport analysis = MadeUp.ResNet50();
        Assert.True(analysis.Truncations.Count > 3000);
        Assert.InRange(Pages.Html(analysis).Length, 100_000, 1_500_000);
    }

    [Fact]
    public void A_page_appears_whole_or_not_at_all()
    {
        using TemporaryFolder folder = new();
        Assert.Throws<IOException>(() =>
            ReportWriter.WriteHtml(Reports["one kernel"], Path.Combine(folder.Path, "missing", "report.html"))
        );
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
        string path = Path.Combine(folder.Path, "report.html");
        ReportWriter.WriteHtml(Reports["one kernel"], path);
        Assert.Equal(Pages.Html(Reports["one kernel"]), File.ReadAllText(path));
        Assert.Single(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Crossing_cuts_and_recalibrated_accuracies_are_said_to_be_such()
    {
        XElement page = Pages.Tree(Reports["sequences"]);
        XElement table = page.Descendants("figure").Single(static f => (string?)f.Attribute("id") == "sequence-table");
        XElement crossing = table.Descendants("tr").Single(static row => row.Value.Contains("oi|hw,oh|iw"));
        Assert.Contains("yes", crossing.Elements().Select(static cell => cell.Value));
        Assert.Contains("4, 8", crossing.Elements().Select(static cell => cell.Value));
        Assert.Contains("9, 8", crossing.Elements().Select(static cell => cell.Value));
        Assert.Contains(page.Descendants("h4"), static title => title.Value.Contains("recalibrated"));
        Assert.DoesNotContain(
            Pages.Tree(Reports["one kernel"] with { Truncations = [] }).Descendants("h4"),
            static title => title.Value.Contains("recalibrated")
        );
    }

    private static LayerAnalysis Zero(string name)
    {
        LayerAnalysis layer = MadeUp.Layer(name, [8, 4, 3, 3], 0.5);
        return layer with
        {
            Norm = 0,
            Cuts = [.. layer.Cuts.Select(static cut => cut with { SingularValues = [.. new double[cut.MaxRank]] })],
        };
    }

    private static AnalysisReport WithSequences()
    {
        AnalysisReport report = MadeUp.Named(["conv1", "conv2"]);
        TruncationResult Sequence(string layer, string[] cuts, int[] ranks, int[] after, bool crossing) =>
            new()
            {
                Layer = layer,
                Cut = string.Join(',', cuts),
                Rule = string.Join(',', ranks),
                NormLoss = 0.3,
                RetainedEnergy = 0.91,
                RelativeNormLoss = 0.046,
                Top1 = 0.8,
                Top5 = 0.9,
                Loss = 0.7,
                Samples = 10_000,
                Parameters = 200,
                Kernels = [new("conv1", [.. cuts], [.. ranks], [.. after], crossing, 200, 0.3, 0.046)],
            };
        return report with
        {
            Truncations =
            [
                .. report.Truncations,
                Sequence("conv1", ["o|ihw", "i|ohw"], [4, 2], [4, 2], false),
                Sequence("conv1", ["oi|hw", "oh|iw"], [4, 8], [9, 8], true),
                Sequence("all", ["o|ihw", "i|ohw"], [4, 2], [4, 2], false),
            ],
        };
    }
}
