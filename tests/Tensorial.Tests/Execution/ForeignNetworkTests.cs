using Tensorial.Compression.Runtimes;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.OnnxRuntime;
using Tensorial.Tests.Onnx;
using Tensorial.Tests.Operations;

namespace Tensorial.Tests.Execution;

/// <summary>
/// Networks made by others, whose operators no classifier has, against ONNX Runtime. Quantised ones are not among them: what ONNX Runtime
/// gives for those depends on the processor (docs/operators.md).
/// </summary>
public class ForeignNetworkTests
{
    [OracleTheory(Oracle.SharedModels)]
    [InlineData("coin_captcha.onnx", 0, "input1=1x3x32x100")]
    [InlineData("gtcrn_simple.onnx", 1e-5)]
    [InlineData("openseeface_mnv3det.onnx", 1e-5)]
    [InlineData("silero_op15.onnx", 1e-5, "input=1x512", "state=2x1x128", "sr=16000")]
    [InlineData("silero_op15.onnx", 1e-5, "input=1x256", "state=2x1x128", "sr=8000")]
    public void All_outputs_agree(string model, double tolerance, params string[] given)
    {
        string path = Path.Combine(Oracles.Models, "foreign", model);
        Graph graph = OnnxFile.Read(path);
        Dictionary<string, Tensor> inputs = [];
        foreach (Port port in graph.FreeInputs)
        {
            string? text = given.FirstOrDefault(g => g.StartsWith($"{port.Name}=", StringComparison.Ordinal))?[(port.Name.Length + 1)..];
            if (port.Dimensions is { IsEmpty: true })
                inputs[port.Name] = new Tensor<long>([], new[] { long.Parse(text!, System.Globalization.CultureInfo.InvariantCulture) });
            else
                inputs[port.Name] = Some.Real<float>(
                    text is null
                        ? [.. port.Dimensions!.Value.Select(static d => d.Extent ?? 1)]
                        :
                        [
                            .. text.Split('x')
                                .Select(static extent => int.Parse(extent, System.Globalization.CultureInfo.InvariantCulture)),
                        ],
                    7
                );
        }
        using ISession session = OrtRuntime.Load(path, 1);
        using ISession compiled = new OwnRuntime().Load(graph, 1);
        IReadOnlyDictionary<string, Tensor> theirs = session.Run(inputs);
        foreach (
            IReadOnlyDictionary<string, Tensor> ours in new[] { Interpreter.Run(graph, inputs), compiled.Run(inputs), compiled.Run(inputs) }
        )
        foreach (Port output in graph.Outputs)
            Compare.Close(theirs[output.Name], ours[output.Name], output.Name, tolerance);
    }

    /// <summary>
    /// The same of networks that run blocked nearly throughout, within what the logits of ResNets are allowed: Winograd's products round more.
    /// </summary>
    [OracleTheory(Oracle.SharedModels)]
    [InlineData("angle_net.onnx"), InlineData("fastestdet.onnx"), InlineData("oww_embedding.onnx"), InlineData("ultraface_rfb320.onnx")]
    [InlineData("letnet.onnx"), InlineData("nanodet_m.onnx"), InlineData("blazeface_front.onnx"), InlineData("ecg_cardiotwin.onnx")]
    public void Blocked_execution_agrees(string model)
    {
        string path = Path.Combine(Oracles.Models, "foreign", model);
        Graph graph = OnnxFile.Read(path);
        Dictionary<string, Tensor> inputs = graph.FreeInputs.ToDictionary(
            static port => port.Name,
            static Tensor (port) => Some.Real<float>([.. port.Dimensions!.Value.Select(static d => d.Extent ?? 1)], 7)
        );
        using ISession session = OrtRuntime.Load(path, 1);
        IReadOnlyDictionary<string, Tensor> theirs = session.Run(inputs);
        foreach (int threads in new[] { 1, 2 })
        {
            using Inference network = new(graph, threads);
            IReadOnlyDictionary<string, Tensor> ours = network.Run(inputs);
            foreach (Port output in graph.Outputs)
                Compare.Close(theirs[output.Name], ours[output.Name], output.Name, 1e-4);
        }
    }
}
