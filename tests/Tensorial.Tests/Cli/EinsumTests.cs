using System.Text.Json;

namespace Tensorial.Tests.Cli;

public sealed class EinsumTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public async Task A_plan_is_shown_beside_the_order_from_left_to_right()
    {
        string file = Path.Combine(_folder.FullName, "plan.json");
        CommandRun run = await CommandRun.Of("einsum", "ab,bc,cd->ad", "--shapes", "100x2,2x100,100x3", "--json", file, "--seed", "3");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("cd,bc->bd", run.Output);
        Assert.Contains("ab,bc->ac", run.Output);
        JsonElement json = JsonDocument.Parse(File.ReadAllText(file)).RootElement;
        Assert.Equal(1, json.GetProperty("schemaVersion").GetInt32());
        Assert.Equal(100 * 2 * 3 * 2, json.GetProperty("macs").GetInt64());
        Assert.Equal(100 * 100 * (2 + 3), json.GetProperty("naiveMacs").GetInt64());
        Assert.Equal(306, json.GetProperty("peakElements").GetInt64());
        Assert.Equal(
            ["cd,bc->bd", "ab,bd->ad"],
            json.GetProperty("steps").EnumerateArray().Select(static step => step.GetProperty("expression").GetString())
        );
        Assert.Equal([2, 3], json.GetProperty("steps")[0].GetProperty("shape").EnumerateArray().Select(static extent => extent.GetInt32()));
        Assert.Equal(600, json.GetProperty("steps")[0].GetProperty("macs").GetInt64());
    }

    [Fact]
    public async Task The_machine_is_measured_once_and_the_plan_says_by_which_model_it_was_made()
    {
        string cost = Path.Combine(_folder.FullName, "cost.json"),
            file = Path.Combine(_folder.FullName, "plan.json");
        string[] command = ["einsum", "ab,bc,cd->ad", "--shapes", "100x2,2x100,100x3", "--json", file];
        Assert.Equal("built in", await Source(command));
        Assert.StartsWith("measured ", await Source([.. command, "--calibrate", "--cost", cost]));
        string first = File.ReadAllText(file);
        Assert.StartsWith("measured ", await Source([.. command, "--cost", cost]));
        Assert.Equal(first, File.ReadAllText(file));
        Assert.Equal(4, (await CommandRun.Of([.. command, "--cost", Path.Combine(_folder.FullName, "none.json")])).Code);

        async Task<string> Source(string[] arguments)
        {
            Assert.Equal(0, (await CommandRun.Of(arguments)).Code);
            JsonElement json = JsonDocument.Parse(File.ReadAllText(file)).RootElement;
            Assert.True(json.GetProperty("seconds").GetDouble() > 0);
            return json.GetProperty("costModel").GetProperty("source").GetString()!;
        }
    }

    [Theory]
    [InlineData(3, "no einsum equation", "einsum", "ab,bc->ad", "--shapes", "1x2,2x3")]
    [InlineData(3, "'b'", "einsum", "ab,bc->ac", "--shapes", "1x2,3x3")]
    [InlineData(2, "1y2", "einsum", "ab->a", "--shapes", "1y2")]
    [InlineData(2, "--shapes", "einsum", "ab->a")]
    [InlineData(2, "--memory-limit", "einsum", "ab->a", "--shapes", "1x2", "--memory-limit", "0")]
    [InlineData(1, "the least found is 64", "einsum", "ab,bc,cd->ad", "--shapes", "2x30,30x2,2x30", "--memory-limit", "63")]
    public async Task What_cannot_be_planned_is_refused(int code, string part, params string[] arguments)
    {
        CommandRun run = await CommandRun.Of(arguments);
        Assert.Equal((code, ""), (run.Code, run.Output));
        Assert.Contains(part, run.Error);
    }
}
