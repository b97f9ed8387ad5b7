using System.Collections.Immutable;
using Tensorial.Kernels;
using Tensorial.Operations;

namespace Tensorial.Tests.Operations;

/// <summary>Gradients against finite differences in float64.</summary>
internal static class GradientCheck
{
    /// <summary>The second where the first steps over a kink, as between two operands of a minimum that are nearly equal.</summary>
    private static readonly double[] Steps = [1e-4, 1e-6];

    /// <summary>
    /// For L = Σ g y with random g, compares ∂L/∂x along a random direction with the central difference of fourth order, for every operand
    /// that has a gradient. Operands and results that the gradient does not declare to read are withheld from it, and what it adds to is
    /// not 0.
    /// </summary>
    public static void Agrees(Operation operation, Tensor?[] inputs, int seed = 0)
    {
        Tensor[] outputs = operation.Apply(inputs);
        Tensor?[] upstream = [.. outputs.Select((y, k) => y is Tensor<double> && k == 0 ? Some.Real<double>(y.Shape, 100 + seed) : null)];
        for (int i = 0; i < inputs.Length; i++)
        {
            if (inputs[i] is not Tensor<double> x || operation.GradientReads(i) is not { } reads)
                continue;
            Tensor<double> direction = Some.Real<double>(x.Shape, 200 + seed),
                gradient = Some.Real<double>(x.Shape, 300 + seed),
                before = gradient.Clone();
            Tensor?[] gradients = new Tensor?[inputs.Length];
            gradients[i] = gradient;
            operation.Backward(Pullback(inputs, outputs, upstream, gradients, reads), Workers.Serial);

            double along = 0,
                size = 0;
            for (int j = 0; j < x.Shape.ElementCount; j++)
            {
                double product = (gradient.Values[j] - before.Values[j]) * direction.Values[j];
                (along, size) = (along + product, size + Math.Abs(product));
            }
            int input = i;
            double At(double step) =>
                Loss(operation, [.. inputs.Select((value, k) => k == input ? Moved(x, direction, step) : value)], upstream);
            double[] differences = [.. Steps.Select(h => (8 * (At(h) - At(-h)) - (At(2 * h) - At(-2 * h))) / (12 * h))];
            Assert.True(
                differences.Any(difference => Math.Abs(along - difference) <= 1e-6 * Math.Max(size, 1e-2)),
                $"{operation}, operand {i} of {string.Join(" and ", inputs.Select(static t => t?.Shape.ToString() ?? "-"))}: {along:R} instead of {differences[0]:R}."
            );
        }
    }

    private static Pullback Pullback(Tensor?[] inputs, Tensor[] outputs, Tensor?[] upstream, Tensor?[] gradients, Reads reads) =>
        new(
            inputs.Select(static t => t?.Shape ?? []).ToArray(),
            inputs.Select((t, i) => reads.IncludesInput(i) ? t : null).ToArray(),
            outputs.Select((t, k) => reads.IncludesOutput(k) ? t : null).ToArray(),
            upstream,
            gradients
        );

    private static double Loss(Operation operation, Tensor?[] inputs, Tensor?[] upstream)
    {
        Tensor[] outputs = operation.Apply(inputs);
        double loss = 0;
        for (int k = 0; k < outputs.Length; k++)
            if (upstream[k] is Tensor<double> g)
                for (int j = 0; j < g.Shape.ElementCount; j++)
                    loss += g.Values[j] * outputs[k].Of<double>().Values[j];
        return loss;
    }

    private static Tensor<double> Moved(Tensor<double> x, Tensor<double> direction, double step) =>
        new(x.Shape, x.Values.ToArray().Select((value, j) => value + step * direction.Values[j]).ToArray());
}

/// <summary>
/// Operands for gradient checks: no two values are equal, nor at a kink, by much more than a finite difference moves them.
/// </summary>
internal sealed class RandomOperands(int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>Values from low to high, all different, in random order.</summary>
    public Tensor<double> Spread(Shape shape, double low = -2, double high = 2)
    {
        double[] values = [.. Enumerable.Range(0, shape.ElementCount).Select(i => low + (high - low) * (i + 0.37) / shape.ElementCount)];
        _random.Shuffle(values);
        return new(shape, values);
    }

    public Shape Shape(int leastRank = 0) => Some.Shape(_random, leastRank);

    public int Next(int low, int past) => _random.Next(low, past);

    public bool Coin() => _random.Next(2) == 0;

    /// <summary>A shape that stretches to another one: some outer axes absent, some extents 1.</summary>
    public Shape Narrowed(Shape shape) => [.. shape.Skip(_random.Next(shape.Rank + 1)).Select(extent => _random.Next(3) == 0 ? 1 : extent)];

    /// <summary>Some of the axes, at least one, some of them counted from the end.</summary>
    public ImmutableArray<int> Axes(int rank)
    {
        ImmutableArray<int> some = [.. Enumerable.Range(0, rank).Where(_ => Coin()).Select(axis => Coin() ? axis : axis - rank)];
        return some.IsEmpty ? [0] : some;
    }

    public Tensor<long> Indices(Shape shape, int extent) =>
        new(shape, Enumerable.Range(0, shape.ElementCount).Select(_ => (long)_random.Next(-extent, extent)).ToArray());
}
