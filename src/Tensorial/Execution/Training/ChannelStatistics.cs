using Tensorial.Kernels.Blocked;
using Tensorial.Operations;

namespace Tensorial.Execution;

/// <summary>Sums by channel, in double precision, gathered by lanes and joined in their order.</summary>
/// <param name="layout">The feature map.</param>
/// <param name="lanes">Lanes of the batch.</param>
/// <param name="kinds">Sums for each channel.</param>
internal sealed class ChannelSums(BlockedLayout layout, int lanes, int kinds = 1)
{
    private readonly int _length = kinds * layout.Blocks * BlockedLayout.Lanes;
    private readonly double[] _sums = new double[lanes * kinds * layout.Blocks * BlockedLayout.Lanes];

    /// <summary>The sums of a piece's lane.</summary>
    public Span<double> Of(Piece piece)
    {
        Span<double> own = _sums.AsSpan(piece.Lane * _length, _length);
        if (piece.Begins)
            own.Clear();
        return own;
    }

    /// <summary>One sum over all lanes.</summary>
    public double Joined(int kind, int channel)
    {
        double sum = 0;
        for (int lane = 0; lane < lanes; lane++)
            sum += _sums[lane * _length + kind * layout.Blocks * BlockedLayout.Lanes + channel];
        return sum;
    }

    /// <summary>Adds the first sums to a gradient by channel, where one is wanted.</summary>
    public void JoinInto(Tensor<float>? gradient)
    {
        for (int channel = 0; channel < gradient?.Shape.Count; channel++)
            gradient.Values[channel] += (float)Joined(0, channel);
    }
}

/// <summary>What one batch normalisation knows of a batch on its way forward and back.</summary>
/// <param name="layout">The feature map, of the whole batch.</param>
/// <param name="parameters">Scale, shift, running mean and running variance.</param>
/// <param name="norm">The operation.</param>
/// <param name="lanes">Lanes of the batch.</param>
internal sealed class ChannelStatistics(BlockedLayout layout, Tensor<float>[] parameters, BatchNormalizationInTraining norm, int lanes)
{
    private readonly ChannelSums _sums = new(layout, lanes, kinds: 2);
    private readonly float[] _pivot = Padded(layout),
        _mean = Padded(layout),
        _reciprocal = Padded(layout);
    private readonly double _count = (double)layout.Images * layout.Height * layout.Width;

    /// <summary>The step that gathers the moments.</summary>
    public TrainingStep? Gathered { get; set; }

    /// <summary>y = Scale x + Shift.</summary>
    public float[] Scale { get; } = Padded(layout);

    public float[] Shift { get; } = Padded(layout);

    /// <summary>dx = A dy + B x + C.</summary>
    public float[] A { get; } = Padded(layout);

    public float[] B { get; } = Padded(layout);

    public float[] C { get; } = Padded(layout);

    /// <summary>
    /// Before a batch: sums will be taken about the running mean, so that a mean far from 0 costs the variance no digits.
    /// </summary>
    public void Prepare() => parameters[2].Values.CopyTo(_pivot);

    public void AddMoments(ReadOnlySpan<float> x, BlockedLayout images, Piece piece) =>
        BlockedNormalization.AddMoments(x, images, _pivot, _sums.Of(piece));

    /// <summary>Mean and variance of the batch, and what the running ones become.</summary>
    public void Join(Span<float> runningMean, Span<float> runningVariance)
    {
        for (int c = 0; c < layout.Channels; c++)
        {
            double offset = _sums.Joined(0, c) / _count,
                mean = _pivot[c] + offset;
            double variance = Math.Max(0, _sums.Joined(1, c) / _count - offset * offset),
                reciprocal = 1 / Math.Sqrt(variance + norm.Epsilon);
            double scale = parameters[0].Values[c] * reciprocal;
            (_mean[c], _reciprocal[c]) = ((float)mean, (float)reciprocal);
            (Scale[c], Shift[c]) = ((float)scale, (float)(parameters[1].Values[c] - scale * mean));
            runningMean[c] = (float)(norm.Momentum * parameters[2].Values[c] + (1 - norm.Momentum) * mean);
            runningVariance[c] = (float)(
                norm.Momentum * parameters[3].Values[c] + (1 - norm.Momentum) * variance * _count / Math.Max(1, _count - 1)
            );
        }
    }

    public void AddGradientSums(
        Span<float> dy,
        BlockedLayout upstreamLayout,
        ReadOnlySpan<float> y,
        BlockedLayout resultLayout,
        ReadOnlySpan<float> x,
        BlockedLayout inputLayout,
        Piece piece
    ) => BlockedNormalization.AddGradientSums(dy, upstreamLayout, y, resultLayout, x, inputLayout, _mean, _sums.Of(piece));

    /// <summary>
    /// dx = γ r (dy - mean dy - x̂ mean(dy x̂)), with x̂ = (x - mean) r; the two means give the gradients of γ and of the shift.
    /// </summary>
    public void JoinGradient(Tensor<float>? scaleGradient, Tensor<float>? shiftGradient)
    {
        for (int c = 0; c < layout.Channels; c++)
        {
            double shift = _sums.Joined(0, c),
                scale = _sums.Joined(1, c) * _reciprocal[c],
                factor = parameters[0].Values[c] * _reciprocal[c];
            double slope = -factor * _reciprocal[c] * scale / _count;
            (A[c], B[c], C[c]) = ((float)factor, (float)slope, (float)(-factor * shift / _count - slope * _mean[c]));
            if (scaleGradient is not null)
                scaleGradient.Values[c] += (float)scale;
            if (shiftGradient is not null)
                shiftGradient.Values[c] += (float)shift;
        }
    }

    private static float[] Padded(BlockedLayout layout) => new float[layout.Blocks * BlockedLayout.Lanes];
}
