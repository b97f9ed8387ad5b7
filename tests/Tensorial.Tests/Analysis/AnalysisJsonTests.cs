using System.Text.Json;
using Tensorial.Analysis;

namespace Tensorial.Tests.Analysis;

public class AnalysisJsonTests
{
    internal static AnalysisReport Example { get; } =
        new()
        {
            Provenance = new()
            {
                Version = "0.1.0",
                CommandLine = "tensorial analyze net.onnx --data sample",
                Date = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
                Model = new("net.onnx", new string('a', 64), 1234),
                Data = new("sample", "test", 100, "0123"),
                Seed = 1,
                Machine = new("Linux x64", ".NET 10", 2, 2),
                Seconds = 1.5,
            },
            Model = new("net", 200, 180, 9000),
            Layers =
            [
                new()
                {
                    Name = "conv.weight",
                    Node = "/conv",
                    Operation = "Conv",
                    Shape = [4, 3, 3, 3],
                    Axes = ["o", "i", "h", "w"],
                    Parameters = 108,
                    Macs = 9000,
                    Norm = Math.PI,
                    Cuts = [new("o|ihw", 4, 27, [3, 0.1 + 0.2, 1e-17, 0])],
                },
            ],
            Uncut = [new("bias", "/conv", [4], "it has one axis")],
            Baseline = new(100, 0.9, 1, 0.25),
            PlannedTruncations = 1,
            Truncations =
            [
                new()
                {
                    Layer = "conv.weight",
                    Cut = "o|ihw",
                    Rank = 2,
                    Rule = "50%",
                    NormLoss = 0.125,
                    RetainedEnergy = 0.984375,
                    RelativeNormLoss = 0.0078,
                    Top1 = 0.8,
                    Top5 = 1,
                    Loss = 0.5,
                    Samples = 100,
                    Parameters = 62,
                    Seconds = 0.1,
                    Recalibrated = new(100, 0.85, 1, 0.4),
                    Kernels = [new("conv.weight", ["o|ihw"], [2], [2], false, 62, 0.125, 0.0078)],
                },
            ],
        };

    [Fact]
    public void Reading_back_gives_an_equal_report() => Assert.Equal(Example, AnalysisJson.Read(AnalysisJson.Write(Example), "example"));

    [Fact]
    public void The_names_scripts_rely_on_are_there()
    {
        using JsonDocument document = JsonDocument.Parse(AnalysisJson.Write(Example));
        JsonElement root = document.RootElement;
        Assert.Equal(1, root.GetProperty("schemaVersion").GetInt32());
        JsonElement cut = root.GetProperty("layers")[0].GetProperty("cuts")[0];
        Assert.Equal("o|ihw", cut.GetProperty("cut").GetString());
        Assert.Equal(0.1 + 0.2, cut.GetProperty("singularValues")[1].GetDouble());
        Assert.True(cut.GetProperty("entropy").GetDouble() > 0);
        Assert.True(cut.GetProperty("effectiveRank").GetDouble() > 1);
        Assert.Equal(
            ["0.01", "0.05", "0.1", "0.2", "0.3", "0.5"],
            cut.GetProperty("rankForNormLoss").EnumerateObject().Select(p => p.Name)
        );
        JsonElement truncation = root.GetProperty("truncations")[0];
        foreach (string name in (string[])["layer", "cut", "rank", "normLoss", "top1"])
            Assert.True(truncation.TryGetProperty(name, out _), name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"schemaVersion\": 1")]
    public void What_is_no_report_is_refused_by_name(string text) =>
        Assert.Contains("some.json", Assert.Throws<BadInputException>(() => AnalysisJson.Read(text, "some.json")).Message);

    [Fact]
    public void A_later_schema_is_refused() =>
        Assert.Throws<BadInputException>(() => AnalysisJson.Read(AnalysisJson.Write(Example with { SchemaVersion = 2 }), "later.json"));

    /// <summary>Extents that a file declares may be nothing, or more than 32 bits hold together.</summary>
    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(int.MaxValue, int.MaxValue, 1073741823)]
    [InlineData(6, 3, 2)]
    public void Ranks_that_break_even_are_there_for_all_extents(int rows, int columns, int rank)
    {
        CutSpectrum cut = Example.Layers[0].Cuts[0] with { Rows = rows, Columns = columns };
        Assert.Equal((rank, 2L * rows + 2L * columns), (cut.BreakEvenRank, cut.FactoredParameters(2)));
    }
}
