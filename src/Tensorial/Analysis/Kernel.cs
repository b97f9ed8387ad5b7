using Tensorial.Graphs;
using Tensorial.Kernels;

namespace Tensorial.Analysis;

/// <summary>A layer's weights in float64, ready to be cut.</summary>
public sealed class Kernel
{
    private Kernel(string name, string axes, ElementType type, Tensor<double> values) =>
        (Name, Axes, StoredAs, Values) = (name, axes, type, values);

    /// <summary>The weight's initializer name.</summary>
    public string Name { get; }

    /// <summary>One letter for each axis, in the order stored.</summary>
    public string Axes { get; }

    /// <summary>The type of the values in the network, which <see cref="Store"/> gives back.</summary>
    public ElementType StoredAs { get; }

    /// <summary>The kernel, its axes as <see cref="Cut"/> names them.</summary>
    public Tensor<double> Values { get; }

    /// <summary>||K||.</summary>
    public double Norm => FrobeniusNorm(Values.Values);

    /// <summary>A layer's weights in float64.</summary>
    /// <exception cref="NumericalException">A value is infinite or not a number.</exception>
    public static Kernel From(KernelWeight weight) => From(weight.Name, string.Concat(weight.Axes), weight.Weights);

    /// <inheritdoc cref="From(KernelWeight)"/>
    public static Kernel From(string name, string axes, Tensor weights)
    {
        if (axes.Length != weights.Shape.Rank)
            throw new ShapeException($"{name} has {weights.Shape.Rank} axes ({weights.Shape}), but {axes.Length} are named ({axes}).");
        if (weights.ElementType is not (ElementType.Float64 or ElementType.Float32 or ElementType.Float16 or ElementType.BFloat16))
            throw new UnsupportedException($"The weights {name} are {weights.ElementType}; only floating-point kernels can be cut.");
        Tensor<double> values = weights.To(ElementType.Float64).Of<double>();
        foreach (double value in values.Values)
        {
            if (!double.IsFinite(value))
                throw new NumericalException($"The weights {name} hold the value {value}; spectra and truncations need finite numbers.");
        }
        return new(name, axes, weights.ElementType, values);
    }

    /// <summary>The extent of an axis; 1 for one the kernel does not have.</summary>
    public int Extent(char axis) => Axes.IndexOf(axis) is >= 0 and int place ? Values.Shape[place] : 1;

    /// <summary>The product of the extents of these axes.</summary>
    public int Extent(string axes) => axes.Aggregate(1, (product, axis) => product * Extent(axis));

    /// <summary>Axes longer than 1: the only ones that matter to a spectrum.</summary>
    public string LongAxes => string.Concat(Axes.Where(axis => Extent(axis) > 1));

    /// <summary>Singular values along cuts.</summary>
    /// <param name="cuts">The cuts; all of the kernel's axes where none is given.</param>
    /// <exception cref="BadInputException">A cut does not divide the kernel's axes.</exception>
    public IReadOnlyList<CutSpectrum> Spectra(params ReadOnlySpan<string> cuts)
    {
        Cut[] wanted = cuts.IsEmpty ? [.. Cut.All(Axes)] : [.. cuts.ToArray().Select(Cut.Parse)];
        foreach (Cut cut in wanted)
            Truncation.Check(this, cut);
        return Analysis.Spectra.Of(this, wanted, Workers.Serial);
    }

    /// <summary>The nearest kernel of lower rank along a cut, in the Frobenius norm.</summary>
    /// <param name="cut">For example <c>o|ihw</c>.</param>
    /// <param name="rank">How the rank is chosen.</param>
    /// <exception cref="BadInputException">The cut does not divide the kernel's axes.</exception>
    public Truncation Truncate(string cut, RankRule rank) => Truncation.From(this, [new CutStep(Cut.Parse(cut), rank)]);

    /// <summary>Rounds other values of this kernel's shape to the type the network stores.</summary>
    public Tensor Store(Tensor<double> values) => values.To(StoredAs);

    /// <summary>Scaled by the largest value, so that squares neither overflow nor vanish.</summary>
    internal static double FrobeniusNorm(ReadOnlySpan<double> values)
    {
        double largest = 0,
            sum = 0;
        foreach (double value in values)
            largest = Math.Max(largest, Math.Abs(value));
        if (largest == 0)
            return 0;
        foreach (double value in values)
            sum += value / largest * (value / largest);
        return largest * Math.Sqrt(sum);
    }
}
