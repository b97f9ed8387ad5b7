namespace Tensorial.Compression.Int8;

/// <summary>How 8 bits without sign stand for numbers: x = scale (q - zero point).</summary>
/// <param name="Scale">The step between neighbours.</param>
/// <param name="ZeroPoint">What stands for 0, which is always exact: padding and absent values are zeros.</param>
internal readonly record struct ActivationScale(float Scale, byte ZeroPoint)
{
    /// <summary>Smaller steps have no normal reciprocal in float32.</summary>
    private const double LeastScale = 1e-30;

    /// <summary>The scale whose 256 steps reach over a range and 0.</summary>
    public static ActivationScale Over(double least, double most)
    {
        (least, most) = (Math.Min(least, 0), Math.Max(most, 0));
        float scale = (float)Math.Max((most - least) / byte.MaxValue, LeastScale);
        return most == least ? new(1, 0) : new(scale, (byte)Math.Clamp(Math.Round(-least / scale), 0, byte.MaxValue));
    }

    /// <summary>The number that stands for a value, as QuantizeLinear and DequantizeLinear make it.</summary>
    public float Rounded(float value) => Scale * (Math.Clamp(MathF.Round(value / Scale) + ZeroPoint, 0, byte.MaxValue) - ZeroPoint);
}
