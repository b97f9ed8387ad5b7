using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Equations;
using Tensorial.Kernels;
using Tensorial.LinearAlgebra;

namespace Tensorial.Decompositions;

/// <summary>A tensor of any order written as factors.</summary>
/// <param name="Format">How the factors make the folded tensor.</param>
/// <param name="Folding">How the tensor's modes were split before; <see cref="Folding.None"/> where they were not.</param>
/// <param name="Ranks">Extents of the format's bonds.</param>
/// <param name="Factors">In the order of the format's equation.</param>
/// <param name="RelativeError">‖X - X̃‖ / ‖X‖ in the measure of the fit, 0 for a tensor of zeros; measured, not estimated.</param>
public sealed record TensorFactors<T>(
    TensorFormat Format,
    Folding Folding,
    ImmutableArray<int> Ranks,
    ImmutableArray<Tensor<T>> Factors,
    double RelativeError
)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>After so many the slices of neighbouring bonds no longer move each other much; CP needs one.</summary>
    private const int BalancingRounds = 3;

    /// <summary>Extents of the tensor.</summary>
    public Shape Shape => Folding.Shape;

    /// <summary>Numbers stored.</summary>
    public long Parameters =>
        Format.Ragged is null && Format.Summands.IsEmpty
            ? Factors.Sum(static factor => (long)factor.Shape.ElementCount)
            : Format.Parameters(Folding.Folded, Ranks.AsSpan());

    /// <summary>Numbers stored over those of the tensor.</summary>
    public double Rate => (double)Parameters / Shape.ElementCount;

    /// <summary>The tensor that the factors make.</summary>
    public Tensor<T> Reconstruct(Workers? workers = null)
    {
        if (Format.Summands.IsEmpty)
            return Folding.Unfold(Contraction.Evaluate<T>(Format.Equation, Factors.AsSpan(), workers ?? Workers.Serial));
        Tensor<T> sum = new(Shape);
        foreach (TensorFactors<T> term in Terms)
            TensorPrimitives.Add<T>(sum.Values, term.Reconstruct(workers).Values, sum.Values);
        return sum;
    }

    /// <summary>The factors of each format that adds to a sum; these themselves where there is one. Errors are those of the whole.</summary>
    internal ImmutableArray<TensorFactors<T>> Terms
    {
        get
        {
            if (Format.Summands.IsEmpty)
                return [this];
            var terms = ImmutableArray.CreateBuilder<TensorFactors<T>>();
            int at = 0;
            foreach ((TensorFormat format, Folding folding, ImmutableArray<int> ranks) in Format.Parted(Ranks.AsSpan()))
            {
                int count = format.Equation.Inputs.Length;
                terms.Add(new(format, folding, ranks, Factors.Slice(at, count), RelativeError));
                at += count;
            }
            return terms.ToImmutable();
        }
    }

    /// <summary>
    /// The same tensor from factors of equal norm, from which gradients descend at equal pace: what one is scaled up by another is scaled
    /// down by, first along every bond, whose slices have equal norms in all factors that share it, then as a whole.
    /// </summary>
    public TensorFactors<T> Balanced()
    {
        if (!Format.Summands.IsEmpty)
            return this with { Factors = [.. Terms.SelectMany(static term => term.Balanced().Factors)] };
        Tensor<T>[] factors = [.. Factors.Select(static factor => factor.Clone())];
        if (Format.Ragged is null)
            for (int round = 0; round < BalancingRounds; round++)
                foreach (char bond in Format.Bonds)
                    BalanceAlong(bond, factors);
        double[] norms = [.. factors.Select(static factor => Norm(factor.Values))];
        if (norms.Any(static norm => !(norm > 0 && double.IsFinite(norm))))
            return this;
        double mean = Math.Exp(norms.Average(Math.Log));
        return this with { Factors = [.. factors.Select((factor, k) => Scaled(factor, mean / norms[k]))] };
    }

    /// <summary>The same tensor times a power of two, of which each factor takes its part: none leaves what float32 can hold.</summary>
    internal TensorFactors<T> ScaledBy(int exponent) =>
        this with
        {
            Factors =
            [
                .. Terms.SelectMany(term =>
                    term.Factors.Select(
                        (factor, k) =>
                        {
                            Tensor<T> scaled = factor.Clone();
                            int count = term.Factors.Length,
                                part = exponent / count;
                            Scaling.Multiply(scaled.Values, k == count - 1 ? exponent - part * (count - 1) : part);
                            return scaled;
                        }
                    )
                ),
            ],
        };

    /// <summary>Factors of a tensor of zeros: the last of each term is, so that the others can still be learnt from.</summary>
    internal TensorFactors<T> Emptied() =>
        this with
        {
            Factors = [.. Terms.SelectMany(static term => (Tensor<T>[])[.. term.Factors[..^1], new Tensor<T>(term.Factors[^1].Shape)])],
            RelativeError = 0,
        };

    /// <summary>
    /// Σ ‖termᵣ‖² / ‖X̃‖² of a sum of rank-one terms: 1 where they are orthogonal, large where they cancel each other, which makes a network
    /// that hardly can be tuned and rounds badly. Null for other formats, and for a tensor of zeros.
    /// </summary>
    public double? TermEnergy()
    {
        if (!Format.IsSumOfTerms)
            return null;
        double[] energies =
        [
            .. Factors
                .Select((factor, k) => SliceNorms(factor, Format.Equation.Inputs[k].IndexOf(Format.Bonds[0])))
                .Aggregate(static (product, norms) => [.. product.Zip(norms, static (x, y) => x * y)])
                .Select(static norm => norm * norm),
        ];
        double square = Math.Pow(Norm(Reconstruct().Values), 2);
        return square > 0 ? energies.Sum() / square : null;
    }

    /// <summary>Slices of a bond that some factor has nothing in stay as they are.</summary>
    private void BalanceAlong(char bond, Tensor<T>[] factors)
    {
        int[] sharing = [.. Enumerable.Range(0, factors.Length).Where(k => Format.Equation.Inputs[k].Contains(bond))];
        double[][] norms = [.. sharing.Select(k => SliceNorms(factors[k], Format.Equation.Inputs[k].IndexOf(bond)))];
        double[] means = [.. Enumerable.Range(0, norms[0].Length).Select(slice => Math.Exp(norms.Average(own => Math.Log(own[slice]))))];
        for (int k = 0; k < sharing.Length; k++)
        {
            Tensor<T> factor = factors[sharing[k]];
            (int extent, int inner) = Extents(factor, Format.Equation.Inputs[sharing[k]].IndexOf(bond));
            for (int at = 0; at < factor.Shape.ElementCount; at++)
                if (means[at / inner % extent] is > 0 and < double.PositiveInfinity and var mean)
                    factor.Values[at] *= T.CreateTruncating(mean / norms[k][at / inner % extent]);
        }
    }

    private static double[] SliceNorms(Tensor<T> factor, int axis)
    {
        (int extent, int inner) = Extents(factor, axis);
        double[] squares = new double[extent];
        for (int at = 0; at < factor.Shape.ElementCount; at++)
            squares[at / inner % extent] += Math.Pow(double.CreateChecked(factor.Values[at]), 2);
        return Array.ConvertAll(squares, Math.Sqrt);
    }

    private static (int Extent, int Inner) Extents(Tensor<T> factor, int axis) =>
        (factor.Shape[axis], factor.Shape.ElementCountOf(axis + 1, factor.Shape.Rank));

    private static Tensor<T> Scaled(Tensor<T> factor, double scale)
    {
        Tensor<T> scaled = new(factor.Shape);
        TensorPrimitives.Multiply(factor.Values, T.CreateTruncating(scale), scaled.Values);
        return scaled;
    }

    /// <summary>‖X - X̃‖ / ‖X‖ for any tensor of this shape; 0 for one of zeros.</summary>
    public double ErrorOf(Tensor<T> tensor, Workers? workers = null)
    {
        double norm = Norm(tensor.Values);
        if (norm == 0)
            return 0;
        Tensor<T> difference = Reconstruct(workers).Clone();
        TensorPrimitives.Subtract<T>(tensor.Values, difference.Values, difference.Values);
        return Norm(difference.Values) / norm;
    }

    /// <summary>For example <c>tucker 12×9: 4,608 -> 1,380 parameters (0.30), relative error 0.1820</c>.</summary>
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Format} {string.Join('×', Ranks)}: {Shape.ElementCount:N0} -> {Parameters:N0} parameters ({Rate:F2}), relative error {RelativeError:F4}"
        );

    /// <summary>Factors of a folded tensor, with their error measured on the tensor itself.</summary>
    internal static TensorFactors<T> Measured(
        TensorFormat format,
        Folding folding,
        ImmutableArray<int> ranks,
        ImmutableArray<Tensor<T>> factors,
        Tensor<T> tensor,
        Workers workers
    )
    {
        TensorFactors<T> result = new(format, folding, ranks, factors, 0);
        return result with { RelativeError = result.ErrorOf(tensor, workers) };
    }

    /// <summary>The Frobenius norm, summed in double precision.</summary>
    internal static double Norm(ReadOnlySpan<T> values)
    {
        Span<double> wide = stackalloc double[256];
        double sum = 0;
        for (int at = 0; at < values.Length; at += wide.Length)
        {
            ReadOnlySpan<T> piece = values.Slice(at, Math.Min(wide.Length, values.Length - at));
            TensorPrimitives.ConvertTruncating(piece, wide);
            sum += TensorPrimitives.SumOfSquares<double>(wide[..piece.Length]);
        }
        return Math.Sqrt(sum);
    }
}
