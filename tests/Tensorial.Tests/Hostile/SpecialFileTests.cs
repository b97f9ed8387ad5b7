using System.Diagnostics;
using Google.Protobuf;
using Tensorial.Analysis;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Tests.Cli;
using Tensorial.Tests.Onnx;

namespace Tensorial.Tests.Hostile;

/// <summary>Named pipes and devices where a file should be: refused by name, where opening them would wait for ever.</summary>
public sealed class SpecialFileTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private static string Sample => Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");

    /// <summary>PIPE is a named pipe, DIR the folder that holds it, OUT a file that is not to be written.</summary>
    [OracleTheory(Oracle.NamedPipes)]
    [InlineData("model.onnx", "inspect", "PIPE")]
    [InlineData("model.onnx", "compress", "PIPE", "OUT", "--target", "params=0.5")]
    [InlineData("model.onnx", "train", "PIPE", "OUT", "--data", "sample")]
    [InlineData("model.onnx", "verify", "NET", "PIPE", "--data", "sample")]
    [InlineData("plan.json", "compress", "NET", "OUT", "--plan", "PIPE")]
    [InlineData("cost.json", "einsum", "ab,bc->ac", "--shapes", "2x3,3x4", "--cost", "PIPE")]
    [InlineData("part.json", "merge", "OUT", "PIPE")]
    [InlineData("result.json", "report", "PIPE", "OUT")]
    [InlineData("im.npy", "evaluate", "NET", "--data", "npy:PIPE")]
    [InlineData("set.npz", "evaluate", "NET", "--data", "npy:PIPE")]
    [InlineData("t10k-images-idx3-ubyte", "evaluate", "NET", "--data", "idx:DIR")]
    [InlineData("test_batch.bin", "evaluate", "NET", "--data", "cifar10:DIR")]
    [InlineData("x.png", "verify", "NET", "NET", "--data", "images:DIR", "--grayscale")]
    [InlineData("x.npy", "verify", "NET", "NET", "--data", "npy:DIR")]
    [InlineData("cifar.tgz", "data", "get", "cifar10", "--from", "PIPE", "--out", "OUT")]
    public async Task A_named_pipe_is_refused(string name, params string[] command)
    {
        MakePipe(At(name));
        // The other half of a set.
        File.WriteAllBytes(At("t10k-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 1, 3]);
        string[] arguments =
        [
            .. command.Select(word =>
                word.Replace("PIPE", At(name))
                    .Replace("DIR", _folder.FullName)
                    .Replace("NET", Sample)
                    .Replace("OUT", Path.Combine(_folder.FullName, "out"))
            ),
        ];

        CommandRun run = await Task.Run(() => CommandRun.Of(arguments)).WaitAsync(Patience);

        Assert.True(run.Code == 3, $"{run.Code}: {run.Error}");
        Assert.Contains(name, run.Error);
        Assert.False(File.Exists(At("out")));
    }

    [OracleFact(Oracle.NamedPipes)]
    public async Task A_store_of_pipes_is_a_new_store()
    {
        MakePipe(At("measurements.jsonl"));
        MakePipe(At("measurements.lock"));
        MakePipe(At("others.jsonl"));
        await Task.Run(() =>
            {
                using (ResultStore store = ResultStore.Open(_folder.FullName))
                    store.Add("key", "scope", StoredKind.Baseline, new Evaluation(10, 0.5, 0.75, 1.25));
                Assert.Single(ResultStore.Read(_folder.FullName));
            })
            .WaitAsync(Patience);
    }

    [OracleTheory(Oracle.Linux)]
    [InlineData("/dev/null")]
    [InlineData("/dev/zero")]
    public void A_device_is_no_model(string path) =>
        Assert.Contains(path, Assert.Throws<BadInputException>(() => OnnxFile.Read(path)).Message);

    /// <summary>What was read is what is named in results, though another file takes its place in the meantime.</summary>
    [Fact]
    public void A_network_keeps_the_fingerprint_of_the_bytes_it_was_read_from()
    {
        File.Copy(Sample, At("model.onnx"));
        ModelFile file = ModelFile.From(At("model.onnx"));
        Assert.Equal(InputFile.ChecksumOf(At("model.onnx")), file.Sha256);
        Graph graph = WeightsAsInitializers.Apply(OnnxFile.Read(At("model.onnx")));
        File.WriteAllBytes(At("model.onnx"), TinyModel.Convolutional().ToByteArray());

        Assert.Equal(file, ModelFile.OfSource(graph));
        Assert.NotEqual(file, ModelFile.From(At("model.onnx")));
    }

    [Fact]
    public void Weights_beside_that_change_after_they_were_read_are_named()
    {
        File.WriteAllBytes(
            At("model.onnx"),
            TinyModel
                .Of([TinyModel.External("w", [4, 4], ("location", "w.bin"))], TinyModel.Node("MatMul", "n", ["x", "w"], ["y"]))
                .ToByteArray()
        );
        File.WriteAllBytes(At("w.bin"), new byte[64]);
        Graph graph = OnnxFile.Read(At("model.onnx"));
        Assert.Equal(ModelFile.From(At("model.onnx")), ModelFile.OfSource(graph));
        File.WriteAllBytes(At("w.bin"), new byte[80]);

        Assert.Contains("w.bin", Assert.Throws<IOException>(() => ModelFile.OfSource(graph)).Message);
    }

    private static void MakePipe(string path)
    {
        using Process made = Process.Start("mkfifo", [path]);
        made.WaitForExit();
        Assert.Equal(0, made.ExitCode);
    }
}
