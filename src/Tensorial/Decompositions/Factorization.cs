using System.Collections.Immutable;
using System.Globalization;
using Tensorial.Einsum;
using Tensorial.Kernels;

namespace Tensorial.Decompositions;

/// <summary>A kernel [o, i, h, w] written as factors.</summary>
/// <param name="Format">How the factors make the kernel.</param>
/// <param name="Ranks">Its bonds.</param>
/// <param name="Shape">Extents of the kernel.</param>
/// <param name="Factors">In the order of the format; the last one leads to the output's channels.</param>
/// <param name="RelativeError">‖K - K̃‖ / ‖K‖ in the measure it was fitted in.</param>
public sealed record Factorization(
    KernelFormat Format, ImmutableArray<int> Ranks, Shape Shape, ImmutableArray<Tensor<double>> Factors, double RelativeError)
{
    /// <summary>Numbers stored.</summary>
    public long Parameters => Factors.Sum(static factor => (long)factor.Shape.Count);

    /// <summary>Parameters over those of the dense kernel.</summary>
    public double Rate => (double)Parameters / Shape.Count;

    /// <summary>The kernel that the factors make.</summary>
    public Tensor<double> Reconstruct(Workers? workers = null) =>
        Contraction.Evaluate<double>(Format.Whole, Factors.AsSpan(), workers ?? Workers.Serial);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Format} {string.Join('×', Ranks)}: {Shape.Count:N0} -> {Parameters:N0} parameters ({Rate:F2}), relative error {RelativeError:F4}");
}
