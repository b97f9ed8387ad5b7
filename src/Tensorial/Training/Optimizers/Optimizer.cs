using System.Collections.Immutable;
using Tensorial.Execution;

namespace Tensorial.Training.Optimizers;

/// <summary>By how much weights are pulled to 0 at every step, for each of their roles. Usually kernels only.</summary>
public readonly record struct WeightDecay(double Kernels, double Biases = 0, double Normalizations = 0)
{
    /// <summary>The factor for weights of a role.</summary>
    public double Of(WeightRole role) =>
        role switch
        {
            WeightRole.Kernel => Kernels,
            WeightRole.Bias => Biases,
            _ => Normalizations,
        };

    /// <summary>The same for all weights, as PyTorch does where nobody says otherwise.</summary>
    public static WeightDecay Everywhere(double decay) => new(decay, decay, decay);
}

/// <summary>An optimizer: its update rule, and its state for each weight.</summary>
public abstract class Optimizer
{
    private readonly Dictionary<string, ImmutableArray<Tensor<float>>> _memory = [];

    /// <summary>Steps taken.</summary>
    public int Steps { get; private set; }

    /// <summary>Weight decay (L2).</summary>
    public WeightDecay Decay { get; init; }

    /// <summary>Numbers remembered of every weight.</summary>
    public int StateTensors => State.Length;

    /// <summary>Names of what is remembered of every weight.</summary>
    protected abstract ImmutableArray<string> State { get; }

    /// <summary>Changes all weights in place.</summary>
    public void Step(ImmutableArray<TrainedWeight> weights, double learningRate)
    {
        Steps++;
        foreach (TrainedWeight weight in weights)
            Step(
                weight.Value.Values,
                weight.Gradient.Values,
                MemoryOf(weight.Name, weight.Value.Shape),
                learningRate,
                Decay.Of(weight.Constant.Role)
            );
    }

    /// <summary>Changes one weight. The gradient may be used as scratch.</summary>
    protected abstract void Step(Span<float> w, Span<float> g, ImmutableArray<Tensor<float>> memory, double learningRate, double decay);

    /// <summary>All that is remembered, by <c>memory/weight</c>.</summary>
    public IEnumerable<KeyValuePair<string, Tensor<float>>> Save() =>
        _memory.SelectMany(entry => entry.Value.Select((tensor, k) => KeyValuePair.Create($"{State[k]}/{entry.Key}", tensor)));

    /// <summary>Takes up where another one of the same kind stopped.</summary>
    /// <exception cref="BadInputException">The memory of a weight is missing.</exception>
    public void Restore(int steps, ImmutableArray<TrainedWeight> weights, IReadOnlyDictionary<string, Tensor<float>> saved)
    {
        Steps = steps;
        foreach (TrainedWeight weight in weights)
            _memory[weight.Name] =
            [
                .. State.Select(name =>
                    saved.TryGetValue($"{name}/{weight.Name}", out Tensor<float>? tensor) && tensor.Shape == weight.Value.Shape
                        ? tensor.Clone()
                        : throw new BadInputException($"The checkpoint does not know the {name} of '{weight.Name}'.")
                ),
            ];
    }

    private ImmutableArray<Tensor<float>> MemoryOf(string name, Shape shape)
    {
        if (!_memory.TryGetValue(name, out ImmutableArray<Tensor<float>> memory))
            _memory[name] = memory = [.. State.Select(_ => new Tensor<float>(shape))];
        return memory;
    }
}
