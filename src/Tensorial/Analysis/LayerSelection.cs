using System.IO.Enumeration;
using Tensorial.Graphs;

namespace Tensorial.Analysis;

/// <summary>Layers picked by the names of their weights or of their nodes.</summary>
internal static class LayerSelection
{
    /// <summary>
    /// Those of a network's weights, cut or not, whose name, or that of the node which multiplies with it, matches a pattern; all where
    /// none is given.
    /// </summary>
    /// <param name="weights">All weights of the network.</param>
    /// <param name="patterns">Names; * stands for any text and ? for one character.</param>
    /// <exception cref="BadInputException">A pattern matches nothing.</exception>
    public static KernelWeights Matching(this KernelWeights weights, IReadOnlyList<string> patterns)
    {
        foreach (string pattern in patterns)
        {
            if (
                weights.Kernels.Any(kernel => Matches(pattern, kernel.Names)) || weights.Uncut.Any(kernel => Matches(pattern, kernel.Names))
            )
                continue;
            string names = string.Join(", ", weights.Kernels.Take(8).Select(static kernel => kernel.Name));
            throw new BadInputException(
                $"No weights match \"{pattern}\"; the network has {(names.Length > 0 ? names : "none")}{(weights.Kernels.Length > 8 ? ", ..." : "")}."
            );
        }
        bool Picked(IEnumerable<string> names) => patterns.Count == 0 || patterns.Any(pattern => Matches(pattern, names));
        return new([.. weights.Kernels.Where(kernel => Picked(kernel.Names))], [.. weights.Uncut.Where(kernel => Picked(kernel.Names))]);
    }

    private static bool Matches(string pattern, IEnumerable<string> names) =>
        names.Any(name => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false));
}
