using System.Collections.Immutable;

namespace Tensorial.Training.Optimizers;

/// <summary>
/// Adam (Kingma and Ba 2015): steps of rate · m̂ / (√v̂ + ε) along running means m of the gradient and v of its square, both corrected for
/// having started at 0. Decay is part of the gradient or, where decoupled (AdamW, Loshchilov and Hutter 2019), shrinks weights by itself: w
/// ← w - rate · decay · w.
/// </summary>
public sealed class Adam(double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, bool decoupled = false) : Optimizer
{
    /// <inheritdoc/>
    protected override ImmutableArray<string> State => ["mean", "square"];

    /// <inheritdoc/>
    protected override void Step(Span<float> w, Span<float> g, ImmutableArray<Tensor<float>> memory, double learningRate, double decay)
    {
        Span<float> m = memory[0].Values,
            v = memory[1].Values;
        float b1 = (float)beta1,
            b2 = (float)beta2,
            coupled = decoupled ? 0 : (float)decay,
            shrink = decoupled ? (float)(1 - learningRate * decay) : 1;
        float rate = (float)(learningRate / (1 - Math.Pow(beta1, Steps))),
            correction = (float)(1 / Math.Sqrt(1 - Math.Pow(beta2, Steps))),
            guard = (float)epsilon;
        for (int i = 0; i < w.Length; i++)
        {
            float slope = g[i] + coupled * w[i];
            m[i] = b1 * m[i] + (1 - b1) * slope;
            v[i] = b2 * v[i] + (1 - b2) * slope * slope;
            w[i] = shrink * w[i] - rate * m[i] / (MathF.Sqrt(v[i]) * correction + guard);
        }
    }
}
