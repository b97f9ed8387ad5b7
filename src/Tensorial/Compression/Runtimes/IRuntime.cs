using System.Collections.Immutable;
using Tensorial.Graphs;

namespace Tensorial.Compression.Runtimes;

/// <summary>Something that executes networks: this library, or one that users ship with.</summary>
public interface IRuntime : IDisposable
{
    /// <summary>Name and version, such as <c>onnxruntime 1.31.1</c>.</summary>
    string Name { get; }

    /// <summary>Prepares a network; the session runs it as often as wanted.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="threads">Threads to compute with.</param>
    /// <exception cref="BadInputException">The runtime refuses the network; the message gives its reason.</exception>
    ISession Load(Graph graph, int threads);

    /// <summary>
    /// How long each step takes that the runtime makes of a network, in the order in which they run; empty where it does not tell.
    /// </summary>
    /// <param name="graph">The network.</param>
    /// <param name="inputs">A tensor for every input, by name.</param>
    /// <param name="threads">Threads to compute with.</param>
    /// <param name="rounds">Runs of the whole network that count, after as many that do not.</param>
    /// <param name="cancel">Ends it between runs.</param>
    /// <exception cref="BadInputException">The runtime refuses the network; the message gives its reason.</exception>
    ImmutableArray<StepTime> TimeSteps(
        Graph graph,
        IReadOnlyDictionary<string, Tensor> inputs,
        int threads,
        int rounds,
        CancellationToken cancel = default
    );
}

/// <summary>A network ready to run. Not safe for calls from several threads at once.</summary>
public interface ISession : IDisposable
{
    /// <summary>All outputs of the network, by name.</summary>
    /// <param name="inputs">A tensor for every input, by name; those that have a default may be absent.</param>
    /// <exception cref="BadInputException">An input is missing or does not fit, or an output is no tensor of numbers.</exception>
    IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs);
}
