using Tensorial.Compression;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.OnnxRuntime;
using Tensorial.Tests.Onnx;

namespace Tensorial.Tests.Cli;

/// <summary>
/// A batch that a file fixes at 1 is freed: ONNX Runtime then gives for three samples at once what the file as it was gives for each.
/// </summary>
public sealed class OpenBatchTests(ExportedNetworkTests.Exports exports) : IClassFixture<ExportedNetworkTests.Exports>
{
    [OracleTheory(Oracle.PyTorch)]
    [InlineData("mobilenet2"), InlineData("mobilenet3"), InlineData("shufflenet"), InlineData("resnext"), InlineData("inception")]
    [InlineData("unet_bilinear"), InlineData("convnext"), InlineData("video"), InlineData("fsrcnn"), InlineData("ssd"), InlineData("mixed")]
    [InlineData("landmarks"), InlineData("shared"), InlineData("lstm"), InlineData("ocr"), InlineData("weights_as_inputs")]
    [InlineData("unfolded"), InlineData("group_norm"), InlineData("vit_fused")]
    public void Samples_together_get_what_each_gets_alone(string name) => AssertFreed(Path.Combine(exports.Folder, $"{name}.onnx"));

    [OracleTheory(Oracle.SharedModels)]
    [InlineData("angle_net"), InlineData("letnet")]
    [InlineData("mnist8"), InlineData("mp_face_landmark"), InlineData("nanodet_m"), InlineData("pfld106_lite"), InlineData("resnet20_onnc")]
    [InlineData("slim160"), InlineData("tinycnn"), InlineData("ultraface_rfb320"), InlineData("yolox_nano")]
    public void Those_of_others_too(string name) => AssertFreed(Path.Combine(Oracles.Models, "foreign", $"{name}.onnx"));

    [OracleTheory(Oracle.PyTorch)]
    [InlineData("sequence_first", "first extent of 10")]
    public void What_may_mix_samples_is_refused_by_name(string name, string reason)
    {
        Graph graph = WeightsAsInitializers.Apply(OnnxFile.Read(Path.Combine(exports.Folder, $"{name}.onnx")));
        Assert.Contains(reason, Assert.Throws<UnsupportedException>(() => OpenBatch.Apply(graph)).Message);
    }

    [OracleTheory(Oracle.SharedModels)]
    [InlineData("fastestdet", "moves other axes"), InlineData("mlsd_tiny", "names the extents of its result")]
    public void So_are_those_of_others(string name, string reason)
    {
        Graph graph = WeightsAsInitializers.Apply(OnnxFile.Read(Path.Combine(Oracles.Models, "foreign", $"{name}.onnx")));
        Assert.Contains(reason, Assert.Throws<UnsupportedException>(() => OpenBatch.Apply(graph)).Message);
    }

    private void AssertFreed(string path)
    {
        Graph graph = OnnxFile.Read(path),
            freed = OpenBatch.Apply(WeightsAsInitializers.Apply(graph));
        string file = Path.Combine(exports.Folder, $"{Path.GetFileNameWithoutExtension(path)}.freed.onnx");
        OnnxFile.Write(freed, file);
        Assert.All(OnnxFile.Read(file).FreeInputs, static port => Assert.Null(port.Dimensions!.Value[0].Extent));
        using ISession one = OrtRuntime.Load(path, 1),
            many = OrtRuntime.Load(file, 1);
        IReadOnlyDictionary<string, Tensor> inputs = RandomInputs.Create(freed, 3, 5);
        IReadOnlyDictionary<string, Tensor> together = many.Run(inputs);
        for (int sample = 0; sample < 3; sample++)
        {
            Dictionary<string, Tensor> own = inputs.ToDictionary(static pair => pair.Key, pair => Part(pair.Value, 0, sample, 3));
            foreach ((string output, Tensor alone) in one.Run(own))
            {
                Tensor all = together[output];
                int axis = Enumerable.Range(0, all.Shape.Rank).First(place => all.Shape[place] == 3 * alone.Shape[place]);
                Compare.Close(alone, Part(all, axis, sample, 3), output, 1e-4);
            }
        }
    }

    /// <summary>One of equal parts of a tensor along an axis.</summary>
    private static Tensor Part(Tensor tensor, int axis, int part, int parts)
    {
        Tensor<double> values = (Tensor<double>)tensor.To(ElementType.Float64);
        int outer = tensor.Shape.ElementCountOf(0, axis),
            row = tensor.Shape.ElementCountOf(axis, tensor.Shape.Rank),
            own = row / parts;
        Tensor<double> result = new(tensor.Shape.With(axis, tensor.Shape[axis] / parts));
        for (int k = 0; k < outer; k++)
            values.Values.Slice(k * row + part * own, own).CopyTo(result.Values[(k * own)..]);
        return result.To(tensor.ElementType);
    }
}
