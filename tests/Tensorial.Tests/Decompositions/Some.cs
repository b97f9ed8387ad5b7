using System.Collections.Immutable;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Tests.Decompositions;

/// <summary>Tensors that fits are tried on.</summary>
internal static class Some
{
    /// <summary>Independent normal numbers.</summary>
    public static Tensor<double> Noise(Shape shape, int seed) => Fits.Normal<double>(shape, new Random(seed));

    /// <summary>A tensor that has a format's ranks exactly, with noise of a given part of its norm.</summary>
    public static Tensor<double> OfRank(TensorFormat format, Shape shape, ImmutableArray<int> ranks, int seed, double noise = 0)
    {
        Random random = new(seed);
        Tensor<double>[] factors = [.. format.FactorShapes(shape, ranks.AsSpan()).Select(factor => Fits.Normal<double>(factor, random))];
        Tensor<double> tensor = Tensorial
            .Equations.Contraction.Evaluate<double>(format.Equation, factors, Tensorial.Kernels.Workers.Serial)
            .Clone();
        if (noise == 0)
            return tensor;
        Tensor<double> added = Fits.Normal<double>(shape, random);
        double scale = noise * Norm(tensor) / Norm(added);
        for (int k = 0; k < shape.ElementCount; k++)
            tensor.Values[k] += scale * added.Values[k];
        return tensor;
    }

    public static double Norm(Tensor<double> tensor) => Math.Sqrt(tensor.Values.ToArray().Sum(static value => value * value));

    /// <summary>‖x - y‖ / ‖x‖ by a plain loop.</summary>
    public static double Distance(Tensor<double> x, Tensor<double> y)
    {
        Assert.Equal(x.Shape, y.Shape);
        double sum = 0;
        for (int k = 0; k < x.Shape.ElementCount; k++)
            sum += (x.Values[k] - y.Values[k]) * (x.Values[k] - y.Values[k]);
        return Math.Sqrt(sum) / Norm(x);
    }

    public static Tensor<float> Single(Tensor<double> tensor) => (Tensor<float>)tensor.To(ElementType.Float32);

    private static readonly Lazy<KernelWeights> ResNet32 = new(static () =>
        KernelWeights.From(OnnxFile.Read(Path.Combine(Oracles.Models, "resnet32-cifar10.onnx")))
    );

    /// <summary>The kernel of a trained ResNet-32 at a place in the network.</summary>
    public static Tensor<double> Kernel(int place) =>
        (Tensor<double>)
            ResNet32.Value.Kernels.Where(static kernel => kernel.Weights.Shape.Rank == 4).ElementAt(place).Weights.To(ElementType.Float64);

    /// <summary>Writes a tensor where NumPy can read it; the file goes with the disposal of the folder.</summary>
    public static string Saved(Tensor<double> tensor, string folder, string name)
    {
        string path = Path.Combine(folder, name + ".npy");
        NpyFile.Write(tensor, path);
        return path;
    }
}
