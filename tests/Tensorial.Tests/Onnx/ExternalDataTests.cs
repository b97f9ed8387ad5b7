using Google.Protobuf;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Onnx.Proto;
using Tensorial.OnnxRuntime;

namespace Tensorial.Tests.Onnx;

/// <summary>Weights in other files: those of the model's own folder, and no more bytes than are there.</summary>
public sealed class ExternalDataTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory();

    private DirectoryInfo Folder => _root.CreateSubdirectory("model");

    public void Dispose() => _root.Delete(true);

    /// <summary>A model in memory has no folder: its bytes hold what the files hold, and ONNX Runtime takes them.</summary>
    [Fact]
    public void Bytes_hold_weights_that_lay_in_another_file()
    {
        ModelProto model = TinyModel.Convolutional();
        TensorProto weights = model.Graph.Initializer[0];
        File.WriteAllBytes(Path.Combine(Folder.FullName, "weights.bin"), weights.RawData.ToByteArray());
        weights.ClearRawData();
        weights.DataLocation = TensorProto.Types.DataLocation.External;
        weights.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "weights.bin" });
        string path = Path.Combine(Folder.FullName, "net.onnx");
        File.WriteAllBytes(path, model.ToByteArray());
        Graph graph = OnnxFile.Read(path);

        TensorProto written = ModelProto.Parser.ParseFrom(OnnxFile.ToBytes(graph)).Graph.Initializer[0];

        Assert.Equal(TensorProto.Types.DataLocation.Default, written.DataLocation);
        Assert.Empty(written.ExternalData);
        Assert.Equal(216, written.RawData.Length);
        using OrtRuntime runtime = new();
        using ISession session = runtime.Load(graph, 1);
        Assert.Equal([2, 5], session.Run(new Dictionary<string, Tensor> { ["x"] = new Tensor<float>([2, 2, 4, 4]) })["y"].Shape);
    }

    [Theory]
    [InlineData("weights.bin", "0", "216", null)]
    [InlineData("sub/weights.bin", "8", "216", null)]
    [InlineData("../secret.bin", "0", "216", "outside")]
    [InlineData("sub/../../secret.bin", "0", "216", "outside")]
    [InlineData("$root/secret.bin", "0", "216", "absolute")]
    [InlineData("link.bin", "0", "216", "link")]
    [InlineData("linked/secret.bin", "0", "216", "link")]
    [InlineData("missing.bin", "0", "216", "missing.bin")]
    [InlineData("sub", "0", "216", "sub")]
    [InlineData("", "0", "216", "location")]
    [InlineData("weights.bin", "216", "216", "weights.bin")]
    [InlineData("weights.bin", "-1", "216", "-1")]
    [InlineData("weights.bin", "0", "215", "215")]
    [InlineData("weights.bin", "9223372036854775807", "216", "weights.bin")]
    [InlineData("weights.bin", "0", "9223372036854775807", "weights.bin")]
    [InlineData("weights.bin", "none", "216", "none")]
    public void A_place_is_read_or_refused(string location, string offset, string length, string? refused)
    {
        byte[] bytes = new byte[232];
        new Random(1).NextBytes(bytes.AsSpan(8, 216));
        for (int k = 3; k < bytes.Length; k += 4)
            bytes[k] &= 0x3f;
        Folder.CreateSubdirectory("sub");
        File.WriteAllBytes(Path.Combine(_root.FullName, "secret.bin"), bytes);
        File.WriteAllBytes(Path.Combine(Folder.FullName, "weights.bin"), bytes[..224]);
        File.WriteAllBytes(Path.Combine(Folder.FullName, "sub", "weights.bin"), bytes);
        File.CreateSymbolicLink(Path.Combine(Folder.FullName, "link.bin"), Path.Combine(_root.FullName, "secret.bin"));
        Directory.CreateSymbolicLink(Path.Combine(Folder.FullName, "linked"), _root.FullName);

        ModelProto model = TinyModel.Convolutional();
        TensorProto weights = model.Graph.Initializer[0];
        weights.ClearRawData();
        weights.FloatData.Clear();
        weights.DataLocation = TensorProto.Types.DataLocation.External;
        foreach (
            (string key, string value) in new[]
            {
                ("location", location.Replace("$root", _root.FullName)),
                ("offset", offset),
                ("length", length),
            }
        )
            weights.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
        string path = Path.Combine(Folder.FullName, "model.onnx");
        File.WriteAllBytes(path, model.ToByteArray());

        if (refused is null)
        {
            Graph graph = OnnxFile.Read(path);
            int start = int.Parse(offset);
            Assert.Equal(BitConverter.ToSingle(bytes, start), ((Tensor<float>)graph.Initializers["w"]).Values[0]);
            // Written elsewhere it brings its data along.
            string copy = Path.Combine(_root.FullName, "copy.onnx");
            OnnxFile.Write(graph, copy);
            Assert.Equal(
                ((Tensor<float>)graph.Initializers["w"]).Values.ToArray(),
                ((Tensor<float>)OnnxFile.Read(copy).Initializers["w"]).Values.ToArray()
            );
            return;
        }
        Exception error = Assert.ThrowsAny<Exception>(() => OnnxFile.Read(path));
        Assert.True(error is BadInputException or IOException, error.ToString());
        Assert.Contains("'w'", error.Message);
    }
}
