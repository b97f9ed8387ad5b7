using System.Collections.Immutable;
using Microsoft.ML.OnnxRuntime;
using Tensorial.Compression.Runtimes;
using Tensorial.Graphs;
using Tensorial.Onnx;

namespace Tensorial.OnnxRuntime;

/// <summary>ONNX Runtime on the processor, as its package brings it, with all of its graph optimizations.</summary>
public sealed class OrtRuntime : IRuntime
{
    private readonly Lazy<string> _name = new(static () => $"onnxruntime {Guarded(static () => OrtEnv.Instance().GetVersionString())}");

    /// <exception cref="IOException">Its native library does not run on this machine.</exception>
    public string Name => _name.Value;

    /// <inheritdoc/>
    /// <exception cref="IOException">Its native library does not run on this machine.</exception>
    public ISession Load(Graph graph, int threads) => Load(OnnxFile.ToBytes(graph), threads);

    /// <summary>Prepares a model as a file holds it.</summary>
    /// <param name="model">The bytes of an ONNX file without external data.</param>
    /// <param name="threads">Threads to compute with.</param>
    /// <exception cref="BadInputException">ONNX Runtime refuses the model.</exception>
    /// <exception cref="IOException">Its native library does not run on this machine.</exception>
    public static ISession Load(byte[] model, int threads) =>
        Guarded(() =>
        {
            using SessionOptions options = Options(threads);
            return new OrtSession(new InferenceSession(model, options));
        });

    /// <summary>Prepares a model from its file, external data included.</summary>
    /// <inheritdoc cref="Load(byte[], int)"/>
    public static ISession Load(string path, int threads) =>
        Guarded(() =>
        {
            using SessionOptions options = Options(threads);
            return new OrtSession(new InferenceSession(path, options));
        });

    /// <inheritdoc/>
    /// <exception cref="IOException">Its native library does not run on this machine, or there is no room for its profile among temporary
    /// files.</exception>
    public ImmutableArray<StepTime> TimeSteps(
        Graph graph,
        IReadOnlyDictionary<string, Tensor> inputs,
        int threads,
        int rounds,
        CancellationToken cancel = default
    )
    {
        string prefix = Path.Combine(Path.GetTempPath(), $"tensorial-{Guid.NewGuid():N}");
        return Guarded(() =>
        {
            using SessionOptions options = Options(threads);
            (options.EnableProfiling, options.ProfileOutputPathPrefix) = (true, prefix);
            InferenceSession session = new(OnnxFile.ToBytes(graph), options);
            using OrtSession runs = new(session);
            string? profile = null;
            try
            {
                for (int run = 0; run < 2 * rounds; run++)
                {
                    cancel.ThrowIfCancellationRequested();
                    runs.Run(inputs);
                }
                return OrtProfile.Read(profile = session.EndProfiling(), graph, rounds);
            }
            finally
            {
                File.Delete(profile ?? session.EndProfiling());
            }
        });
    }

    /// <inheritdoc/>
    public void Dispose() { }

    private static SessionOptions Options(int threads) =>
        new()
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            // Warnings, such as of initializers that nothing reads, would go to stderr from native code.
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };

    /// <summary>What ONNX Runtime throws, as this library's own failures.</summary>
    internal static T Guarded<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (OnnxRuntimeException error)
        {
            throw new BadInputException($"ONNX Runtime refuses: {OneLine(error.Message)}", error);
        }
        catch (Exception error)
            when ((error as TypeInitializationException)?.InnerException is DllNotFoundException or BadImageFormatException)
        {
            throw new IOException(
                $"ONNX Runtime's native library does not run on this machine: {OneLine(error.InnerException!.Message)}",
                error
            );
        }
    }

    private static string OneLine(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
