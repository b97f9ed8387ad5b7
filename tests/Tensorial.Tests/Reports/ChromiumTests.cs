using System.Diagnostics;
using Tensorial.Reports;
using Tensorial.Tests.Data;

namespace Tensorial.Tests.Reports;

/// <summary>What a browser makes of a page.</summary>
public class ChromiumTests
{
    [OracleFact(Oracle.Chromium)]
    public void The_script_runs_under_the_page_s_own_policy_and_complains_of_nothing()
    {
        using TemporaryFolder folder = new();
        string path = Path.Combine(folder.Path, "report.html");
        ReportWriter.WriteHtml(MadeUp.Named(["conv1.weight", "<script>alert(1)</script>", "conv3.weight"]), path);
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
                $"--user-data-dir={Path.Combine(folder.Path, "profile")}",
                "--enable-logging=stderr",
                "--virtual-time-budget=2000",
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
        Assert.DoesNotContain("CONSOLE", log.Result);
        Assert.Contains("class=\"deck single\"", page);
        Assert.Contains("placeholder=\"filter rows\"", page);
        Assert.Contains("Save SVG", page);
    }
}
