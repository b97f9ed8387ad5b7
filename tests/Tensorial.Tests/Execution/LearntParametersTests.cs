using System.Diagnostics;
using System.Text.Json.Nodes;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Operations;
using Tensorial.Tests.Cli;

namespace Tensorial.Tests.Execution;

/// <summary>
/// Modules of PyTorch (learnt.py beside this file): every parameter is trained or named before the first step, and no buffer is trained.
/// </summary>
public sealed class LearntParametersTests(LearntParametersTests.Exports exports) : IClassFixture<LearntParametersTests.Exports>
{
    /// <summary>Written once for all tests.</summary>
    public sealed class Exports : IDisposable
    {
        private readonly Lazy<DirectoryInfo> _folder = new(static () =>
        {
            DirectoryInfo folder = Directory.CreateTempSubdirectory();
            string program = Path.Combine(Oracles.Repository, "tests", "Tensorial.Tests", "Execution", "learnt.py");
            using Process process = Process.Start(
                new ProcessStartInfo(Oracles.Python, [program, folder.FullName]) { RedirectStandardError = true }
            )!;
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? folder : throw new InvalidOperationException(error);
        });

        public string At(string name) => Path.Combine(_folder.Value.FullName, name);

        public void Dispose()
        {
            if (_folder.IsValueCreated)
                _folder.Value.Delete(true);
        }
    }

    private Graph Read(string network) => WeightsAsInitializers.ForTraining(OnnxFile.Read(exports.At($"{network}.onnx")));

    /// <summary>What PyTorch calls a parameter, or a buffer, of a module.</summary>
    private string[] Tensors(string network, string kind) =>
        [
            .. File.ReadAllLines(exports.At($"{network}.txt"))
                .Select(static line => line.Split(' '))
                .Where(line => line[0] == kind)
                .Select(static line => line[1]),
        ];

    [OracleTheory(Oracle.PyTorch | Oracle.OnnxPython)]
    [
        InlineData("bias"),
        InlineData("affine"),
        InlineData("norm"),
        InlineData("rmsnorm"),
        InlineData("layerscale"),
        InlineData("rezero", "alpha")
    ]
    [InlineData("shifted", "deviation", "mean"), InlineData("positions", "token"), InlineData("weightnorm"), InlineData("standardized")]
    [InlineData("lowrank"), InlineData("groups"), InlineData("batch"), InlineData("attention"), InlineData("gelu")]
    [InlineData("grid", "grid", "strides"), InlineData("lstm"), InlineData("gru"), InlineData("rnn")]
    [InlineData("affine_half"), InlineData("norm_half"), InlineData("layerscale_half"), InlineData("batch_half")]
    [InlineData("affine_identity"), InlineData("norm_identity"), InlineData("layerscale_identity"), InlineData("batch_identity")]
    [InlineData("affine_constant"), InlineData("norm_constant"), InlineData("layerscale_constant"), InlineData("batch_constant")]
    public void Parameters_are_trained_or_named(string network, params string[] named)
    {
        Graph graph = Read(network);
        HashSet<string> trained = [.. TrainableConstants.Of(graph).Select(static constant => constant.Name)],
            kept = [.. TrainableConstants.FixedIn(graph).Select(static constant => constant.Name)];

        Assert.Equal(named, kept.Order(StringComparer.Ordinal));
        foreach (string parameter in Tensors(network, "parameter"))
            if (graph.Initializers.ContainsKey(parameter))
                Assert.True(trained.Contains(parameter) || kept.Contains(parameter), $"'{parameter}' is neither trained nor named.");
        foreach (string buffer in Tensors(network, "buffer"))
            Assert.DoesNotContain(buffer, trained);
    }

    /// <summary>The exporter joins the matrices of a recurrent layer into three operands under names of its own.</summary>
    [OracleTheory(Oracle.PyTorch | Oracle.OnnxPython)]
    [InlineData("lstm"), InlineData("gru"), InlineData("rnn")]
    public void All_of_a_recurrent_layer_is_trained(string network)
    {
        Graph graph = Read(network);
        HashSet<string> trained = [.. TrainableConstants.Of(graph).Select(static constant => constant.Name)];

        Assert.Superset(
            new HashSet<string>(graph.Nodes.Single(static node => node.Operation is Recurrent).Inputs.Skip(1).Take(3)),
            trained
        );
    }

