using Tensorial.Kernels.Blocked;

namespace Tensorial.Tests.Kernels.Blocked;

/// <summary>Activations as their definitions read, in double precision.</summary>
internal static class ActivationFormula
{
    public static double Of(Activation activation, double x) =>
        activation.Kind switch
        {
            ActivationKind.Relu => Math.Max(x, 0),
            ActivationKind.Clip => Math.Min(Math.Max(x, activation.Low), activation.High),
            ActivationKind.LeakyRelu => x < 0 ? activation.Low * x : x,
            ActivationKind.Sigmoid => 1 / (1 + Math.Exp(-x)),
            ActivationKind.HardSigmoid => Math.Clamp(activation.Low * x + activation.High, 0, 1),
            ActivationKind.HardSwish => x * Math.Clamp(x / 6 + 0.5, 0, 1),
            ActivationKind.Silu => x / (1 + Math.Exp(-x)),
            ActivationKind.Tanh => Math.Tanh(x),
            _ => x,
        };
}
