using System.Runtime.InteropServices;

namespace Tensorial.Operations;

/// <summary>x where positive, alpha x elsewhere</summary>
public sealed record LeakyRelu(float Alpha = 0.01f) : RealFunction
{
    /// <summary>A slope that is not negative keeps the sign, so that the result tells.</summary>
    private protected override bool SlopeFromResult => Alpha >= 0;

    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        T alpha = T.CreateChecked(Alpha);
        for (int i = 0; i < x.Length; i++)
            y[i] = x[i] < T.Zero ? alpha * x[i] : x[i];
    }

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        T alpha = T.CreateChecked(Alpha);
        for (int i = 0; i < at.Length; i++)
            slope[i] = at[i] > T.Zero ? T.One : alpha;
    }
}

/// <summary>x where above alpha, 0 elsewhere</summary>
public sealed record ThresholdedRelu(float Alpha = 1) : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        T alpha = T.CreateChecked(Alpha);
        for (int i = 0; i < x.Length; i++)
            y[i] = x[i] > alpha ? x[i] : T.Zero;
    }

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        T alpha = T.CreateChecked(Alpha);
        for (int i = 0; i < at.Length; i++)
            slope[i] = at[i] > alpha ? T.One : T.Zero;
    }
}

/// <summary>x where positive, alpha (exp x - 1) elsewhere</summary>
public sealed record Elu(float Alpha = 1) : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        T alpha = T.CreateChecked(Alpha);
        for (int i = 0; i < x.Length; i++)
            y[i] = x[i] < T.Zero ? alpha * T.ExpM1(x[i]) : x[i];
    }

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        T alpha = T.CreateChecked(Alpha);
        for (int i = 0; i < at.Length; i++)
            slope[i] = at[i] < T.Zero ? alpha * T.Exp(at[i]) : T.One;
    }
}

/// <summary>max(x, 0) + min(0, alpha (exp(x / alpha) - 1))</summary>
public sealed record Celu(float Alpha = 1) : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        T alpha = T.CreateChecked(Alpha);
        for (int i = 0; i < x.Length; i++)
            y[i] = x[i] < T.Zero ? alpha * T.ExpM1(x[i] / alpha) : x[i];
    }

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        T alpha = T.CreateChecked(Alpha);
        for (int i = 0; i < at.Length; i++)
            slope[i] = at[i] < T.Zero ? T.Exp(at[i] / alpha) : T.One;
    }
}

/// <summary>
/// gamma x where positive, gamma alpha (exp x - 1) elsewhere; the defaults keep mean 0 and variance 1 (Klambauer et al. 2017).
/// </summary>
public sealed record Selu(float Alpha = Selu.DefaultAlpha, float Gamma = Selu.DefaultGamma) : RealFunction
{
    internal const float DefaultAlpha = 1.67326319217681884765625f,
        DefaultGamma = 1.05070102214813232421875f;

    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        T alpha = T.CreateChecked(Alpha),
            gamma = T.CreateChecked(Gamma);
        for (int i = 0; i < x.Length; i++)
            y[i] = gamma * (x[i] > T.Zero ? x[i] : alpha * T.ExpM1(x[i]));
    }

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        T alpha = T.CreateChecked(Alpha),
            gamma = T.CreateChecked(Gamma);
        for (int i = 0; i < at.Length; i++)
            slope[i] = gamma * (at[i] > T.Zero ? T.One : alpha * T.Exp(at[i]));
    }
}

/// <summary>alpha x + beta, held between 0 and 1</summary>
public sealed record HardSigmoid(float Alpha = 0.2f, float Beta = 0.5f) : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        T alpha = T.CreateChecked(Alpha),
            beta = T.CreateChecked(Beta);
        for (int i = 0; i < x.Length; i++)
            y[i] = T.Clamp(alpha * x[i] + beta, T.Zero, T.One);
    }

    private protected override bool SlopeFromResult => true;

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        T alpha = T.CreateChecked(Alpha);
        for (int i = 0; i < at.Length; i++)
            slope[i] = at[i] > T.Zero && at[i] < T.One ? alpha : T.Zero;
    }
}

/// <summary>x times (x / 6 + 1 / 2 held between 0 and 1)</summary>
public sealed record HardSwish : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        T sixth = T.One / T.CreateChecked(6),
            half = T.CreateChecked(0.5);
        for (int i = 0; i < x.Length; i++)
            y[i] = x[i] * T.Clamp(sixth * x[i] + half, T.Zero, T.One);
    }

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        T three = T.CreateChecked(3),
            sixth = T.One / T.CreateChecked(6);
        for (int i = 0; i < at.Length; i++)
            slope[i] =
                at[i] < -three ? T.Zero
                : at[i] >= three ? T.One
                : sixth * (at[i] + at[i] + three);
    }
}

