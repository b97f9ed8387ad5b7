using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Decompositions;

/// <summary>
/// A kernel W [o, i·t] as filters D of its input channels and a mix P, W ≈ Σᵢ Pᵢ Dᵢ, in the measure ‖(W - PD) Σ^½‖, improved block by
/// block. For one channel with all others held, the best pair of a rank is the truncated singular value decomposition of what is left to it
/// in its own metric Σᵢᵢ; for all filters held, the best mix solves normal equations. The squared error never rises.
/// </summary>
internal sealed class DecoupledInput
{
    private readonly double[] _target;
    private readonly Tensor<double>? _covariance;
    private readonly int _outputs,
        _inputs,
        _taps,
        _columns;
    private readonly int[] _ranks;
    private readonly ChannelMetric[] _metrics;

    /// <summary>For each channel Pᵢ [o, r] and Dᵢ [r, t].</summary>
    private readonly double[][] _mixes,
        _filters;

    /// <summary>W - P D, and that times Σ.</summary>
    private readonly double[] _gap,
        _gapTimesCovariance,
        _targetTimesCovariance;

    public DecoupledInput(ReadOnlySpan<double> kernel, Tensor<double>? covariance, int outputs, int inputs, int taps, int[] ranks)
    {
        (_target, _covariance, _outputs, _inputs, _taps, _ranks) = (kernel.ToArray(), covariance, outputs, inputs, taps, ranks);
        _columns = inputs * taps;
        _metrics = [.. Enumerable.Range(0, inputs).Select(i => ChannelMetric.From(covariance, i, taps))];
        _mixes = [.. ranks.Select(rank => new double[outputs * rank])];
        _filters = [.. ranks.Select(rank => new double[rank * taps])];
        _gap = [.. _target];
        _gapTimesCovariance = [.. _target];
        if (covariance is not null)
            Product(_outputs, _columns, _columns, 1, _gap, covariance.Values, 0, _gapTimesCovariance);
        _targetTimesCovariance = [.. _gapTimesCovariance];
    }

    /// <summary>Squared singular values of every channel in its own metric, descending.</summary>
    public static double[][] Energies(ReadOnlySpan<double> kernel, Tensor<double>? covariance, int outputs, int inputs, int taps)
    {
        double[][] energies = new double[inputs][];
        for (int i = 0; i < inputs; i++)
            energies[i] = SmallSvd
                .From(ChannelMetric.From(covariance, i, taps).Weighted(Channel(kernel, i, outputs, inputs * taps, taps)), outputs, taps)
                .Energies;
        return energies;
    }

    /// <summary>⟨W - PD, (W - PD) Σ⟩.</summary>
    public double Error() => TensorPrimitives.Dot<double>(_gap, _gapTimesCovariance);

    /// <summary>Filters [i, r, t] to begin with, and the best mix for them.</summary>
    public void StartFrom(Tensor<double> filters)
    {
        int most = filters.Shape[1];
        for (int i = 0; i < _inputs; i++)
            filters.Values.Slice(i * most * _taps, _ranks[i] * _taps).CopyTo(_filters[i]);
        SolveMix();
    }

    /// <summary>Every channel once: its filters and its part of the mix together.</summary>
    public void Sweep()
    {
        for (int i = 0; i < _inputs; i++)
        {
            ChannelMetric metric = _metrics[i];
            int rank = _ranks[i];
            if (rank == 0)
                continue;
            // What is left to this channel: the gap as its metric sees it, and what it makes now.
            double[] made = Made(i),
                wanted = Channel(_gapTimesCovariance, i, _outputs, _columns, _taps);
            TensorPrimitives.Add<double>(metric.Unweighted(wanted), metric.Weighted(made), wanted);
            SmallSvd svd = SmallSvd.From(wanted, _outputs, _taps);
            // P = Y V and D = Vᵀ Σᵢᵢ^-½.
            double[] vectors = svd.Leading(rank);
            Product(_outputs, rank, _taps, 1, wanted, vectors, 0, _mixes[i]);
            for (int r = 0; r < rank; r++)
            {
                double[] row = new double[_taps];
                for (int t = 0; t < _taps; t++)
                    row[t] = vectors[t * rank + r];
                metric.Unweighted(row).CopyTo(_filters[i], r * _taps);
            }
            double[] change = Made(i);
            TensorPrimitives.Subtract<double>(change, made, change);
            Subtract(i, change);
        }
    }

