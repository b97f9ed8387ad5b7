using Tensorial.Networks;
using Tensorial.Onnx;

namespace Tensorial.Tests.Onnx;

public class RoundTripTests
{
    private static readonly string ResNet = Path.Combine(Oracles.Models, "resnet20-cifar10.onnx");

    [OracleFact(Oracle.SharedModels)]
    public void Writing_what_was_read_gives_the_same_bytes()
    {
        string copy = Path.GetTempFileName();
        OnnxFile.Write(OnnxFile.Read(ResNet), copy);
        Assert.Equal(File.ReadAllBytes(ResNet), File.ReadAllBytes(copy));
        File.Delete(copy);
    }

    [OracleFact(Oracle.SharedModels | Oracle.OnnxPython)]
    public void A_changed_weight_is_all_that_changes()
    {
        Graph graph = OnnxFile.Read(ResNet);
        string name = KernelWeights.Of(graph).Kernels[3].Name, copy = Path.GetTempFileName();
        Tensor<float> doubled = graph.Initializers[name].Of<float>().Clone();
        foreach (ref float value in doubled.Values) value *= 2;
        OnnxFile.Write(graph.With(name, doubled), copy);

        string differing = Oracles.RunPython("""
            import sys, onnx
            from onnx import numpy_helper
            a, b = (onnx.load(path) for path in sys.argv[1:3])
            onnx.checker.check_model(b, full_check=True)
            for x, y in zip(a.graph.initializer, b.graph.initializer):
                if (numpy_helper.to_array(x) != numpy_helper.to_array(y)).any():
                    assert (2 * numpy_helper.to_array(x) == numpy_helper.to_array(y)).all()
                    print(y.name)
            for model in (a, b):
                del model.graph.initializer[:]
            assert a == b
            """, ResNet, copy);
        Assert.Equal(name, differing.Trim());
        File.Delete(copy);
    }
}
