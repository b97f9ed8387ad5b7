using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Decompositions;

/// <summary>
/// The kernel of one output channel [i, t] as a sum of products p_r[i] d_r[t], in the measure kᵀ Σ k: each side solved by turns from normal
/// equations, from the singular vectors in the metric that takes Σ for a product of a matrix of channels and one of places.
/// </summary>
internal sealed class DecoupledOutput
{
    private readonly Tensor<double>? _covariance;
    private readonly int _inputs,
        _taps;
    private readonly ChannelMetric _channels,
        _places;

    public DecoupledOutput(Tensor<double>? covariance, int inputs, int taps)
    {
        (_covariance, _inputs, _taps) = (covariance, inputs, taps);
        (_channels, _places) = covariance is null ? (new(null, null), new(null, null)) : Separated(covariance, inputs, taps);
    }

    /// <summary>Squared singular values, descending.</summary>
    public double[] Energies(ReadOnlySpan<double> kernel) => SmallSvd.From(Weighted(kernel), _inputs, _taps).Energies;

    /// <summary>p [i, r] and d [r, t].</summary>
    /// <param name="kernel">[i, t].</param>
    /// <param name="rank">The rank.</param>
    /// <param name="rounds">Rounds at most.</param>
    /// <param name="gain">Part of the squared error that a round must take off for another.</param>
    /// <param name="known">d to begin with, where there is a covariance; null for the singular vectors.</param>
    public (double[] Mix, double[] Filters) Of(ReadOnlySpan<double> kernel, int rank, int rounds, double gain, double[]? known = null)
    {
        double[] weighted = Weighted(kernel),
            vectors = SmallSvd.From(weighted, _inputs, _taps).Leading(rank),
            filters = new double[rank * _taps],
            mix = new double[_inputs * rank];
        for (int at = 0; at < vectors.Length; at++)
            filters[at % rank * _taps + at / rank] = vectors[at];
        // P = Σ_I^-½ Y V and D = Vᵀ Σ_T^-½.
        filters = _places.Unweighted(filters);
        Multiply(_inputs, rank, _taps, weighted, _taps, 1, vectors, rank, 1, mix, rank);
        mix = Transposed(_channels.Unweighted(Transposed(mix, _inputs, rank)), rank, _inputs);
        if (_covariance is null)
            return (mix, filters);

        double[] seen = new double[_inputs * _taps];
        Multiply(1, seen.Length, seen.Length, kernel, seen.Length, 1, _covariance.Values, seen.Length, 1, seen, seen.Length);
        double energy = TensorPrimitives.Dot(kernel, seen),
            before = double.PositiveInfinity;
        if (known is not null)
            (filters, mix) = (known, SolveMix(known, seen, rank));
        for (int round = 0; round < rounds; round++)
        {
            mix = SolveMix(filters, seen, rank);
            (filters, double explained) = SolveFilters(mix, seen, rank);
            double after = Math.Max(0, energy - explained);
            if (round > 0 && before - after <= gain * before)
                break;
            before = after;
        }
        return (mix, filters);
    }

    /// <summary>Unknowns p[i, r]; normal matrix Σ_tt' d[r,t] Σ[it, i't'] d[r',t'].</summary>
    private double[] SolveMix(double[] filters, double[] seen, int rank)
    {
        int n = _inputs * _taps,
            unknowns = _inputs * rank;
        double[] half = new double[unknowns * n];
        for (int i = 0; i < _inputs; i++)
            Multiply(rank, n, _taps, filters, _taps, 1, _covariance!.Values[(i * _taps * n)..], n, 1, half.AsSpan(i * rank * n), n);
        Tensor<double> normal = new([unknowns, unknowns]),
            rows = new([1, unknowns]);
        // [i, r, i', t'] times d[r', t'] is [i, r, i', r'].
        Multiply(unknowns * _inputs, rank, _taps, half, _taps, 1, filters, 1, _taps, normal.Values, rank);
        Multiply(_inputs, rank, _taps, seen, _taps, 1, filters, 1, _taps, rows.Values, rank);
        return NormalEquations.Solve(normal, rows, Workers.Serial).Values.ToArray();
    }

    /// <summary>Unknowns d[r, t]; and what of the energy they explain.</summary>
    private (double[] Filters, double Explained) SolveFilters(double[] mix, double[] seen, int rank)
    {
        int n = _inputs * _taps,
            unknowns = rank * _taps;
        double[] half = new double[unknowns * n];
        Multiply(rank, _taps * n, _inputs, mix, 1, rank, _covariance!.Values, _taps * n, 1, half, _taps * n);
        Tensor<double> normal = new([unknowns, unknowns]),
            rows = new([1, unknowns]);
        for (int row = 0; row < unknowns; row++)
            Multiply(rank, _taps, _inputs, mix, 1, rank, half.AsSpan(row * n, n), _taps, 1, normal.Values[(row * unknowns)..], _taps);
        Multiply(rank, _taps, _inputs, mix, 1, rank, seen, _taps, 1, rows.Values, _taps);
        Tensor<double> filters = NormalEquations.Solve(normal, rows, Workers.Serial);
        return (filters.Values.ToArray(), TensorPrimitives.Dot<double>(filters.Values, rows.Values));
    }

    /// <summary>Σ_I^½ K Σ_T^½.</summary>
    private double[] Weighted(ReadOnlySpan<double> kernel) =>
        Transposed(_channels.Weighted(Transposed(_places.Weighted(kernel.ToArray()), _inputs, _taps)), _taps, _inputs);

    /// <summary>Σ summed over equal places, and over equal channels; their product has the trace of Σ.</summary>
    private static (ChannelMetric, ChannelMetric) Separated(Tensor<double> covariance, int inputs, int taps)
    {
        int n = inputs * taps;
        Tensor<double> channels = new([inputs, inputs]),
            places = new([taps, taps]);
        double trace = 0;
        for (int i = 0; i < inputs; i++)
        for (int t = 0; t < taps; t++)
        {
            ReadOnlySpan<double> row = covariance.Values.Slice((i * taps + t) * n, n);
            trace += row[i * taps + t];
            for (int other = 0; other < inputs; other++)
                channels.Values[i * inputs + other] += row[other * taps + t];
            for (int other = 0; other < taps; other++)
                places.Values[t * taps + other] += row[i * taps + other];
        }
        if (trace > 0)
            TensorPrimitives.Divide(places.Values, trace, places.Values);
        return (ChannelMetric.From(channels), ChannelMetric.From(places));
    }

    private static double[] Transposed(double[] matrix, int rows, int columns)
    {
        double[] result = new double[matrix.Length];
        for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
            result[column * rows + row] = matrix[row * columns + column];
        return result;
    }

    private static void Multiply(
        int rows,
        int columns,
        int inner,
        ReadOnlySpan<double> a,
        int aRow,
        int aColumn,
        ReadOnlySpan<double> b,
        int bRow,
        int bColumn,
        Span<double> result,
        int stride
    ) => MatrixProduct.Multiply<double>(rows, columns, inner, 1, a, aRow, aColumn, b, bRow, bColumn, 0, result, stride, Workers.Serial);
}