/// <summary>log(1 + exp x), written so that it does not overflow</summary>
public sealed record Softplus : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        for (int i = 0; i < x.Length; i++)
            y[i] = Of(x[i]);
    }

    internal static T Of<T>(T x)
        where T : System.Numerics.IBinaryFloatingPointIeee754<T> => T.Max(x, T.Zero) + T.LogP1(T.Exp(-T.Abs(x)));

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
            slope[i] = T.One / (T.One + T.Exp(-at[i]));
    }
}

/// <summary>x / (1 + |x|)</summary>
public sealed record Softsign : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        for (int i = 0; i < x.Length; i++)
            y[i] = x[i] / (T.One + T.Abs(x[i]));
    }

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
        {
            T size = T.One + T.Abs(at[i]);
            slope[i] = T.One / (size * size);
        }
    }
}

/// <summary>x tanh(log(1 + exp x))</summary>
public sealed record Mish : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        for (int i = 0; i < x.Length; i++)
            y[i] = x[i] * T.Tanh(Softplus.Of(x[i]));
    }

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        for (int i = 0; i < at.Length; i++)
        {
            T bent = T.Tanh(Softplus.Of(at[i]));
            slope[i] = bent + at[i] * (T.One - bent * bent) / (T.One + T.Exp(-at[i]));
        }
    }
}

/// <summary>x Φ(x), Φ the normal distribution function; with <paramref name="Tanh"/> its approximation by a hyperbolic tangent.</summary>
public sealed record Gelu(bool Tanh = false) : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        if (typeof(T) == typeof(float))
        {
            ReadOnlySpan<float> from = MemoryMarshal.Cast<T, float>(x);
            Span<float> to = MemoryMarshal.Cast<T, float>(y);
            if (Tanh)
                Kernels.Exponential.GeluTanh(from, to);
            else
                Kernels.Exponential.Gelu(from, to);
            return;
        }
        T half = T.CreateChecked(0.5),
            cubic = T.CreateChecked(0.044715);
        T scale = T.CreateChecked(Math.Sqrt(Tanh ? 2 / Math.PI : 0.5));
        for (int i = 0; i < x.Length; i++)
        {
            T bent = Tanh
                ? T.Tanh(scale * (x[i] + cubic * x[i] * x[i] * x[i]))
                : T.CreateChecked(Erf.Of(double.CreateChecked(scale * x[i])));
            y[i] = half * x[i] * (T.One + bent);
        }
    }

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        if (typeof(T) == typeof(float))
        {
            ReadOnlySpan<float> from = MemoryMarshal.Cast<T, float>(at);
            Span<float> to = MemoryMarshal.Cast<T, float>(slope);
            if (Tanh)
                Kernels.Exponential.GeluTanhSlope(from, to);
            else
                Kernels.Exponential.GeluSlope(from, to);
            return;
        }
        T half = T.CreateChecked(0.5),
            cubic = T.CreateChecked(0.044715),
            three = T.CreateChecked(3);
        T scale = T.CreateChecked(Math.Sqrt(Tanh ? 2 / Math.PI : 0.5)),
            density = T.CreateChecked(1 / Math.Sqrt(2 * Math.PI));
        for (int i = 0; i < at.Length; i++)
        {
            T x = at[i],
                square = x * x;
            T bent = Tanh ? T.Tanh(scale * (x + cubic * x * square)) : T.CreateChecked(Erf.Of(double.CreateChecked(scale * x)));
            T steep = Tanh ? half * (T.One - bent * bent) * scale * (T.One + three * cubic * square) : density * T.Exp(-half * square);
            slope[i] = half * (T.One + bent) + x * steep;
        }
    }
}

/// <summary>x + bias below -lambda, x - bias above lambda, 0 between</summary>
public sealed record Shrink(float Bias = 0, float Lambda = 0.5f) : RealFunction
{
    private protected override void Over<T>(ReadOnlySpan<T> x, Span<T> y)
    {
        T bias = T.CreateChecked(Bias),
            lambda = T.CreateChecked(Lambda);
        for (int i = 0; i < x.Length; i++)
            y[i] =
                x[i] < -lambda ? x[i] + bias
                : x[i] > lambda ? x[i] - bias
                : T.Zero;
    }

    private protected override void Slope<T>(ReadOnlySpan<T> at, Span<T> slope)
    {
        T lambda = T.CreateChecked(Lambda);
        for (int i = 0; i < at.Length; i++)
            slope[i] = T.Abs(at[i]) > lambda ? T.One : T.Zero;
    }
}