    /// <summary>The best mix for the filters as they are.</summary>
    public void SolveMix()
    {
        int count = _ranks.Sum();
        Tensor<double> normal = new([count, count]),
            rows = new([_outputs, count]);
        double[] seen = new double[count * _columns];
        ReadOnlySpan<double> covariance = _covariance!.Values;
        for (int i = 0, at = 0; i < _inputs; at += _ranks[i], i++)
            Product(_ranks[i], _columns, _taps, 1, _filters[i], covariance[(i * _taps * _columns)..], 0, seen.AsSpan(at * _columns));
        for (int i = 0, at = 0; i < _inputs; at += _ranks[i], i++)
        {
            if (_ranks[i] == 0)
                continue;
            TimesFilters(count, seen, i, normal.Values[at..], count);
            TimesFilters(_outputs, _targetTimesCovariance, i, rows.Values[at..], count);
        }
        Tensor<double> mix = NormalEquations.Solve(normal, rows, Workers.Serial);
        _target.CopyTo(_gap, 0);
        _targetTimesCovariance.CopyTo(_gapTimesCovariance, 0);
        Product(_outputs, _columns, count, -1, mix.Values, seen, 1, _gapTimesCovariance);
        for (int i = 0, at = 0; i < _inputs; at += _ranks[i], i++)
        {
            for (int o = 0; o < _outputs; o++)
                mix.Values.Slice(o * count + at, _ranks[i]).CopyTo(_mixes[i].AsSpan(o * _ranks[i]));
            Add(_gap, i, Made(i), -1);
        }
    }

    /// <summary>Filters [i, r, t] and mix [o, i, r], zeros beyond each channel's rank, and the largest rank.</summary>
    public (double[] Filters, double[] Mix, int Most) Padded()
    {
        int most = Math.Max(1, _ranks.Max());
        double[] filters = new double[_inputs * most * _taps],
            mix = new double[_outputs * _inputs * most];
        for (int i = 0; i < _inputs; i++)
        {
            _filters[i].CopyTo(filters, i * most * _taps);
            for (int o = 0; o < _outputs; o++)
                _mixes[i].AsSpan(o * _ranks[i], _ranks[i]).CopyTo(mix.AsSpan((o * _inputs + i) * most));
        }
        return (filters, mix, most);
    }

    /// <summary>Pᵢ Dᵢ [o, t].</summary>
    private double[] Made(int channel)
    {
        double[] made = new double[_outputs * _taps];
        Product(_outputs, _taps, _ranks[channel], 1, _mixes[channel], _filters[channel], 0, made);
        return made;
    }

    /// <summary>Takes a change of one channel's kernel off the gap.</summary>
    private void Subtract(int channel, double[] change)
    {
        Add(_gap, channel, change, -1);
        if (_covariance is null)
            Add(_gapTimesCovariance, channel, change, -1);
        else
            Product(_outputs, _columns, _taps, -1, change, _covariance.Values[(channel * _taps * _columns)..], 1, _gapTimesCovariance);
    }

    private void Add(double[] rows, int channel, double[] values, double sign)
    {
        for (int o = 0; o < _outputs; o++)
        for (int t = 0; t < _taps; t++)
            rows[o * _columns + channel * _taps + t] += sign * values[o * _taps + t];
    }

    /// <summary>A channel's columns of some rows times its filters: [rows, t] Dᵢᵀ.</summary>
    private void TimesFilters(int rows, double[] values, int channel, Span<double> result, int stride) =>
        MatrixProduct.Multiply<double>(
            rows,
            _ranks[channel],
            _taps,
            1,
            values.AsSpan(channel * _taps),
            _columns,
            1,
            _filters[channel],
            1,
            _taps,
            0,
            result,
            stride,
            Workers.Serial
        );

    private static double[] Channel(ReadOnlySpan<double> rows, int channel, int outputs, int columns, int taps)
    {
        double[] own = new double[outputs * taps];
        for (int o = 0; o < outputs; o++)
            rows.Slice(o * columns + channel * taps, taps).CopyTo(own.AsSpan(o * taps));
        return own;
    }

    private static void Product(
        int rows,
        int columns,
        int inner,
        double scale,
        ReadOnlySpan<double> a,
        ReadOnlySpan<double> b,
        double keep,
        Span<double> result
    )
    {
        if (inner > 0)
            MatrixProduct.Multiply<double>(rows, columns, inner, scale, a, inner, 1, b, columns, 1, keep, result, columns, Workers.Serial);
    }
}
