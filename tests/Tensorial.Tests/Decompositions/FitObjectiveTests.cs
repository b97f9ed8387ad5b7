using Tensorial.Decompositions;
using Tensorial.Kernels;

namespace Tensorial.Tests.Decompositions;

/// <summary>The functions that fits descend on: their gradients against finite differences, damping included.</summary>
public class FitObjectiveTests
{
    [Theory, InlineData("cp"), InlineData("cp3"), InlineData("tucker2"), InlineData("tr"), InlineData("spatial-svd")]
    public void The_gradient_by_the_inner_factors_is_that_of_the_value(string name)
    {
        Tensor<double> kernel = Some.Noise([5, 4, 3, 3], 1);
        KernelForm form = KernelForm.From(KernelFormat.Parse(name), kernel.Shape);
        FitObjective objective = new(kernel, form.Tensor, form.RanksAt(0.5), Metric(36, 5), Workers.Serial, default);
        AssertGradient(objective.Evaluate, form.Tensor.FactorShapes(kernel.Shape, form.RanksAt(0.5).AsSpan())[..^1].Sum(Count));
    }

    [Theory, InlineData("rcp:2"), InlineData("rtt:2")]
    public void The_gradient_by_all_factors_is_that_of_the_value(string name)
    {
        Tensor<double> kernel = Some.Noise([6, 4, 3, 3], 1);
        KernelForm form = KernelForm.From(KernelFormat.Parse(name), kernel.Shape);
        FoldedObjective objective = new(kernel, form, form.RanksAt(0.5), Metric(36, 6), default);
        AssertGradient(objective.Evaluate, form.Tensor.FactorShapes(form.Folding.Folded, form.RanksAt(0.5).AsSpan()).Sum(Count));
    }

    private delegate double Objective(ReadOnlySpan<double> point, Span<double> gradient);

    private static void AssertGradient(Objective objective, int count)
    {
        const double Step = 1e-6;
        double[] point = Some.Noise([count], 2).Values.ToArray(),
            gradient = new double[count],
            unused = new double[count];
        objective(point, gradient);
        // Damping is small beside the error: a gradient without its part fails this by orders of magnitude.
        double largest = gradient.Max(Math.Abs);
        for (int k = 0; k < count; k++)
        {
            (double[] above, double[] below) = ([.. point], [.. point]);
            (above[k], below[k]) = (point[k] + Step, point[k] - Step);
            double difference = (objective(above, unused) - objective(below, unused)) / (2 * Step);
            Assert.InRange(Math.Abs(difference - gradient[k]), 0, 1e-7 * Math.Max(1, largest));
        }
    }

    private static KernelMetric Metric(int columns, int outputs)
    {
        Tensor<double> root = Some.Noise([columns, columns], 3),
            covariance = new([columns, columns]);
        for (int row = 0; row < columns; row++)
        for (int column = 0; column < columns; column++)
        for (int k = 0; k < columns; k++)
            covariance.Values[row * columns + column] += root.Values[row * columns + k] * root.Values[column * columns + k] / columns;
        return new(KernelMetric.Regularised(covariance), [.. Enumerable.Range(1, outputs).Select(static k => (double)k)]);
    }

    private static int Count(Shape shape) => shape.ElementCountOf(0, shape.Rank);
}
