using System.Diagnostics;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Benchmarks.Execution;

/// <summary>A step of training (forward, backward, SGD) against PyTorch in channels-last.</summary>
internal static class TrainingStep
{
    private const string MobileNet = "mobilenetv2";

    public static void Run(string model, int batch, int threads = 2)
    {
        Shape image = ImageOf(model);
        using TrainedNetwork network = new(Create(model, image), threads: threads);
        Random random = new(0);
        Tensor<float> images = new([batch, .. image]),
            gradient = new([batch, 10]);
        foreach (ref float value in images.Values)
            value = random.NextSingle() - 0.5f;
        using Peer? peer = Peer.Start("/usr/bin/python3", "training.py", [model, $"{batch}", $"{threads}"]);
        Paired.Report($"{model}, batch {batch}, {threads} threads", batch, "image", Step, peer, runs: model == "lenet5" ? 10 : 1);
        Console.WriteLine($"  activations and their gradients {network.ActivationBytes(batch) / 1048576.0:F0} MiB");

        void Step()
        {
            Tensor<float> logits = network.Forward(images);
            for (int i = 0; i < gradient.Values.Length; i++)
                gradient.Values[i] = (logits.Values[i] - (i % 10 == 0 ? 1 : 0)) / batch;
            network.Backward(gradient);
            foreach (TrainedWeight weight in network.Weights)
                System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(
                    weight.Gradient.Values,
                    -0.01f,
                    weight.Value.Values,
                    weight.Value.Values
                );
        }
    }

    private static Shape ImageOf(string model) =>
        model switch
        {
            "lenet5" => [1, 28, 28],
            MobileNet => [3, 224, 224],
            _ => [3, 32, 32],
        };

    /// <summary>A ready-made network, or MobileNetV2 as PyTorch exports it.</summary>
    private static Graph Create(string model, Shape image)
    {
        if (model != MobileNet)
            return ModelZoo.Create(model, image, 10, seed: 0);
        string path = Path.Combine(Path.GetTempPath(), $"mobilenetv2-{Environment.ProcessId}.onnx");
        try
        {
            using Process export = Process.Start("/usr/bin/python3", [Path.Combine(Peer.Folder, "mobilenetv2.py"), path])!;
            export.WaitForExit();
            return OnnxFile.Read(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Seconds of every kind of step of a training step, by the label's last words, of a ready-made network or one in a file.</summary>
    public static void Profile(string model, int batch, int threads)
    {
        Graph graph = Path.Exists(model) ? OnnxFile.Read(model) : Create(model, ImageOf(model));
        using TrainedNetwork network = new(graph, threads: threads) { Profile = [] };
        Tensor<float> images = new([batch, .. network.ImageShape]);
        Random random = new(0);
        foreach (ref float value in images.Values)
            value = random.NextSingle() - 0.5f;
        int runs = model == MobileNet ? 3 : 20;
        // Until the code that is compiled anew while it runs has settled.
        long warmed = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(warmed).TotalSeconds < 3)
            Step();
        network.Profile.Clear();
        TimeSpan start = Environment.CpuUsage.TotalTime;
        for (int run = 0; run < runs; run++)
            Step();
        double processor = (Environment.CpuUsage.TotalTime - start).TotalSeconds / runs;
        foreach ((string label, double seconds) in network.Profile.OrderByDescending(static p => p.Value))
            Console.WriteLine($"{seconds / runs * 1e3, 9:F2} ms  {label}");
        Console.WriteLine(
            $"{network.Profile.Values.Sum() / runs * 1e3, 9:F2} ms  in all, over {threads} threads; {batch / processor:F0} images a second of processor time"
        );

        void Step() => network.Backward(network.Forward(images).Clone());
    }
}
