using Tensorial.LinearAlgebra;

namespace Tensorial.Tests.LinearAlgebra;

/// <summary>Minima that are known in closed form.</summary>
public class LimitedMemoryBfgsTests
{
    /// <summary>Σ (1 - x₂ₖ)² + 100 (x₂ₖ₊₁ - x₂ₖ²)² has its minimum 0 where all are 1.</summary>
    [Fact]
    public void The_valley_of_Rosenbrock_is_walked_to_its_end()
    {
        double[] x = [.. Enumerable.Range(0, 20).Select(static k => k % 2 == 0 ? -1.2 : 1)];
        double value = LimitedMemoryBfgs.Minimise(Rosenbrock, x, 1000, tolerance: 1e-14);
        Assert.InRange(value, 0, 1e-12);
        Assert.All(x, static entry => Assert.Equal(1, entry, 1e-5));
    }

    /// <summary>½ xᵀAx - bᵀx with A = diag(1 … 10⁴): the minimum solves Ax = b.</summary>
    [Fact]
    public void A_quadratic_form_is_solved()
    {
        const int n = 50;
        double[] a = [.. Enumerable.Range(0, n).Select(static k => Math.Pow(10, 4.0 * k / (n - 1)))],
            b = [.. Enumerable.Range(0, n).Select(static k => Math.Sin(k + 1))],
            x = new double[n];
        LimitedMemoryBfgs.Minimise(
            (at, gradient) =>
            {
                double value = 0;
                for (int k = 0; k < n; k++)
                {
                    gradient[k] = a[k] * at[k] - b[k];
                    value += 0.5 * a[k] * at[k] * at[k] - b[k] * at[k];
                }
                return value;
            },
            x,
            2000,
            tolerance: 1e-15
        );
        for (int k = 0; k < n; k++)
            Assert.Equal(b[k] / a[k], x[k], 1e-4);
    }

    [Fact]
    public void It_never_ends_higher_than_it_began_and_keeps_to_its_steps()
    {
        double[] start = [-1.2, 1],
            gradient = new double[2];
        double before = Rosenbrock(start, gradient);
        for (int iterations = 0; iterations < 12; iterations++)
        {
            double[] x = [.. start];
            double value = LimitedMemoryBfgs.Minimise(Rosenbrock, x, iterations);
            Assert.InRange(value, 0, before);
            Assert.Equal(Rosenbrock(x, gradient), value, 1e-12);
            before = value;
        }
    }

    private static double Rosenbrock(ReadOnlySpan<double> x, Span<double> gradient)
    {
        double value = 0;
        for (int k = 0; k < x.Length; k += 2)
        {
            double one = 1 - x[k],
                other = x[k + 1] - x[k] * x[k];
            value += one * one + 100 * other * other;
            gradient[k] = -2 * one - 400 * x[k] * other;
            gradient[k + 1] = 200 * other;
        }
        return value;
    }
}
