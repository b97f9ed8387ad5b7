using Tensorial.Execution;
using Tensorial.Graphs;

namespace Tensorial.Compression.Runtimes;

/// <summary>Something that executes networks: ours, or one that users ship with.</summary>
public interface IRuntime : IDisposable
{
    /// <summary>Name and version, such as <c>onnxruntime 1.30.0</c>.</summary>
    string Name { get; }

    /// <summary>Prepares a network; the result runs it as often as wanted.</summary>
    /// <exception cref="BadInputException">The runtime does not take the network.</exception>
    ISession Load(Graph graph, int threads);
}

/// <summary>A network ready to run.</summary>
public interface ISession : IDisposable
{
    /// <summary>The first output for a batch of images, [n, ...] both.</summary>
    Tensor<float> Run(Tensor<float> images);
}

/// <summary>This library's executor.</summary>
public sealed class OwnRuntime : IRuntime
{
    public string Name => "tensorial";

    public ISession Load(Graph graph, int threads) => new Session(new Inference(graph, threads));

    public void Dispose() { }

    private sealed class Session(Inference network) : ISession
    {
        public Tensor<float> Run(Tensor<float> images) => network.Run(images);

        public void Dispose() => network.Dispose();
    }
}
