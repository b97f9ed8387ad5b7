using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Data;
using Tensorial.Decompositions;
using Tensorial.Equations;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.Training;

namespace Tensorial.Samples;

/// <summary>What docs/library.md prints; this project sees the public types of the library only.</summary>
public static class LibraryPage
{
    public static void Evaluate()
    {
        Graph graph = OnnxFile.Read(Sample.Model, "sample");
        ImageSet test = DataSource.Parse("sample").Open(DataSplit.Test, Normalization.None);
        Console.WriteLine(graph.Evaluate(test));
    }

    public static void Spectra()
    {
        Graph graph = OnnxFile.Read(Sample.Model, "sample");
        Kernel kernel = graph.Kernels["conv2.weight"];
        foreach (CutSpectrum spectrum in kernel.Spectra())
            Console.WriteLine($"{spectrum.Cut}: effective rank {spectrum.EffectiveRank:F1} of {spectrum.MaxRank}");
        Graph truncated = graph.With(kernel, kernel.Truncate("o|ihw", new RankRule.NormLoss(0.3)));
    }

    public static void Compress()
    {
        Graph graph = OnnxFile.Read(Sample.Model, "sample");
        ImageSet training = DataSource.Parse("sample").Open(DataSplit.Train, Normalization.None, limit: 200);
        CompressedNetwork small = graph.Compress("params=0.5", training);
        foreach (CompressedLayer layer in small.Layers)
            Console.WriteLine($"{layer.Name}: {layer.Format ?? layer.KeptBecause}");
        OnnxFile.Write(small.Graph, "small.onnx");
    }

    public static void Build()
    {
        NetworkBuilder net = new("small", [1, 28, 28], seed: 0);
        Features x = net.Input;
        foreach ((int channels, int layer) in ((int, int)[])[(16, 1), (32, 2)])
        {
            x = net.BatchNormalization($"bn{layer}", net.Convolution($"conv{layer}", x, channels, 3, padding: 1));
            x = net.MaxPool($"pool{layer}", net.Relu($"relu{layer}", x), 2, 2);
        }
        // From 32×7×7 features to 10 classes through a bond r; nothing is flattened.
        x = net.Contraction("classes", x, "nchw,crh,rwo->no", new Dictionary<char, int> { ['r'] = 8, ['o'] = 10 });
        Graph network = net.ToGraph(x).InitializeFactorized(KernelFormat.Parse("rcp:2"), rate: 0.3, batch: 32);

        ImageSet training = DataSource.Parse("sample").Open(DataSplit.Train, Normalization.None);
        TrainingOptions options = new()
        {
            Epochs = 3,
            Batch = 32,
            LearningRate = 0.05,
        };
        TrainingResult trained = network.Train(training, options);
        Console.WriteLine(trained.Epochs[^1]);
        OnnxFile.Write(trained.Network, "tensorial.onnx");
    }

    public static void Equations()
    {
        Tensor<float> image = new([8, 64, 32, 32]),
            a = new([26, 64]),
            k = new([26, 3, 3]),
            c = new([26, 64]);
        using EquationValue<float> y = Equation.Parse("bshw,rs,rhw,rt->bthw|hw").Evaluate(image, a, k, c);
        Tensor<float>?[] gradients = y.Gradients(y.Result);
        Console.WriteLine($"{y.Result} and {gradients.Length} gradients");
    }
}
