using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Tests.Compression;

/// <summary>Plans are files that people edit.</summary>
public sealed class CompressionPlanTests : IDisposable
{
    private static readonly Graph Sample = OnnxFile.Read(Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx"));

    private static readonly ImmutableArray<CompressibleLayer> Layers = CompressibleLayer.Of(Sample).Layers;

    private static readonly CompressibleLayer Middle = Layers.Where(static layer => !layer.IsDense).ElementAt(1);

    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void What_is_written_is_read_again()
    {
        ImmutableArray<CompressionCandidate> chosen =
        [
            .. Layers.Select(layer =>
                layer == Middle ? CompressionCandidate.From(layer, LayerForm.From(layer, KernelFormat.Parse("rtt:2"), [3, 4]), 0.5, 0.1)
                : layer.IsDense ? CompressionCandidate.From(layer, LayerForm.From(layer, KernelFormat.SvdOut, [2]), 0.5, 0.1)
                : CompressionCandidate.Dense(layer)
            ),
        ];
        CompressionPlan.From("model.onnx", "abc", [CompressionTarget.Parse("params=0.5")], chosen).Write(_path);

        ImmutableArray<CompressionCandidate> read = CompressionPlan.Read(_path).ChoicesFor(Layers);

        Assert.Equal(chosen.Select(static c => c.Form?.ToString()), read.Select(static c => c.Form?.ToString()));
        Assert.Equal(chosen.Select(static c => c.Form?.Order), read.Select(static c => c.Form?.Order));
        Assert.Equal(chosen.Select(static c => c.Parameters), read.Select(static c => c.Parameters));
        Assert.Equal(chosen.Select(static c => c.Macs), read.Select(static c => c.Macs));
    }

    [Fact]
    public void Order_and_parts_can_be_chosen_by_hand()
    {
        int outputs = Middle.Kernel.Shape[0],
            inputs = Middle.Kernel.Shape[1];
        CompressionCandidate candidate = Planned(
            $$"""{ "name": "{{Middle.Name}}", "format": "rcp:2", "ranks": [3], "reshape": [[2, {{outputs / 2}}], [{{inputs / 2}}, 2]], "order": [[2], [1, 0]] }"""
        );
        Assert.Equal($"2×{outputs / 2}×{inputs / 2}×2×3×3", candidate.Form!.Form.Folding.Folded.ToString());
        Assert.Equal("2, 1·0", candidate.Form.Order.ToString());
    }

    /// <summary>One rank for all channels, or a list with one for each.</summary>
    [Theory]
    [InlineData("decoupled-in", 1), InlineData("decoupled-out", 0)]
    public void Ranks_can_be_a_list_by_channel(string format, int mode)
    {
        int channels = Middle.Kernel.Shape[mode],
            perFilter = 9 + Middle.Kernel.Shape[1 - mode];
        ImmutableArray<int> ranks = [.. Enumerable.Range(0, channels).Select(static channel => channel % 4)];
        string list = string.Join(", ", ranks);

        CompressionCandidate differing = Planned($$"""{ "name": "{{Middle.Name}}", "format": "{{format}}", "ranks": [{{list}}] }"""),
            same = Planned($$"""{ "name": "{{Middle.Name}}", "format": "{{format}}", "ranks": [2] }""");
        CompressionPlan.From("model.onnx", "abc", [], [differing]).Write(_path);
        CompressionCandidate again = CompressionPlan.Read(_path).ChoicesFor([Middle]).Single();

        Assert.Equal<int>(ranks, again.Form!.Ranks);
        Assert.Equal(ranks.Sum() * perFilter, again.Parameters);
        Assert.Equal(2 * channels * perFilter, same.Parameters);
        Assert.Equal($"3:{channels / 4} 2:{channels / 4} 1:{channels / 4} 0:{channels / 4}", LayerForm.Text(again.Form.Format, ranks));
    }

    [Theory]
    [InlineData("\"format\": \"decoupled-in\", \"ranks\": [1, 2]", "one rank for all channels or")]
    [InlineData("\"format\": \"cp\", \"ranks\": [0]", "ranks of 1 to")]
    [InlineData("\"format\": \"cp\", \"ranks\": [99999999]", "ranks of 1 to")]
    [InlineData("\"format\": \"tucker2\", \"ranks\": [4]", "takes 2 ranks")]
    [InlineData("\"format\": \"tucker2\"", "takes 2 ranks")]
    [InlineData("\"format\": \"zip\", \"ranks\": [4]", "'zip' is no format")]
    [InlineData("\"format\": \"cp\", \"ranks\": [4], \"order\": [[0], [1]]", "names each of its factors 0 to 3 once")]
    [InlineData("\"format\": \"cp\", \"ranks\": [4], \"order\": [[0, 1, 2, 3], []]", "names each of its factors 0 to 3 once")]
    [InlineData("\"format\": \"cp\", \"ranks\": [4], \"reshape\": [[2, 2], [2, 2]]", "splits no channels")]
    [InlineData("\"format\": \"rcp\", \"ranks\": [4], \"reshape\": [[2, 2], [2, 2]]", "fewer than")]
    [InlineData("\"format\": \"rcp\", \"ranks\": [4], \"reshape\": [[64, 0], [2, 2]]", "parts of 1 or more")]
    [InlineData("\"format\": \"rcp\", \"ranks\": [4], \"reshape\": [[64, 64], [64, 64, 2]]", "pairs the parts")]
    public void What_does_not_fit_is_refused_with_the_layer(string fields, string reason)
    {
        string message = Assert.ThrowsAny<BadInputException>(() => Planned($$"""{ "name": "{{Middle.Name}}", {{fields}} }""")).Message;
        Assert.Contains(reason, message);
        Assert.Contains(Middle.Name, message);
    }

    [Fact]
    public void A_layer_that_is_not_there_is_named() =>
        Assert.Contains("conv99", Assert.Throws<BadInputException>(() => Planned("""{ "name": "conv99", "format": null }""")).Message);

    [Fact]
    public void A_layer_may_be_called_by_its_node()
    {
        Assert.NotEqual(Middle.Name, Middle.Weight.Node.Name);
        CompressionCandidate planned = Planned($$"""{ "name": "{{Middle.Weight.Node.Name}}", "format": "svd-out", "ranks": [4] }""");
        Assert.Equal(KernelFormat.SvdOut, planned.Format);
        Assert.Equal(Middle.Name, KernelWeights.From(Sample).Matching([Middle.Weight.Node.Name]).Kernels.Single().Name);
    }

    private CompressionCandidate Planned(string layer)
    {
        File.WriteAllText(_path, $$"""{ "schemaVersion": 1, "model": "m", "sha256": "", "targets": [], "layers": [ {{layer}} ] }""");
        return CompressionPlan.Read(_path).ChoicesFor(Layers).Single(static candidate => candidate.Layer.Name == Middle.Name);
    }
}
