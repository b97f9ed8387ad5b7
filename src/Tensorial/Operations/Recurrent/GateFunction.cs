using System.Numerics;

namespace Tensorial.Operations;

/// <summary>A function of one value inside a recurrent layer, by the name that ONNX gives it.</summary>
/// <param name="Name">Sigmoid, Tanh, Relu, Affine, LeakyRelu, ThresholdedRelu, ScaledTanh, HardSigmoid, Elu, Softsign or Softplus.</param>
/// <param name="Alpha">First parameter of those that have any.</param>
/// <param name="Beta">Second parameter.</param>
public readonly record struct GateFunction(string Name, float Alpha = 0, float Beta = 0)
{
    private static readonly (string Name, float Alpha, float Beta)[] Known =
    [
        ("Sigmoid", 0, 0),
        ("Tanh", 0, 0),
        ("Relu", 0, 0),
        ("Affine", 1, 0),
        ("LeakyRelu", 0.01f, 0),
        ("ThresholdedRelu", 1, 0),
        ("ScaledTanh", 1, 1),
        ("HardSigmoid", 0.2f, 0.5f),
        ("Elu", 1, 0),
        ("Softsign", 0, 0),
        ("Softplus", 0, 0),
    ];

    /// <summary>The function of a name, with its own parameters where none are given.</summary>
    /// <exception cref="BadInputException">There is no such function.</exception>
    public static GateFunction From(string name, float? alpha = null, float? beta = null)
    {
        foreach ((string known, float a, float b) in Known)
            if (known.Equals(name, StringComparison.OrdinalIgnoreCase))
                return new(known, alpha ?? a, beta ?? b);
        throw new BadInputException(
            $"Attribute 'activations' has '{name}'; it may be {string.Join(", ", Known.Select(static k => k.Name))}."
        );
    }

    /// <summary>How many parameters the function takes from the lists of the node.</summary>
    public (bool Alpha, bool Beta) Takes =>
        Name switch
        {
            "Affine" or "ScaledTanh" or "HardSigmoid" => (true, true),
            "LeakyRelu" or "ThresholdedRelu" or "Elu" => (true, false),
            _ => (false, false),
        };

    /// <summary>x becomes f(x).</summary>
    internal void Apply<T>(Span<T> x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (Name)
        {
            case "Sigmoid":
                Kernels.Exponential.Sigmoid<T>(x, x);
                return;
            case "Tanh":
                Kernels.Exponential.Tanh<T>(x, x);
                return;
        }
        (T alpha, T beta) = (T.CreateChecked(Alpha), T.CreateChecked(Beta));
        foreach (ref T value in x)
            value = Name switch
            {
                "Relu" => T.Max(value, T.Zero),
                "Affine" => alpha * value + beta,
                "LeakyRelu" => value >= T.Zero ? value : alpha * value,
                "ThresholdedRelu" => value > alpha ? value : T.Zero,
                "ScaledTanh" => alpha * T.Tanh(beta * value),
                "HardSigmoid" => T.Clamp(alpha * value + beta, T.Zero, T.One),
                "Elu" => value >= T.Zero ? value : alpha * (T.Exp(value) - T.One),
                "Softsign" => value / (T.One + T.Abs(value)),
                _ => T.Max(value, T.Zero) + T.LogP1(T.Exp(-T.Abs(value))),
            };
    }

    /// <summary>f'(x) from y = f(x), which says enough for all of them.</summary>
    internal T Slope<T>(T y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (T alpha, T beta) = (T.CreateChecked(Alpha), T.CreateChecked(Beta));
        return Name switch
        {
            "Sigmoid" => y * (T.One - y),
            "Tanh" => T.One - y * y,
            "Relu" or "ThresholdedRelu" => y > T.Zero ? T.One : T.Zero,
            "Affine" => alpha,
            "LeakyRelu" => y >= T.Zero ? T.One : alpha,
            "ScaledTanh" => beta * (alpha - y * y / alpha),
            "HardSigmoid" => y > T.Zero && y < T.One ? alpha : T.Zero,
            "Elu" => y >= T.Zero ? T.One : y + alpha,
            "Softsign" => (T.One - T.Abs(y)) * (T.One - T.Abs(y)),
            _ => T.One - T.Exp(-y),
        };
    }
}
