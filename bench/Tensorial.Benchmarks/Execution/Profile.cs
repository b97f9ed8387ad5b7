using System.Diagnostics;
using System.Globalization;
using Tensorial.Compression;
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
        IReadOnlyDictionary<string, Tensor> inputs = RandomInputs.Create(graph, images, 0);
        Tensorial.Execution.Program program = Inference.Compile(
            graph,
            inputs.ToDictionary(static input => input.Key, static input => input.Value.Shape),
            new WeightCache()
        );
        ProgramStep[] steps = [.. program.Segments.Select(static segment => segment.Steps[0])];
        ProgramFrame frame = new(program, Workers.Serial);
        foreach ((string name, Tensor values) in inputs)
            if (program.Inputs.TryGetValue(name, out Value? input))
                frame.Bind(input, values);

        // Code that runs for the first time is compiled again, better, while it runs.
        long warmed = Stopwatch.GetTimestamp();
        do program.Run(frame, 0, steps.Length);
        while (Stopwatch.GetElapsedTime(warmed).TotalSeconds < 4);
        double[][] times = [.. steps.Select(_ => new double[repeats])];
        for (int repeat = 0; repeat < repeats; repeat++)
        for (int step = 0; step < times.Length; step++)
        {
            long start = Stopwatch.GetTimestamp();
            program.Run(frame, step, step + 1);
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
