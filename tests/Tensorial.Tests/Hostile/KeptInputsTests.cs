using Google.Protobuf;
using Tensorial.Data;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Onnx.Proto;
using Tensorial.Tests.Cli;

namespace Tensorial.Tests.Hostile;

/// <summary>Files that a model reads its values from, and files that change while they are in use.</summary>
public sealed class KeptInputsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(true);

    private string At(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>The sample network with its weights in a file of any name.</summary>
    private void WriteModel(string name, string weights)
    {
        Graph graph = OnnxFile.Read(Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx"));
        OnnxWriter.Write(graph).Save(At("made.onnx"), largest: 0);
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(At("made.onnx")));
        foreach (TensorProto tensor in model.Graph.Initializer)
        foreach (StringStringEntryProto entry in tensor.ExternalData.Where(static entry => entry.Key == "location"))
            entry.Value = weights;
        File.WriteAllBytes(At(name), model.ToByteArray());
        Directory.CreateDirectory(Path.GetDirectoryName(At(weights))!);
        File.Move(At("made.onnx.data"), At(weights));
        File.Delete(At("made.onnx"));
    }

    [Theory]
    [InlineData("out.onnx.data", "compress in.onnx out.onnx --target params=0.5")]
    [InlineData("out.onnx.data", "truncate in.onnx out.onnx --cut o|ihw --rank 2")]
    [InlineData("weights.bin", "inspect in.onnx --json weights.bin")]
    [InlineData("sub/weights.bin", "inspect in.onnx --json sub/../sub/weights.bin")]
    [InlineData("weights.bin", "inspect in.onnx --json link.json")]
    [InlineData("weights.bin", "inspect linked.onnx --json weights.bin")]
    public async Task The_file_in_which_a_model_keeps_its_weights_is_no_output(string weights, string command)
    {
        WriteModel("in.onnx", weights);
        File.CreateSymbolicLink(At("link.json"), weights);
        File.CreateSymbolicLink(At("linked.onnx"), "in.onnx");
        byte[] before = File.ReadAllBytes(At(weights));

        CommandRun run = await CommandRun.Of([
            .. command
                .Split(' ')
                .Select(word => word.Contains(".onnx") || word.Contains(".json") || word.EndsWith(".bin") ? At(word) : word),
        ]);

        Assert.Equal(2, run.Code);
        Assert.Contains(Path.GetFileName(weights), run.Error);
        Assert.Equal(before, File.ReadAllBytes(At(weights)));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.FullName, "*.partial"));
    }

    /// <summary>A process killed between two renames leaves no model, rather than one that reads another's values.</summary>
    [Fact]
    public void A_model_is_gone_before_its_weights_are_replaced()
    {
        WriteModel("new.onnx", "new.data");
        File.WriteAllText(At("m.onnx"), "former model");
        Directory.CreateDirectory(At("m.onnx.data"));
        File.WriteAllText(Path.Combine(At("m.onnx.data"), "stays"), "");

        // What stands in the way of the weights leaves the former model where it was.
        IOException error = Assert.Throws<IOException>(() =>
            AtomicFile.MoveTogether((At("new.onnx"), At("m.onnx")), (At("new.data"), At("m.onnx.data")))
        );

        Assert.Contains("m.onnx.data", error.Message);
        Assert.Equal("former model", File.ReadAllText(At("m.onnx")));
        Directory.Delete(At("m.onnx.data"), true);
        File.WriteAllText(At("m.onnx.data"), "former values");
        byte[] model = File.ReadAllBytes(At("new.onnx")),
            values = File.ReadAllBytes(At("new.data"));

        AtomicFile.MoveTogether((At("new.onnx"), At("m.onnx")), (At("new.data"), At("m.onnx.data")));

        Assert.Equal(model, File.ReadAllBytes(At("m.onnx")));
        Assert.Equal(values, File.ReadAllBytes(At("m.onnx.data")));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.FullName, "*.partial"));
    }

    [Fact]
    public void Weights_lie_beside_the_model_that_a_link_leads_to()
    {
        WriteModel("in.onnx", "w.bin");
        Directory.CreateDirectory(At("there"));
        File.CreateSymbolicLink(At("link.onnx"), "there/real.onnx");

        OnnxFile.Write(OnnxFile.Read(At("in.onnx")), At("link.onnx"));

        Assert.True(File.Exists(At("there/real.onnx.data")));
        Assert.False(File.Exists(At("link.onnx.data")));
        Assert.Equal(
            OnnxFile.Read(At("in.onnx")).Initializers.Keys.Order(),
            OnnxFile.Read(At("there/real.onnx")).Initializers.Keys.Order()
        );
    }

    [Fact]
    public void What_a_killed_run_staged_is_removed_by_the_next()
    {
        DirectoryInfo own = AtomicFile.NewFolder(At("m.onnx"));
        string host = own.Name.Split('.')[^4],
            left = At($".m.onnx.{host}.999999999.0123.partial");
        Directory.CreateDirectory(left);
        File.WriteAllText(Path.Combine(left, "m.onnx"), "");

        DirectoryInfo next = AtomicFile.NewFolder(At("m.onnx"));

        Assert.False(Directory.Exists(left));
        Assert.True(own.Exists);
        AtomicFile.End(own.FullName);
        AtomicFile.End(next.FullName);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.FullName));
    }

    [Fact]
    public void A_picture_that_changes_while_it_is_in_use_is_named()
    {
        string picture = Path.Combine(Oracles.Repository, "tests", "hostile", "corpus", "rgb.png");
        Directory.CreateDirectory(At("set"));
        File.Copy(picture, At("set/a.png"));
        File.Copy(picture, At("set/b.png"));
        ImageSet images = DataSource.Parse($"images:{At("set")}").Open(DataSplit.Test, Normalization.None);
        Assert.Single(images.Batches(2));

        File.SetLastWriteTimeUtc(At("set/b.png"), DateTime.UtcNow.AddDays(1));

        IOException error = Assert.Throws<IOException>(() => images.Batches(2).Count());
        Assert.Contains("b.png", error.Message);
    }
}
