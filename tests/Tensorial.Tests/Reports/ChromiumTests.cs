using System.Diagnostics;
using System.Text.RegularExpressions;
using Tensorial.Reports;
using Tensorial.Tests.Data;

namespace Tensorial.Tests.Reports;

/// <summary>What a browser makes of a page.</summary>
public partial class ChromiumTests
{
    [OracleFact(Oracle.Chromium)]
    public void The_script_runs_under_the_page_s_own_policy_and_complains_of_nothing()
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "report.html");
        ReportWriter.WriteHtml(MadeUp.Named(["conv1.weight", "<script>alert(1)</script>", "conv3.weight"]), path);
        (string page, string log) = Opened(path, folder.Path);
        Assert.DoesNotContain("CONSOLE", log);
        Assert.Contains("class=\"deck single\"", page);
        Assert.Contains("placeholder=\"filter rows\"", page);
        Assert.Contains("Save SVG", page);
    }

    /// <summary>Texts of one chart whose boxes meet, as the browser lays them out, and whether the page is wider than its window.</summary>
    private const string FindOverlaps = """
        <script>
        const found = [];
        for (const chart of document.querySelectorAll("svg.chart")) {
          const texts = [...chart.querySelectorAll("text")].filter(text => text.textContent.trim()).map(text => {
            const box = text.getBoundingClientRect(), less = box.height / 4;
            return { text: text.textContent, left: box.left, right: box.right, top: box.top + less, bottom: box.bottom - less };
          }).filter(text => text.right > text.left);
          for (const [k, a] of texts.entries())
            for (const b of texts.slice(k + 1))
              if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)
                found.push(`${chart.getAttribute("aria-label")}: '${a.text}' and '${b.text}'`);
        }
        if (document.documentElement.scrollWidth > innerWidth) found.push(`${document.documentElement.scrollWidth} pixels wide`);
        document.body.insertAdjacentHTML("beforeend", `<pre id="overlaps" data-charts="${document.querySelectorAll("svg.chart").length}">${found.map(text => text.replace(/[<&]/g, "")).join("\n")}</pre>`);
        </script>
        """;

    [OracleTheory(Oracle.Chromium)]
    [InlineData(1400)]
    [InlineData(800)]
    [InlineData(420)]
    public async Task No_labels_of_a_figure_overlap(int width)
    {
        using TemporaryFolder folder = new();
        string analysis = Path.Combine(folder.Path, "analysis.html"),
            comparison = Path.Combine(folder.Path, "comparison.html"),
            compression = Path.Combine(folder.Path, "compression.html"),
            sample = Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");
        ReportWriter.WriteHtml(MadeUp.Named(["conv1.weight", "layer2.0.conv2.weight", "layer4.2.downsample.conv3.weight"]), analysis);
        string[][] commands =
        [
            ["compare", sample, "--formats", "svd-out,tucker2", "--report", comparison],
            [
                "compress",
                sample,
                Path.Combine(folder.Path, "small.onnx"),
                "--target",
                "params=0.5",
                "--objective",
                "size",
                "--format",
                "svd-out",
                "--format",
                "tucker2",
                "--report",
                compression,
            ],
        ];
        foreach (string[] command in commands)
            Assert.Equal(0, (await Cli.CommandRun.Of(command)).Code);
        foreach (string path in (string[])[analysis, comparison, compression])
        {
            // The page's own policy runs no other script; and what is closed is opened to be looked at.
            string page = Policy().Replace(File.ReadAllText(path), "").Replace("<details", "<details open");
            File.WriteAllText(path, page.Replace("</body>", FindOverlaps + "</body>"));
            string opened = Opened(path, folder.Path, $"--window-size={width},2000").Page;
            Match overlaps = Overlaps().Match(opened);
            Assert.True(overlaps.Success, path);
            Assert.NotEqual("0", overlaps.Groups[1].Value);
            Assert.Equal("", overlaps.Groups[2].Value);
        }
    }

    [GeneratedRegex("<meta[^>]*Content-Security-Policy[^>]*>")]
    private static partial Regex Policy();

    [GeneratedRegex("<pre id=\"overlaps\" data-charts=\"([0-9]+)\">([^<]*)</pre>")]
    private static partial Regex Overlaps();

    /// <summary>The page as the browser has it once its scripts have run, and what it logged.</summary>
    private static (string Page, string Log) Opened(string path, string folder, params string[] options)
    {
        ProcessStartInfo start = new(
            "/usr/bin/chromium",
            [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--hide-scrollbars",
                $"--user-data-dir={Path.Combine(folder, "profile")}",
                "--enable-logging=stderr",
                "--virtual-time-budget=2000",
                .. options,
                "--dump-dom",
                path,
            ]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> log = process.StandardError.ReadToEndAsync();
        string page = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (page, log.Result);
    }
}
