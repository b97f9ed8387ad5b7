using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Tensorial.Kernels;

namespace Tensorial.Operations;

/// <summary>
/// Batch normalisation while a network is trained: Y = scale (X - mean) / √(variance + Epsilon) + shift with mean and variance of every
/// channel over the batch itself (Ioffe and Szegedy 2015). Further results are the running mean and variance, moved towards those of the
/// batch: Momentum · old + (1 - Momentum) · new, the new variance dividing by n - 1, as PyTorch has it; then the mean of the batch and the
/// reciprocal 1 / √(variance + Epsilon), which the gradient reads.
/// </summary>
internal sealed record BatchNormalizationInTraining : FloatOperation
{
    public float Epsilon { get; init; } = 1e-5f;

    /// <summary>What is kept of the running statistics at each step.</summary>
    public float Momentum { get; init; } = 0.9f;

    /// <summary>Where several ranks share the batch and mean and variance are to be those of all of it; null for this rank's images alone.</summary>
    public RankSum? OverRanks { get; init; }

    internal override ImmutableArray<ValueInfo> Infer(ReadOnlySpan<ValueInfo?> inputs)
    {
        ValueInfo y = new BatchNormalization().Infer(inputs)[0];
        int channels = y.Shape.Rank > 1 ? y.Shape[1] : 1;
        if (y.Shape.ElementCount <= channels)
            throw new ShapeException($"a batch of shape {y.Shape} has one value a channel, which has no variance.");
        ValueInfo statistic = new(y.Type, [channels]);
        return [y, statistic, statistic, statistic, statistic];
    }

    private protected override void Forward<T>(ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> outputs, Workers workers)
    {
        Tensor<T> x = inputs[0]!.Of<T>(),
            y = outputs[0].Of<T>();
        Tensor<T> scale = inputs[1]!.Of<T>(),
            shift = inputs[2]!.Of<T>(),
            mean = inputs[3]!.Of<T>(),
            variance = inputs[4]!.Of<T>();
        Tensor<T>? newMean = outputs.Length > 1 ? outputs[1].Of<T>() : null,
            newVariance = outputs.Length > 2 ? outputs[2].Of<T>() : null,
            batchMean = outputs.Length > 3 ? outputs[3].Of<T>() : null,
            reciprocals = outputs.Length > 4 ? outputs[4].Of<T>() : null;
        (int images, int channels, int size) = Extents(x.Shape);
        T kept = T.CreateChecked(Momentum),
            taken = T.One - kept;
        T[] means = new T[channels],
            variances = new T[channels];
        workers.For(channels, channel => (means[channel], variances[channel]) = OfChannel(x, channel));
        T count = T.CreateChecked(OverRanks is null ? images * size : Join(means, variances, mean.Values, images * size));
        workers.For(
            channels,
            channel =>
            {
                (T m, T v) = (means[channel], variances[channel]);
                T reciprocal = T.One / T.Sqrt(v + T.CreateChecked(Epsilon)),
                    factor = scale.Values[channel] * reciprocal;
                for (int image = 0; image < images; image++)
                {
                    Span<T> target = y.Values.Slice((image * channels + channel) * size, size);
                    TensorPrimitives.Subtract(x.Values.Slice((image * channels + channel) * size, size), m, target);
                    TensorPrimitives.Multiply(target, factor, target);
                    TensorPrimitives.Add(target, shift.Values[channel], target);
                }
                if (batchMean is not null)
                    batchMean.Values[channel] = m;
                if (reciprocals is not null)
                    reciprocals.Values[channel] = reciprocal;
                if (newMean is not null)
                    newMean.Values[channel] = kept * mean.Values[channel] + taken * m;
                if (newVariance is not null)
                    newVariance.Values[channel] = kept * variance.Values[channel] + taken * v * count / (count - T.One);
            }
        );
    }

    internal override Reads? GradientReads(int input) =>
        input switch
        {
            0 => Reads.Input(0) | Reads.Input(1) | Reads.Output(3) | Reads.Output(4),
            1 => Reads.Input(0) | Reads.Output(3) | Reads.Output(4),
            2 => Reads.Nothing,
            _ => null,
        };

