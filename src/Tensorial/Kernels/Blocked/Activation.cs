namespace Tensorial.Kernels.Blocked;

/// <summary>The function an <see cref="Activation"/> applies.</summary>
internal enum ActivationKind
{
    /// <summary>x.</summary>
    None,

    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>min(max(x, low), high).</summary>
    Clip,

    /// <summary>x where positive, slope · x elsewhere.</summary>
    LeakyRelu,

    /// <summary>1 / (1 + exp(-x)).</summary>
    Sigmoid,

    /// <summary>min(max(α x + β, 0), 1).</summary>
    HardSigmoid,

    /// <summary>x · min(max(x / 6 + 1/2, 0), 1).</summary>
    HardSwish,

    /// <summary>x / (1 + exp(-x)), also called Swish.</summary>
    Silu,

    /// <summary>tanh(x).</summary>
    Tanh,

    /// <summary>x Φ(x), Φ the normal distribution function.</summary>
    Gelu,

    /// <summary>Its approximation x (1 + tanh(√(2 / π) (x + 0.044715 x³))) / 2.</summary>
    GeluTanh,

    /// <summary>round(min(max(x / scale, low), high)) · scale.</summary>
    Grid,
}

/// <summary>A function of one value, applied as a result is stored. NaN stays NaN.</summary>
/// <param name="Kind">Which function.</param>
/// <param name="Low">Lower bound of Clip; slope for negative values of LeakyRelu; α of HardSigmoid; least integer of Grid.</param>
/// <param name="High">Upper bound of Clip; β of HardSigmoid; largest integer of Grid.</param>
/// <param name="Scale">Width of Grid.</param>
internal readonly record struct Activation(ActivationKind Kind, float Low = 0, float High = 0, float Scale = 1)
{
    public static Activation None => default;

    public static Activation Relu => new(ActivationKind.Relu);

    public static Activation Sigmoid => new(ActivationKind.Sigmoid);

    public static Activation HardSwish => new(ActivationKind.HardSwish);

    public static Activation Silu => new(ActivationKind.Silu);

    public static Activation Tanh => new(ActivationKind.Tanh);

    public static Activation Gelu => new(ActivationKind.Gelu);

    public static Activation GeluTanh => new(ActivationKind.GeluTanh);

    public static Activation Clip(float low, float high) => new(ActivationKind.Clip, low, high);

    public static Activation LeakyRelu(float slope) => new(ActivationKind.LeakyRelu, slope);

    public static Activation HardSigmoid(float alpha, float beta) => new(ActivationKind.HardSigmoid, alpha, beta);

    public static Activation Grid(float scale, float low, float high) => new(ActivationKind.Grid, low, high, scale);
}
