using System.Diagnostics;
using System.Globalization;
using Tensorial.Decompositions;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.Benchmarks.Decompositions;

/// <summary>Error and time of every format at one compression rate, for the largest kernel of a network.</summary>
internal static class Fits
{
    public static void Run(string model, double rate)
    {
        KernelWeight weight = KernelWeights
            .From(OnnxFile.Read(model))
            .Kernels.Where(static k => k.Weights.Shape.Rank == 4)
            .MaxBy(static k => k.Weights.Shape.ElementCount)!;
        Tensor<double> kernel = (Tensor<double>)weight.Weights.To(ElementType.Float64);
        foreach (KernelFormat format in KernelFormat.All)
        {
            long start = Stopwatch.GetTimestamp();
            TensorFactors<double> fit = KernelFactorization.Fit(kernel, format, KernelForm.From(format, kernel.Shape).RanksAt(rate));
            Console.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"{weight.Name}  {fit}  {Stopwatch.GetElapsedTime(start).TotalSeconds:F2} s")
            );
        }
    }
}
