using System.Collections.Immutable;
using System.Numerics.Tensors;

namespace Tensorial.Training.Optimizers;

/// <summary>
/// Stochastic gradient descent with momentum, as PyTorch has it: v ← momentum · v + g + decay · w; w ← w - rate · v, or, after Nesterov,
/// w ← w - rate · (g + decay · w + momentum · v).
/// </summary>
public sealed class Sgd(double momentum = 0.9, bool nesterov = false) : Optimizer
{
    /// <inheritdoc/>
    protected override ImmutableArray<string> State => ["velocity"];

    /// <inheritdoc/>
    protected override void Step(Span<float> w, Span<float> g, ImmutableArray<Tensor<float>> memory, double learningRate, double decay)
    {
        Span<float> v = memory[0].Values;
        if (decay != 0)
            TensorPrimitives.MultiplyAdd(w, (float)decay, g, g);
        TensorPrimitives.MultiplyAdd(v, (float)momentum, g, v);
        if (nesterov)
            TensorPrimitives.MultiplyAdd(v, (float)momentum, g, g);
        TensorPrimitives.MultiplyAdd(nesterov ? g : v, (float)-learningRate, w, w);
    }
}
