namespace Tensorial.Kernels.Blocked;

public enum ActivationKind { None, Relu, Clip, LeakyRelu }

/// <summary>What a convolution does to a sum before it stores it.</summary>
/// <param name="Kind">Which function.</param>
/// <param name="Low">Lower bound of Clip; slope for negative values of LeakyRelu.</param>
/// <param name="High">Upper bound of Clip.</param>
public readonly record struct Activation(ActivationKind Kind, float Low = 0, float High = 0)
{
    public static Activation None => default;

    public static Activation Relu => new(ActivationKind.Relu);

    public static Activation Clip(float low, float high) => new(ActivationKind.Clip, low, high);

    public static Activation LeakyRelu(float slope) => new(ActivationKind.LeakyRelu, slope);
}
