using System.Globalization;
using System.Text.RegularExpressions;

namespace Tensorial.Tests.Cli;

/// <summary>The tool on a real terminal: a pseudo-terminal of a given width, made by the system's Python.</summary>
public sealed partial class TerminalTests : IDisposable
{
    /// <summary>Runs a command on a pseudo-terminal of so many columns and gives what the terminal was sent.</summary>
    private const string Program = """
        import fcntl, os, pty, struct, sys, termios
        width, command = int(sys.argv[1]), sys.argv[2:]
        ready, go = os.pipe()
        child, terminal = pty.fork()
        if child == 0:
            os.read(ready, 1)
            for name in ("NO_COLOR", "COLUMNS", "LINES"):
                os.environ.pop(name, None)
            os.environ["TERM"] = "xterm-256color"
            os.execvp(command[0], command)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        os.write(go, b"x")
        sent = b""
        while True:
            try:
                part = os.read(terminal, 65536)
            except OSError:
                break
            if not part:
                break
            sent += part
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.buffer.write(sent + b"\nexit code %d\n" % code)
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    private static string Sample => Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");

    public void Dispose() => _folder.Delete(true);

    private static string Sent(int width, params string[] arguments)
    {
        string sent = Oracles.RunPython(
            Program,
            [width.ToString(CultureInfo.InvariantCulture), "dotnet", typeof(Tensorial.Cli.Tool).Assembly.Location, .. arguments]
        );
        Assert.EndsWith("exit code 0\n", sent);
        return sent[..sent.LastIndexOf("\nexit code", StringComparison.Ordinal)];
    }

    /// <summary>What a person sees in the end: carriage returns go back to the line's beginning, escapes set it off only.</summary>
    private static string[] Screen(string sent)
    {
        List<string> lines = [];
        foreach (string line in Escapes().Replace(sent, "").Replace("\r\n", "\n").Split('\n'))
        {
            char[] shown = [];
            int at = 0;
            foreach (char c in line)
            {
                if (c == '\r')
                {
                    at = 0;
                    continue;
                }
                if (at == shown.Length)
                    shown = [.. shown, ' '];
                shown[at++] = c;
            }
            lines.Add(new string(shown).TrimEnd());
        }
        return [.. lines];
    }

    [OracleTheory(Oracle.NumPy)]
    [InlineData(80)]
    [InlineData(120)]
    public void Tables_fit_a_terminal_and_break_no_number(int width)
    {
        string[] analysis = Screen(
            Sent(width, "analyze", Sample, "--data", "sample", "--limit", "64", "--cuts", "o|ihw,oh|iw", "--ranks", "50%,1")
        );
        Assert.All(analysis, line => Assert.True(line.Length <= width, line));
        // The accuracy table has its cuts, and losses in one piece.
        Assert.Single(analysis, static line => Measured().IsMatch(line));
        string[] inspection = Screen(Sent(width, "inspect", Sample));
        Assert.All(inspection, line => Assert.True(line.Length <= width, line));
        Assert.Contains(inspection, static line => line.Contains("18,432", StringComparison.Ordinal));
        Assert.Contains(inspection, static line => line.Contains("1,924,992", StringComparison.Ordinal));
        Assert.Contains(inspection, static line => line.Contains("903,168", StringComparison.Ordinal));
    }

    [OracleFact(Oracle.NumPy)]
    public void Progress_leaves_nothing_between_results()
    {
        string sent = Sent(
            80,
            "train",
            "cnn4",
            Path.Combine(_folder.FullName, "out.onnx"),
            "--data",
            "sample",
            "--limit",
            "256",
            "--test-limit",
            "64",
            "--epochs",
            "2"
        );
        string[] lines = Screen(sent);
        Assert.All(lines, static line => Assert.DoesNotContain("█", line));
        // Every epoch has a line of its own, from its first column.
        Assert.Single(lines, static line => line.StartsWith("epoch 1: loss", StringComparison.Ordinal));
        Assert.Single(lines, static line => line.StartsWith("epoch 2: loss", StringComparison.Ordinal));
        // The cursor is never hidden: a killed command leaves the terminal as it was.
        Assert.DoesNotContain("\e[?25l", sent);
    }

    [OracleFact(Oracle.NumPy)]
    public void Help_fits_a_terminal()
    {
        foreach (string command in (string[])["compress", "train", "analyze", "data"])
            Assert.All(Screen(Sent(80, "help", command)), line => Assert.True(line.Length <= 80, line));
    }

    [Fact]
    public async Task A_pipe_gets_all_columns()
    {
        CommandRun run = await CommandRun.Of("inspect", Sample);
        // But for those over nothing: no kernel here has groups.
        Assert.Contains("kernel        operation  axes  shape      parameters     MACs  output      activations  cuts", run.Output);
        Assert.DoesNotContain("\e", run.Output);
    }

    [GeneratedRegex(@"^conv3\.weight +oh\|iw +\d+%? +0\.\d{4} +\d+\.\d{2} +")]
    private static partial Regex Measured();

    [GeneratedRegex(@"\e(\[[0-9;?]*[A-Za-z]|[=>])")]
    private static partial Regex Escapes();
}
