using Tensorial.Analysis;
using Tensorial.Compression;
using Tensorial.Compression.Int8;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.Onnx;
using Tensorial.OnnxRuntime;

namespace Tensorial.Cli;

/// <summary>What <c>quantize</c> and <c>compress --quantize</c> do with a network: quantize it, and compare files with the float network.</summary>
/// <param name="read">The float network as it was read.</param>
/// <param name="samples">The samples.</param>
/// <param name="options">How to quantize.</param>
/// <param name="keep">Patterns of names of layers that stay in float.</param>
/// <param name="terminal">Where progress goes.</param>
/// <param name="cancel">Ends it.</param>
internal sealed class QuantizationRun(
    Graph read,
    QuantizationSamples samples,
    QuantizationOptions options,
    IReadOnlyList<string> keep,
    Terminal terminal,
    CancellationToken cancel
)
{
    /// <summary>Values of activations that are looked at together: some hundred megabytes.</summary>
    private const long MostObserved = 1 << 25;

    private const int MostAtOnce = 64;

    private readonly Graph _float = read.WithImageShape(samples.ImageShape);

    /// <summary>The output that scores the classes of the samples; null where none does.</summary>
    public ScoreOutput? Scores { get; } =
        ScoreOutput.Find(read.WithImageShape(samples.ImageShape), samples.TestImages is { HasLabels: true } images ? images.Classes : null);

    /// <summary>Quantizes the network, or another that takes the same inputs.</summary>
    /// <param name="network">The network, as open as it was read.</param>
    /// <param name="maxDrop">Points of accuracy it may lose; null for no limit.</param>
    /// <param name="maxError">Relative error it may have; null for no limit.</param>
    public QuantizedNetwork Quantize(Graph network, double? maxDrop = null, double? maxError = null)
    {
        Graph graph = network.WithImageShape(samples.ImageShape);
        using IRuntime runtime = Runtimes.Suiting(graph, options.Threads);
        Quantizer quantizer = new(graph, options, runtime, keep);
        // Where extents are not known before a sample is there, one at a time is safe.
        int batch = quantizer.ObservedValues is > 0 and var values ? (int)Math.Clamp(MostObserved / values, 1, MostAtOnce) : 1;
        QuantizationLimit? limit =
            maxDrop is null && maxError is null ? null : new QuantizationLimit(maxDrop, maxError, samples.Held, Scores);
        return terminal.WithProgress(progress => quantizer.Run(samples.Calibration(batch), limit, progress, cancel));
    }

    /// <summary>The staged file against the float network on the test samples: in ONNX Runtime where it runs both, else in ours.</summary>
    public (Verification Verification, string Runtime) Compare(OutputModel staged)
    {
        Graph written = OnnxFile.Read(staged.Path).WithImageShape(samples.ImageShape);
        (ISession first, ISession second, string name) = Sessions(written);
        using (first)
        using (second)
        {
            Verification found = terminal.WithProgress(progress =>
                Verification.From(first.Run, second.Run, samples.Test, Scores, samples.Tested, progress, cancel)
            );
            return (found, name);
        }
    }

    /// <summary>The staged file timed against the float network, one sample at a time, in ONNX Runtime; null where that does not run here.</summary>
    public MeasuredLatency? Time(OutputModel staged)
    {
        try
        {
            using OrtRuntime runtime = new();
            Graph written = OnnxFile.Read(staged.Path).WithImageShape(samples.ImageShape);
            return MeasuredLatency.From(
                runtime.Name,
                1,
                new LatencyProbe([runtime], 1, options.Threads).Compare(_float, written, cancel: cancel)[0]
            );
        }
        catch (Exception error) when (error is BadInputException or IOException)
        {
            return null;
        }
    }

    private (ISession First, ISession Second, string Runtime) Sessions(Graph written)
    {
        OrtRuntime ort = new();
        try
        {
            ISession first = ort.Load(_float, options.Threads);
            try
            {
                return (first, ort.Load(written, options.Threads), ort.Name);
            }
            catch
            {
                first.Dispose();
                throw;
            }
        }
        catch (Exception error) when (error is BadInputException or IOException)
        {
            OwnRuntime own = new();
            return (own.Load(_float, options.Threads), own.Load(written, options.Threads), own.Name);
        }
    }
}
