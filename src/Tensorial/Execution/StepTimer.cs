using System.Collections.Immutable;
using System.Diagnostics;
using Tensorial.Graphs;
using Tensorial.Kernels;

namespace Tensorial.Execution;

/// <summary>Where the time of a compiled network goes.</summary>
internal static class StepTimer
{
    /// <summary>Median seconds of each step, in order; the whole network runs in each round, so that a step finds the caches as it will.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="inputs">A tensor for every input.</param>
    /// <param name="threads">Threads that share each step.</param>
    /// <param name="rounds">Runs of the whole network that count, after as many that do not.</param>
    /// <param name="cancel">Ends it between runs.</param>
    /// <exception cref="UnsupportedException">Values decide extents; such a network is not compiled.</exception>
    public static ImmutableArray<(string Label, double Seconds)> Run(
        Graph graph,
        IReadOnlyDictionary<string, Tensor> inputs,
        int threads,
        int rounds,
        CancellationToken cancel
    )
    {
        using ThreadWorkers workers = new(threads);
        Program program = Inference.Compile(
            graph,
            inputs.ToDictionary(static input => input.Key, static input => input.Value.Shape),
            new WeightCache(),
            threads
        );
        ProgramFrame frame = new(program, workers);
        foreach ((string name, Tensor values) in inputs)
            if (program.Inputs.TryGetValue(name, out Value? input))
                frame.Bind(input, values);

        int steps = program.Segments.Length;
        for (int round = 0; round < rounds; round++)
        {
            cancel.ThrowIfCancellationRequested();
            program.Run(frame, 0, steps);
        }
        double[][] times = [.. Enumerable.Range(0, steps).Select(_ => new double[rounds])];
        for (int round = 0; round < rounds; round++)
        {
            cancel.ThrowIfCancellationRequested();
            for (int step = 0; step < steps; step++)
            {
                long start = Stopwatch.GetTimestamp();
                program.Run(frame, step, step + 1);
                times[step][round] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
        }
        return [.. times.Select((own, step) => (program.Segments[step].Steps[0].Label, own.Order().ElementAt(rounds / 2)))];
    }
}