    private protected override void Backward<T>(in Pullback<T> pull, Workers workers)
    {
        Tensor<T> dy = pull.Dy;
        Tensor<T>? dx = pull.Gradient(0),
            scale = pull.Gradient(1),
            shift = pull.Gradient(2);
        if (shift is not null)
            ChannelPlanes.AddSums(dy, shift);
        if (dx is null && scale is null)
            return;
        Tensor<T> x = pull.Input(0);
        Tensor<T>? factors = dx is null ? null : pull.Input(1);
        Tensor<T> means = pull.Output(3),
            reciprocals = pull.Output(4);
        (int images, int channels, int size) = Extents(x.Shape);
        double[]? sums = dx is null || OverRanks is null ? null : GradientSums(x, dy, means.Values);
        workers.For(
            channels,
            channel =>
            {
                // A channel's values side by side, so that it is one line to normalise.
                T[] values = new T[images * size],
                    upstream = new T[values.Length];
                for (int image = 0; image < images; image++)
                {
                    x.Values.Slice((image * channels + channel) * size, size).CopyTo(values.AsSpan(image * size));
                    dy.Values.Slice((image * channels + channel) * size, size).CopyTo(upstream.AsSpan(image * size));
                }
                (T m, T reciprocal) = (means.Values[channel], reciprocals.Values[channel]);
                if (scale is not null)
                {
                    T along = T.Zero;
                    for (int i = 0; i < values.Length; i++)
                        along += upstream[i] * (values[i] - m) * reciprocal;
                    scale.Values[channel] += along;
                }
                if (dx is null)
                    return;
                TensorPrimitives.Multiply(upstream, factors!.Values[channel], upstream);
                T[] back = new T[values.Length];
                if (sums is null)
                    Moments.Back<T>(values, upstream, m, reciprocal, reciprocal * reciprocal * reciprocal, back);
                else
                {
                    T average = T.CreateChecked(sums[channel] / sums[^1]) * factors.Values[channel],
                        along = T.CreateChecked(sums[channels + channel] / sums[^1]) * factors.Values[channel] * reciprocal * reciprocal;
                    for (int i = 0; i < values.Length; i++)
                        back[i] = reciprocal * (upstream[i] - average - (values[i] - m) * along);
                }
                for (int image = 0; image < images; image++)
                {
                    Span<T> sums = dx.Values.Slice((image * channels + channel) * size, size);
                    TensorPrimitives.Add(sums, back.AsSpan(image * size, size), sums);
                }
            }
        );
    }

    /// <summary>Makes this rank's means and variances those of all ranks' images, through sums about the running mean.</summary>
    /// <returns>Values that a channel has on all ranks.</returns>
    private double Join<T>(T[] means, T[] variances, ReadOnlySpan<T> pivots, double count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int channels = means.Length;
        double[] sums = new double[2 * channels + 1];
        sums[^1] = count;
        for (int c = 0; c < channels; c++)
        {
            double offset = double.CreateChecked(means[c] - pivots[c]);
            (sums[c], sums[channels + c]) = (count * offset, count * (double.CreateChecked(variances[c]) + offset * offset));
        }
        OverRanks!(sums);
        for (int c = 0; c < channels; c++)
        {
            double offset = sums[c] / sums[^1];
            means[c] = pivots[c] + T.CreateChecked(offset);
            variances[c] = T.CreateChecked(Math.Max(0, sums[channels + c] / sums[^1] - offset * offset));
        }
        return sums[^1];
    }

    /// <summary>By channel Σ dy, then Σ dy (x - mean), then the values a channel has, all over all ranks.</summary>
    private double[] GradientSums<T>(Tensor<T> x, Tensor<T> dy, ReadOnlySpan<T> means)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int images, int channels, int size) = Extents(x.Shape);
        double[] sums = new double[2 * channels + 1];
        sums[^1] = (double)images * size;
        for (int plane = 0; plane < images * channels; plane++)
        {
            int channel = plane % channels;
            for (int i = plane * size; i < (plane + 1) * size; i++)
            {
                sums[channel] += double.CreateChecked(dy.Values[i]);
                sums[channels + channel] += double.CreateChecked(dy.Values[i] * (x.Values[i] - means[channel]));
            }
        }
        OverRanks!(sums);
        return sums;
    }

    private static (int Images, int Channels, int Size) Extents(Shape shape) =>
        (shape[0], shape.Rank > 1 ? shape[1] : 1, shape.Rank > 2 ? shape.ElementCountOf(2, shape.Rank) : 1);

    /// <summary>Mean and variance of one channel, in two passes.</summary>
    private static (T Mean, T Variance) OfChannel<T>(Tensor<T> x, int channel)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int images, int channels, int size) = Extents(x.Shape);
        T count = T.CreateChecked(images * size),
            mean = T.Zero,
            squares = T.Zero;
        for (int image = 0; image < images; image++)
            mean += TensorPrimitives.Sum<T>(x.Values.Slice((image * channels + channel) * size, size));
        mean /= count;
        for (int image = 0; image < images; image++)
            foreach (T value in x.Values.Slice((image * channels + channel) * size, size))
                squares += (value - mean) * (value - mean);
        return (mean, squares / count);
    }
}
