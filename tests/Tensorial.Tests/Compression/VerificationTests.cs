using System.Collections.Immutable;
using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Graphs;
using Tensorial.Operations;

namespace Tensorial.Tests.Compression;

/// <summary>Comparisons see every output, and call scores only what scores classes.</summary>
public class VerificationTests
{
    [Fact]
    public void Outputs_without_a_number_are_named()
    {
        Tensor<float> numbers = new([1, 2], new[] { float.NaN, 1 }),
            none = new([1, 2], new[] { float.NaN, float.NaN });
        Dictionary<string, Tensor> outputs = new() { ["some"] = numbers, ["none"] = none };
        InputBatch batch = new(new Dictionary<string, Tensor>(), 1, 1, default);
        Assert.Equal("none", Assert.Single(Verification.From(_ => outputs, _ => outputs, [batch], null).Blind));
    }

    [Fact]
    public void Every_output_counts()
    {
        // Two samples of two outputs; b changes the second output of the second sample by (3, 4) where a has (6, 8).
        Verification found = Compared(
            new() { ["y"] = Rows(1, 2, 3, 4), ["z"] = Rows(1, 1, 6, 8) },
            new() { ["y"] = Rows(1, 2, 3, 4), ["z"] = Rows(1, 1, 9, 12) },
            null
        );
        Assert.Equal(4, found.MaxDifference);
        Assert.Equal(["y", "z"], found.Outputs.Select(static output => output.Name));
        Assert.Equal((0, 0.5), (found.Outputs[0].RelativeError, found.Outputs[1].MaxRelativeError));
        Assert.Equal(5 / Math.Sqrt(102), found.Outputs[1].RelativeError, 12);
        Assert.Null(found.Agreement);
        Assert.Null(found.KlDivergence);
    }

    [Fact]
    public void Class_scores_also_agree_or_not()
    {
        Verification found = Compared(
            new() { ["y"] = Rows(1, 2, 3, 4), ["z"] = Rows(0, 0, 0, 0) },
            new() { ["y"] = Rows(1, 2, 4, 3), ["z"] = Rows(0, 0, 0, 0) },
            new("y", AreProbabilities: false)
        );
        Assert.Equal(0.5, found.Agreement);
        // Of (3, 4) against (4, 3) it is (p₁ - p₀) with p the softmax; of equal ones 0.
        double p = 1 / (1 + Math.Exp(-1));
        Assert.Equal((2 * p - 1) / 2, found.KlDivergence!.Value, 9);
    }

    [Fact]
    public void Numbers_that_only_the_second_network_lacks_are_refused()
    {
        Dictionary<string, Tensor> a = new() { ["y"] = Rows(float.NaN, 1, float.NegativeInfinity, 2) },
            b = new() { ["y"] = Rows(float.NaN, 1, float.NaN, 2) };
        Assert.Equal(0, Compared(a, a, null).MaxDifference);
        Assert.Contains("'y'", Assert.Throws<NumericalException>(() => Compared(a, b, null)).Message);
        Assert.Contains("'y'", Assert.Throws<BadInputException>(() => Compared(a, new() { ["z"] = Rows(1, 2, 3, 4) }, null)).Message);
    }

    /// <summary>Two coordinates have the shape of two scores: only the file, or labels, tell them apart.</summary>
    [Fact]
    public void A_row_of_numbers_scores_classes_only_where_the_file_says_so()
    {
        Graph graph = TwoHeads();
        Graph landmarks = graph with
        {
            Nodes = [graph.Nodes[1], graph.Nodes[2] with { Outputs = ["points"] }],
            Outputs = [new("points", ElementType.Float32, null)],
        };
        Assert.Null(ScoreOutput.Find(landmarks, null));
        Assert.Equal("points", ScoreOutput.Find(landmarks, 3)?.Name);
    }

    [Theory]
    [InlineData(null, "softmax"), InlineData(3, "logits"), InlineData(4, "softmax"), InlineData(7, null)]
    public void Scores_are_found_by_labels_or_by_their_softmax(int? classes, string? found) =>
        Assert.Equal(found, ScoreOutput.Find(TwoHeads(), classes)?.Name);

    [Fact]
    public void A_mask_scores_nothing()
    {
        Graph graph = TwoHeads();
        Assert.Null(ScoreOutput.Find(graph with { Outputs = [new("mask", ElementType.Float32, null)] }, null));
        Assert.Equal("logits", ScoreOutput.Find(graph with { Outputs = [new("logits", ElementType.Float32, null)] }, null)?.Name);
    }

    /// <summary>x [N, 3, 8, 8] to a mask of its size, three logits, and the softmax of four.</summary>
    private static Graph TwoHeads() =>
        new(
            "heads",
            [
                new("mask", new Sigmoid(), ["x"], ["mask"]),
                new("mean", new GlobalAveragePool(), ["x"], ["m"]),
                new("flat", new Flatten(1), ["m"], ["logits"]),
                new("dense", new MatMul(), ["logits", "w"], ["four"]),
                new("softmax", new Softmax(-1), ["four"], ["softmax"]),
            ],
            [new("x", ElementType.Float32, [new(null, "N"), new(3), new(8), new(8)])],
            [.. ((string[])["mask", "logits", "softmax"]).Select(static name => new Port(name, ElementType.Float32, null))],
            ImmutableDictionary<string, Tensor>.Empty.Add("w", new Tensor<float>([3, 4]))
        );

    private static Verification Compared(Dictionary<string, Tensor> a, Dictionary<string, Tensor> b, ScoreOutput? scores) =>
        Verification.From(_ => a, _ => b, [new InputBatch(new Dictionary<string, Tensor>(), 2, 2, default)], scores);

    private static Tensor<float> Rows(params float[] values) => new([2, values.Length / 2], values);
}
