namespace Tensorial.Compression.Int8;

/// <summary>How the range of an activation follows from the values that it took on the calibration samples.</summary>
internal enum RangeMethod
{
    /// <summary>From the smallest to the largest value.</summary>
    MinMax,

    /// <summary>The range outside which at most a given part of the values lies, as much of it below as above.</summary>
    Percentile,

    /// <summary>The range whose 256 steps have the least mean squared error on the values.</summary>
    Mse,
}

/// <summary>How a network is quantized.</summary>
internal sealed record QuantizationOptions
{
    /// <summary>Whether every output channel has a scale of its own for its weights, instead of one for the layer.</summary>
    public bool PerChannel { get; init; } = true;

    public RangeMethod Method { get; init; } = RangeMethod.Mse;

    /// <summary>The part of the values that <see cref="RangeMethod.Percentile"/> covers, 0 to 1.</summary>
    public double Covered { get; init; } = 0.9999;

    /// <summary>
    /// Whether weights use all of -127 to 127. Otherwise two that a processor multiplies together sum up to 128 at most, so that the 16-bit
    /// sums of x86 processors without VNNI instructions never saturate.
    /// </summary>
    public bool FullRange { get; init; }

    /// <summary>Whether biases make up for the mean error of the rounded weights and activations.</summary>
    public bool CorrectsBias { get; init; } = true;

    /// <summary>Threads to compute with.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}
