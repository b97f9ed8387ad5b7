using System.Collections.Immutable;
using Tensorial.Graphs;
using Tensorial.Kernels;

namespace Tensorial.Analysis;

/// <summary>A network with truncated kernels: the same nodes and shapes, other weights.</summary>
/// <param name="Graph">The truncated network.</param>
/// <param name="Kernels">What became of each kernel.</param>
/// <param name="Untouched">Names of kernels that lack an axis a cut needs, and stay as they were.</param>
internal sealed record GraphTruncation(Graph Graph, ValueList<TruncatedKernel> Kernels, ValueList<string> Untouched)
{
    /// <summary>Truncates kernels along cuts one after another. Axes a kernel does not have count as extent 1.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="weights">The kernels to truncate.</param>
    /// <param name="steps">The cuts and what decides the ranks.</param>
    /// <param name="workers">Threads to decompose with.</param>
    /// <exception cref="NumericalException">A weight is not finite.</exception>
    public static GraphTruncation From(Graph graph, ImmutableArray<KernelWeight> weights, IReadOnlyList<CutStep> steps, Workers workers)
    {
        List<TruncatedKernel> kernels = [];
        List<string> untouched = [];
        foreach (KernelWeight weight in weights)
        {
            Kernel kernel = Kernel.From(weight);
            CutStep?[] own = [.. steps.Select(step => step.Cut.Among(kernel.Axes) is { } cut ? step with { Cut = cut } : null)];
            if (own.Contains(null))
            {
                untouched.Add(kernel.Name);
                continue;
            }
            Truncation truncation = Truncation.From(kernel, own!, workers);
            graph = graph.With(kernel.Name, kernel.Store(truncation.Values));
            kernels.Add(truncation.Account);
        }
        return new(graph, [.. kernels], [.. untouched]);
    }
}
