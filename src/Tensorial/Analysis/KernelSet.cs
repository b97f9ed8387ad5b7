using System.Collections;
using Tensorial.Graphs;

namespace Tensorial.Analysis;

/// <summary>The kernels of a network that can be cut, in its order, read into float64 when they are asked for.</summary>
public sealed class KernelSet : IReadOnlyList<Kernel>
{
    private readonly KernelWeights _weights;

    internal KernelSet(Graph graph) => _weights = KernelWeights.From(graph);

    /// <summary>Weights that cannot be cut, with the reason.</summary>
    public IReadOnlyList<UncutKernel> Uncut => _weights.Uncut;

    /// <inheritdoc/>
    public int Count => _weights.Kernels.Length;

    /// <inheritdoc/>
    public Kernel this[int index] => Kernel.From(_weights.Kernels[index]);

    /// <summary>The kernel of a layer, by the name of its weights or of its node.</summary>
    /// <exception cref="BadInputException">No kernel has this name.</exception>
    public Kernel this[string name] =>
        Kernel.From(
            _weights.Kernels.FirstOrDefault(kernel => kernel.Names.Contains(name))
                ?? throw new BadInputException(
                    $"No kernel is named '{name}'; there are {string.Join(", ", _weights.Kernels.Select(static kernel => kernel.Name))}."
                )
        );

    /// <inheritdoc/>
    public IEnumerator<Kernel> GetEnumerator() => _weights.Kernels.Select(Kernel.From).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
