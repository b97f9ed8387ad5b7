using System.Diagnostics;
using System.Runtime.InteropServices;
using Tensorial.Data;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Tests.Graphs;

namespace Tensorial.Tests.Execution;

/// <summary>The executor against ONNX Runtime on whole networks.</summary>
public class OnnxRuntimeTests
{
    [OracleTheory(Oracle.SharedModels | Oracle.OnnxRuntime)]
    [InlineData("resnet20-cifar10.onnx"), InlineData("resnet32-cifar10.onnx")]
    public void Logits_agree_within_1e_4(string model)
    {
        string path = Path.Combine(Oracles.Models, model);
        Graph graph = OnnxFile.Read(path);
        // Pixels as the networks know them: in [0, 1], then normalised.
        Tensor<float> images = new Sketch(3).Random([50, 3, 32, 32], -2.1f, 2.6f);
        AssertClose(path, graph, images);
    }

    [OracleFact(Oracle.SharedModels | Oracle.OnnxRuntime | Oracle.Cifar10)]
    public void Logits_of_real_images_agree_within_1e_4()
    {
        string path = Path.Combine(Oracles.Models, "resnet32-cifar10.onnx");
        ImageSet images = DataSource.Parse($"cifar10:{Oracles.Cifar10}").Open(Split.Test, Normalization.Parse("imagenet"), 500);
        AssertClose(path, OnnxFile.Read(path), images.Batch(0, images.Count));
    }

    [OracleFact(Oracle.OnnxRuntime)]
    public void The_embedded_sample_agrees_too()
    {
        string path = Path.Combine(Oracles.Repository, "samples", "fashion-cnn.onnx");
        ImageSet images = DataSource.Parse("sample").Open(Split.Test, Normalization.Parse("none"), 200);
        AssertClose(path, OnnxFile.Read(path), images.Batch(0, images.Count));
    }

    private static void AssertClose(string path, Graph graph, Tensor<float> images)
    {
        using Inference inference = new(graph, threads: 2);
        float[] ours = inference.Run(images).Values.ToArray(),
            theirs = RunOnnxRuntime(path, images);
        Assert.Equal(theirs.Length, ours.Length);
        float largest = ours.Zip(theirs, static (a, b) => Math.Abs(a - b)).Max();
        Assert.True(largest <= 1e-4f, $"the largest difference is {largest}");
    }

    private static float[] RunOnnxRuntime(string model, Tensor<float> images)
    {
        string input = Path.GetTempFileName(),
            output = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(input, MemoryMarshal.AsBytes(images.Values).ToArray());
            string script = Path.Combine(Oracles.Repository, "tests", "Tensorial.Tests", "onnxruntime.cjs");
            ProcessStartInfo start = new("node", [script, model, input, output, .. images.Shape.Select(static e => e.ToString())])
            {
                RedirectStandardError = true,
            };
            using Process process = Process.Start(start)!;
            string errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, errors);
            return MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(output)).ToArray();
        }
        finally
        {
            File.Delete(input);
            File.Delete(output);
        }
    }
}