    [OracleTheory(Oracle.PyTorch | Oracle.OnnxPython)]
    [InlineData("batch"), InlineData("batch_half"), InlineData("batch_identity"), InlineData("batch_constant")]
    public void A_batch_normalisation_renews_its_statistics_wherever_they_are_held(string network) =>
        Assert.Equal(2, TrainingForm.From(Read(network)).Statistics.Length);

    /// <summary>Whatever is trained has a gradient, and a step goes through.</summary>
    [OracleTheory(Oracle.PyTorch | Oracle.OnnxPython)]
    [InlineData("lstm"), InlineData("gru"), InlineData("rnn"), InlineData("groups"), InlineData("norm_half"), InlineData("batch_half")]
    [InlineData("positions"), InlineData("attention"), InlineData("lowrank"), InlineData("standardized")]
    public void A_step_reaches_every_weight(string network)
    {
        Graph graph = InFloat32.Apply(Read(network)).WithImageShape([3, 5, 5]);
        using TrainedNetwork trained = new(graph, threads: 1);
        Tensor<float> images = new([2, 3, 5, 5]);
        Random random = new(1);
        foreach (ref float pixel in images.Values)
            pixel = random.NextSingle();
        Tensor<float> output = trained.Forward(images);
        Tensor<float> upstream = new(output.Shape);
        foreach (ref float value in upstream.Values)
            value = random.NextSingle();
        trained.Backward(upstream);

        Assert.All(
            trained.Weights,
            static weight => Assert.True(weight.Gradient.Values.ContainsAnyExcept(0f), $"'{weight.Name}' has no gradient.")
        );
    }

    /// <summary>Fresh weights are fresh in whatever type a file keeps them.</summary>
    [OracleTheory(Oracle.PyTorch | Oracle.OnnxPython)]
    [InlineData("batch"), InlineData("batch_half")]
    public void Fresh_weights_forget_all(string network)
    {
        Graph graph = Read(network),
            fresh = FreshWeights.Initialize(graph, seed: 3);
        Assert.All(
            TrainableConstants.Of(graph),
            constant =>
            {
                Tensor before = graph.ConstantOf(constant.Name)!,
                    after = fresh.ConstantOf(constant.Name)!;
                Assert.Equal(before.ElementType, after.ElementType);
                Assert.NotEqual(
                    before.To(ElementType.Float32).Of<float>().Values.ToArray(),
                    after.To(ElementType.Float32).Of<float>().Values.ToArray()
                );
            }
        );
    }

    /// <summary>Also where the command is to be quiet: a result that is not what it looks like is no note.</summary>
    [OracleFact(Oracle.PyTorch | Oracle.OnnxPython)]
    public async Task Train_names_what_it_leaves_alone()
    {
        string folder = Path.GetDirectoryName(exports.At("x"))!;
        Random random = new(1);
        Tensor<byte> pixels = new([8, 3, 5, 5]);
        random.NextBytes(pixels.Values);
        NpyFile.Write(pixels, Path.Combine(folder, "images.npy"));
        NpyFile.Write(new Tensor<long>([8], new long[] { 0, 1, 2, 3, 0, 1, 2, 3 }), Path.Combine(folder, "labels.npy"));
        string json = Path.Combine(folder, "train.json");

        CommandRun run = await CommandRun.Of(
            "train",
            exports.At("shifted.onnx"),
            Path.Combine(folder, "trained.onnx"),
            "--data",
            $"npy:{Path.Combine(folder, "images.npy")},{Path.Combine(folder, "labels.npy")},nchw",
            "--epochs",
            "1",
            "--batch",
            "4",
            "--no-test",
            "--threads",
            "1",
            "--quiet",
            "--json",
            json
        );

        Assert.True(run.Code == 0, run.Error);
        Assert.Contains("not trained: 'mean' (6 numbers", run.Error);
        Assert.Contains("not trained: 'deviation'", run.Error);
        JsonArray named = JsonNode.Parse(File.ReadAllText(json))!["notTrained"]!.AsArray();
        Assert.Equal(["deviation", "mean"], named.Select(static left => (string)left!["name"]!));
    }
}
