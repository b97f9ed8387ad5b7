using System.Numerics;

namespace Tensorial.Operations;

internal static class PNorms
{
    /// <summary>∂‖x‖ₚ/∂xᵢ = sign(xᵢ) (|xᵢ| / ‖x‖ₚ)^(p-1), and 0 where all are 0.</summary>
    public static T Slope<T>(T x, T norm, int p)
        where T : IBinaryFloatingPointIeee754<T> =>
        T.IsZero(norm) ? T.Zero : T.CreateChecked(T.Sign(x)) * T.Pow(T.Abs(x) / norm, T.CreateChecked(p - 1));
}
