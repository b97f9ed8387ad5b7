using System.Diagnostics;
using System.Globalization;
using Tensorial.Execution;
using Tensorial.Graphs;
using Tensorial.Kernels;
using Tensorial.Onnx;

namespace Tensorial.Benchmarks.Execution;

/// <summary>Where a network's time goes: the median of each step on one thread.</summary>
internal static class Profile
{
    public static void Run(string model, int images, int repeats = 30)
    {
        Graph graph = OnnxFile.Read(model);
        Port input = graph.Inputs.First(port => !graph.Initializers.ContainsKey(port.Name));
        int[] extents = [.. input.Dimensions!.Value.Select(static d => d.Extent ?? 1)];
        extents[0] = images;
        Tensorial.Execution.Program program = Inference.Compile(
            graph,
            new Dictionary<string, Shape> { [input.Name] = Shape.From(extents) },
            new WeightCache()
        );
        ProgramStep[] steps = [.. program.Segments.Select(static segment => segment.Steps[0])];
        ProgramFrame frame = new(program, Workers.Serial);
        Tensor<float> x = new(Shape.From(extents));
        Random random = new(0);
        foreach (ref float value in x.Values)
            value = random.NextSingle() - 0.5f;
        frame.Bind(program.Inputs[input.Name], x);

        double[][] times = [.. steps.Select(_ => new double[repeats])];
        for (int repeat = -repeats; repeat < repeats; repeat++)
        for (int step = 0; step < times.Length; step++)
        {
            long start = Stopwatch.GetTimestamp();
            program.Run(frame, step, step + 1);
            if (repeat >= 0)
                times[step][repeat] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }
        double[] medians = [.. times.Select(static t => t.Order().ElementAt(t.Length / 2))];
        double total = medians.Sum();
        for (int step = 0; step < medians.Length; step++)
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{medians[step], 9:F1} µs {100 * medians[step] / total, 5:F1} %  {steps[step].Label}  {string.Join(" + ", steps[step].Reads)} -> {string.Join(", ", steps[step].Writes)}"
                )
            );
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{total, 9:F1} µs for {images} images: {images / total * 1e6:F0} images/s on one thread; arena {program.ArenaLength * 4 / 1024.0:F0} KiB"
            )
        );
    }
}
