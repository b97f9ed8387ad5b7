using System.Collections.Immutable;
using Tensorial.Decompositions;
using Tensorial.Decompositions.Trees;
using Tensorial.Equations;

namespace Tensorial.Compression;

/// <summary>The best tree over a kernel's axes with its channels folded into parts: what a look for hidden structure of channels finds.</summary>
internal static class FoldedStructure
{
    private const string Outputs = "abc",
        Inputs = "def";

    /// <summary>Parts of each channel axis for which the tree has letters, and the search has time.</summary>
    public const int MostParts = 3;

    /// <summary>The tree within a part of the kernel's parameters; null where there is none.</summary>
    public static StructureForm? Of(Tensor<double> kernel, int parts, double rate, CancellationToken cancel)
    {
        Folding folding = Folding.From(kernel.Shape, parts);
        Tensor<double> folded = folding.Fold(kernel);
        string axes = Outputs[..parts] + Inputs[..parts] + "hw";
        CutSpectra spectra = CutSpectra.From(folded, cancel);
        if (
            TreeSearch.Within(spectra, new TreeParameters(spectra), rate * kernel.Shape.ElementCount) is not { } found
            || found.Tree.Bonds.IsEmpty
        )
            return null;
        TensorFactors<double> fit = TreeFit.Of(folded, found.Tree, axes, "tree", cancel);
        (Equation equation, ImmutableArray<int> ranks) = found.Tree.Written(axes);
        return new(
            rate,
            StructureKind.FoldedTree,
            equation.ToString(),
            $"{equation}, {folding.Folded}",
            ranks,
            found.Tree.Drawn(axes),
            fit.Parameters,
            null,
            found.Bound,
            found.Least,
            fit.RelativeError
        );
    }
}
