namespace Tensorial.Tests.Cli;

/// <summary>What the tool says of itself.</summary>
public sealed class HelpTests
{
    [Theory]
    [InlineData("")]
    [InlineData("help")]
    [InlineData("--help")]
    [InlineData("-h")]
    public async Task Help_lists_the_commands(string words)
    {
        CommandRun run = await CommandRun.Of(words.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("Usage:\n  tensorial COMMAND", run.Output);
        foreach (string command in (string[])["demo", "inspect", "compress", "bench", "report"])
            Assert.Contains($"\n  {command} ", run.Output);
        Assert.Contains("Exit codes: 0 done; 1 ", run.Output);
    }

    [Theory]
    [InlineData("help compress")]
    [InlineData("compress --help")]
    [InlineData("compress -h")]
    public async Task Help_of_a_command_needs_no_arguments(string words)
    {
        CommandRun run = await CommandRun.Of(words.Split(' '));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("tensorial compress <in.onnx> <out.onnx> [options]", run.Output);
    }

    [Fact]
    public async Task A_group_of_commands_shows_them() => Assert.Contains("\n  get ", (await CommandRun.Of("data")).Output);

    /// <summary>Defaults are what would be typed to get them.</summary>
    [Theory]
    [InlineData("train", "--optimizer <sgd|nesterov|adam|adamw>", "Default: nesterov.")]
    [InlineData("bench", "--batch <N,...>", "Default: 1,16.")]
    [InlineData("quantize", "--method <minmax|percentile|mse>", "Default: mse.")]
    [InlineData("train", "--weight-decay <RATE>", "Default: 0.0005.")]
    [InlineData("demo", "--out <DIR>", "Default: tensorial-demo.")]
    public async Task Defaults_print_as_they_are_typed(string command, string option, string usual)
    {
        string help = (await CommandRun.Of(command, "--help")).Output;
        string[] lines = help.Split('\n');
        int at = Array.FindIndex(lines, line => line.StartsWith($"  {option}", StringComparison.Ordinal));
        Assert.True(at >= 0, help);
        int end = Array.FindIndex(lines, at + 1, static line => line.StartsWith("  -", StringComparison.Ordinal) || line.Length == 0);
        Assert.Contains(usual, string.Join(' ', lines[at..end].Select(static line => line.Trim())));
        Assert.DoesNotContain("[default:", help);
    }

    /// <summary>Every option of an enumeration names all of its values, as they are typed.</summary>
    [Fact]
    public async Task No_help_shows_a_name_of_code()
    {
        foreach (string command in (string[])["analyze", "compress", "quantize", "train", "tune", "verify", "bench", "evaluate"])
        {
            string help = (await CommandRun.Of(command, "--help")).Output;
            foreach (string name in (string[])["Nesterov", "Mse", "MinMax", "E2e", "Sequential", "True", "False", "System."])
                Assert.DoesNotContain($" {name}", help);
        }
    }
}
