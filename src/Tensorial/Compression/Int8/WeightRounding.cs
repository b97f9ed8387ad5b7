namespace Tensorial.Compression.Int8;

/// <summary>Weights as 8-bit integers with sign and a scale for each output channel, or one for all.</summary>
/// <param name="Values">-127 to 127, in the shape of the weights.</param>
/// <param name="Scales">One number, or one for each channel: w = scale q.</param>
internal sealed record RoundedWeights(Tensor<sbyte> Values, Tensor<float> Scales)
{
    /// <summary>The numbers that the integers stand for.</summary>
    public Tensor<float> Restored(int axis)
    {
        Tensor<float> restored = new(Values.Shape);
        int inner = Values.Shape.ElementCountOf(axis + 1, Values.Shape.Rank),
            channels = Values.Shape[axis];
        for (int k = 0; k < restored.Values.Length; k++)
            restored.Values[k] = Values.Values[k] * Scales.Values[Scales.Shape.ElementCount == 1 ? 0 : k / inner % channels];
        return restored;
    }
}

/// <summary>Rounding of weights.</summary>
internal static class WeightRounding
{
    /// <summary>
    /// x86 processors without VNNI multiply bytes without sign by bytes with sign and add two neighbouring products in 16 bits (vpmaddubsw):
    /// 255 (|a| + |b|) stays below 32,768 for weights whose sum is at most this.
    /// </summary>
    private const int MostOfPair = 128;

    private const double LeastScale = 1e-30;

    /// <param name="weights">The weights.</param>
    /// <param name="axis">The axis that counts output channels.</param>
    /// <param name="perChannel">Whether each channel has a scale of its own.</param>
    /// <param name="neighbours">
    /// The order in which a runtime goes through the weights of a channel, as places within the channel; null where no two products share a
    /// 16-bit sum.
    /// </param>
    /// <param name="least">A scale that no channel's may be below, channel by channel; null for none.</param>
    public static RoundedWeights Apply(Tensor<float> weights, int axis, bool perChannel, int[]? neighbours, Func<int, double>? least = null)
    {
        (int channels, int inner) = (weights.Shape[axis], weights.Shape.ElementCountOf(axis + 1, weights.Shape.Rank));
        double[] scales = new double[channels];
        for (int channel = 0; channel < channels; channel++)
            scales[channel] = Math.Max(ScaleOf(Channel(weights, channels, inner, channel), neighbours), least?.Invoke(channel) ?? 0);
        float[] stored = perChannel ? Array.ConvertAll(scales, static scale => (float)scale) : [(float)scales.Max()];
        Tensor<sbyte> rounded = new(weights.Shape);
        for (int k = 0; k < rounded.Values.Length; k++)
        {
            float scale = stored[perChannel ? k / inner % channels : 0];
            rounded.Values[k] = (sbyte)Math.Clamp(MathF.Round(weights.Values[k] / scale), -sbyte.MaxValue, sbyte.MaxValue);
        }
        return new(rounded, new(perChannel ? [channels] : [], stored));
    }

    private static float[] Channel(Tensor<float> weights, int channels, int inner, int channel)
    {
        float[] values = new float[weights.Shape.ElementCount / channels];
        for (int k = 0; k < values.Length; k++)
            values[k] = weights.Values[(k / inner * channels + channel) * inner + k % inner];
        return values;
    }

    private static double ScaleOf(float[] values, int[]? neighbours)
    {
        double most = 0,
            pair = 0;
        foreach (float value in values)
            most = Math.Max(most, Math.Abs(value));
        for (int k = 1; neighbours is not null && k < neighbours.Length; k++)
            pair = Math.Max(pair, Math.Abs(values[neighbours[k - 1]]) + Math.Abs(values[neighbours[k]]));
        double scale = Math.Max(most / sbyte.MaxValue, LeastScale);
        // Both of a pair may be rounded up, by half a step each.
        return neighbours is null || pair == 0 ? scale : Math.Max(scale, pair / (MostOfPair - 1));
    }
}
