using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.LinearAlgebra;
using Tensorial.Onnx;
using Tensorial.Tests.Cli;
using Tensorial.Tests.Training;

namespace Tensorial.Tests.Compression;

/// <summary>--check agrees with what is right, and finds what is not.</summary>
public sealed class RecomputationTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private static string Sample => Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");

    /// <summary>NumPy's singular values of a matrix of any shape.</summary>
    [OracleTheory(Oracle.NumPy)]
    [InlineData(5, 5), InlineData(12, 4), InlineData(3, 20), InlineData(1, 7)]
    public void Jacobi_rotations_find_numpys_singular_values(int rows, int columns)
    {
        Random random = new(rows * 100 + columns);
        Tensor<double> matrix = new([rows, columns]);
        foreach (ref double value in matrix.Values)
            value = random.NextDouble() - 0.5;
        // The last row repeats the first: a singular value of zero.
        matrix.Values[..columns].CopyTo(matrix.Values[^columns..]);
        NpyFile.Write(matrix, At("m.npy"));
        double[] expected =
        [
            .. Oracles
                .RunPython(
                    "import numpy,sys; print(*map(repr, map(float, numpy.linalg.svd(numpy.load(sys.argv[1]), compute_uv=False))))",
                    At("m.npy")
                )
                .Split(' ', StringSplitOptions.TrimEntries)
                .Select(static text => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture)),
        ];

        double[] found = JacobiSvd.Values(matrix);

        Assert.Equal(expected.Length, found.Length);
        for (int k = 0; k < found.Length; k++)
            Assert.Equal(expected[k], found[k], 1e-13);
    }

    [OracleFact(Oracle.PyTorch)]
    public void Plain_convolutions_are_pytorchs()
    {
        Tensor<float> x = Random([2, 4, 7, 6], 1),
            w = Random([6, 2, 3, 2], 2),
            b = Random([6], 3);
        Graph graph = new(
            "one",
            [
                new(
                    "c",
                    new Tensorial.Operations.Convolution
                    {
                        Groups = 2,
                        Strides = [2, 1],
                        Dilations = [1, 2],
                        Pads = [1, 2, 1, 2],
                    },
                    ["x", "w", "b"],
                    ["y"]
                ),
            ],
            [new("x", ElementType.Float32, null)],
            [new("y", ElementType.Float32, null)],
            System.Collections.Immutable.ImmutableDictionary<string, Tensor>.Empty.Add("w", w).Add("b", b)
        );
        foreach ((string name, Tensor value) in ((string, Tensor)[])[("x", x), ("w", w), ("b", b)])
            NpyFile.Write(value, At($"{name}.npy"));
        Oracles.RunPython(
            """
            import numpy, sys, torch
            f = sys.argv[1]
            x, w, b = (torch.from_numpy(numpy.load(f"{f}/{n}.npy").astype("float64")) for n in "xwb")
            y = torch.nn.functional.conv2d(x, w, b, stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2)
            numpy.save(f"{f}/y.npy", y.numpy())
            """,
            _folder.FullName
        );

        Tensor<double> y = PlainEvaluation.Run(graph, new Dictionary<string, Tensor> { ["x"] = x })["y"].Of<double>();

        Tensor<double> expected = NpyFile.Read(At("y.npy")).Of<double>();
        Assert.Equal(expected.Shape, y.Shape);
        for (int k = 0; k < y.Shape.ElementCount; k++)
            Assert.Equal(expected.Values[k], y.Values[k], 1e-12);
    }

    [Fact]
    public void Outputs_that_are_a_little_wrong_are_found()
    {
        Graph graph = TinyTask.Network().WithImageShape([1, 8, 8]);
        using Inference network = new(graph, threads: 1);
        Dictionary<string, Tensor> inputs = new() { [graph.FreeInputs[0].Name] = Random([2, 1, 8, 8], 4) };
        RecomputedClaim right = Recomputation.Outputs("tiny", graph, network.Run, inputs);
        Assert.True(right.Agrees, right.ToString());

        RecomputedClaim wrong = Recomputation.Outputs("tiny", graph, Changed, inputs);
        Assert.False(wrong.Agrees);

        IReadOnlyDictionary<string, Tensor> Changed(IReadOnlyDictionary<string, Tensor> given)
        {
            Dictionary<string, Tensor> answer = network.Run(given).ToDictionary();
            Tensor<float> scores = answer[graph.Outputs[0].Name].Of<float>().Clone();
            scores.Values[0] += 0.05f;
            answer[graph.Outputs[0].Name] = scores;
            return answer;
        }
    }

    [Fact]
    public void A_singular_value_that_is_a_little_wrong_is_found()
    {
        Graph graph = WeightsAsInitializers.Apply(OnnxFile.Read(Sample));
        AnalysisReport report = graph.Analyze(threads: 1);
        Kernel[] kernels = [.. KernelWeights.From(graph).Kernels.Select(Kernel.From)];
        Assert.All(Recomputation.Spectra(kernels, report), static claim => Assert.True(claim.Agrees, claim.ToString()));

        LayerAnalysis layer = report.Layers[0];
        CutSpectrum cut = layer.Cuts[0];
        double[] values = [.. cut.SingularValues];
        values[^1] += 1e-10 * values[0];
        AnalysisReport wrong = report with { Layers = [layer with { Cuts = [cut with { SingularValues = [.. values] }] }] };
        Assert.Contains(Recomputation.Spectra(kernels, wrong), static claim => !claim.Agrees);
    }

    [Fact]
    public void Gradients_agree_with_finite_differences()
    {
        RecomputedClaim claim = Recomputation.Gradients(TinyTask.Network(), TinyTask.Images(8), seed: 5);
        Assert.True(claim.Agrees, claim.ToString());
        Assert.True(claim.Deviation > 0);
    }

    [Fact]
    public void A_deviation_that_is_no_number_does_not_agree() => Assert.False(new RecomputedClaim("x", double.NaN, 1).Agrees);

    [Fact]
    public void What_is_left_out_says_why()
    {
        AnalysisReport report = WeightsAsInitializers.Apply(OnnxFile.Read(Sample)).Analyze(threads: 1);
        RecomputedClaim claim = Assert.Single(Recomputation.Spectra([], report));
        Assert.True(claim.Agrees);
        Assert.Contains("left out, there is no kernel", claim.ToString());
    }

    /// <summary>Without images there are no outputs to compute again, and nothing is left out.</summary>
    [Fact]
    public async Task An_analysis_without_images_leaves_nothing_out()
    {
        CommandRun run = await CommandRun.Of("analyze", Sample, "--check", "--threads", "1");
        Assert.Equal(0, run.Code);
        Assert.Contains("singular values of", run.Error);
        Assert.DoesNotContain("left out", run.Error);
    }

    [Fact]
    public async Task Every_command_checks_what_it_reports()
    {
        string cut = At("cut.onnx");
        Assert.Equal(0, (await CommandRun.Of("truncate", Sample, cut, "--cut", "o|ihw", "--rank", "4")).Code);
        foreach (
            string[] command in (string[][])
                [
                    ["analyze", Sample, "--data", "sample", "--limit", "20", "--cuts", "o|ihw", "--ranks", "2", "--layers", "conv*"],
                    ["verify", Sample, cut, "--data", "sample", "--limit", "20"],
                    [
                        "compress",
                        Sample,
                        At("small.onnx"),
                        "--target",
                        "params=0.7",
                        "--format",
                        "svd-out",
                        "--objective",
                        "size",
                        "--runtime",
                        "own",
                    ],
                    [
                        "train",
                        Sample,
                        At("trained.onnx"),
                        "--data",
                        "sample",
                        "--limit",
                        "32",
                        "--epochs",
                        "1",
                        "--batch",
                        "16",
                        "--no-test",
                    ],
                ]
        )
        {
            CommandRun run = await CommandRun.Of([.. command, "--threads", "1", "--check"]);
            Assert.True(run.Code == 0, $"{command[0]}: {run.Error}");
            Assert.Contains("check: outputs of", run.Error);
        }
    }

    private static Tensor<float> Random(Shape shape, int seed)
    {
        Random random = new(seed);
        Tensor<float> values = new(shape);
        foreach (ref float value in values.Values)
            value = random.NextSingle() - 0.5f;
        return values;
    }
}
