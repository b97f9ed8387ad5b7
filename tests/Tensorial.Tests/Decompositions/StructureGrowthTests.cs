using System.Numerics.Tensors;
using Tensorial.Decompositions;
using Tensorial.Equations;

namespace Tensorial.Tests.Decompositions;

/// <summary>Networks with shared bonds and loops, planted in noise and grown again.</summary>
public class StructureGrowthTests
{
    private const double Noise = 0.03;

    /// <summary>One bond that three factors share; each of its terms with a matrix of rank two; a loop of three factors.</summary>
    [Theory]
    [InlineData("ri,rhw,or->oihw", "5", 1), InlineData("ri,rhw,or->oihw", "6", 2)]
    [InlineData("rsi,rhw,ors->oihw", "3 2", 1), InlineData("rsi,rhw,ors->oihw", "4 2", 2)]
    [InlineData("rti,rshw,ost->oihw", "2 2 2", 1), InlineData("rti,rshw,ost->oihw", "2 2 2", 2)]
    public void What_was_planted_is_as_good_as_found(string equation, string ranks, int seed)
    {
        Shape shape = [12, 10, 3, 3];
        int[] extents = [.. ranks.Split(' ').Select(int.Parse)];
        (Tensor<double> kernel, long parameters) = Planted(equation, extents, shape, seed);

        FoundStructure found =
            StructureGrowth.Of(new(kernel, KernelMetric.Plain), (parameters + 0.5) / shape.ElementCount)
            ?? throw new InvalidOperationException("nothing was found");

        Assert.True(found.Parameters <= parameters, $"{found.Form.Format} takes {found.Parameters} of {parameters}");
        // With the planted factors the noise is left.
        Assert.True(found.Error < 1.5 * Noise, $"{found.Form.Format} {string.Join('×', found.Ranks)} leaves {found.Error}");
    }

    [Fact]
    public void A_network_that_is_found_can_be_named_and_fitted()
    {
        Shape shape = [12, 10, 3, 3];
        (Tensor<double> kernel, _) = Planted("rsi,rhw,ors->oihw", [3, 2], shape, 3);
        FoundStructure found = StructureGrowth.Of(new(kernel, KernelMetric.Plain), 0.2)!;

        KernelFormat format = KernelFormat.Parse(found.Form.Format.ToString());
        TensorFactors<double> fit = KernelFactorization.Fit(kernel, format, found.Ranks);
        Assert.Equal(found.Parameters, fit.Factors.Sum(static factor => (long)factor.Shape.ElementCount));
        Assert.InRange(fit.RelativeError, 0, 0.2);
    }

    [Fact]
    public void Kernels_that_are_too_large_for_a_descent_are_left_alone() =>
        Assert.Null(StructureGrowth.Of(new(new([256, 256, 3, 3]), KernelMetric.Plain), 0.25));

    private static (Tensor<double> Kernel, long Parameters) Planted(string text, int[] ranks, Shape shape, int seed)
    {
        Random random = new(seed);
        Equation equation = Equation.Parse(text);
        Dictionary<char, int> extents = "oihw".Zip(shape).ToDictionary(static pair => pair.First, static pair => pair.Second);
        foreach (
            (char bond, int rank) in equation
                .Inputs.SelectMany(static axes => axes)
                .Distinct()
                .Where(axis => !extents.ContainsKey(axis))
                .Order()
                .Zip(ranks)
        )
            extents.Add(bond, rank);
        Tensor<double>[] factors =
        [
            .. equation.Inputs.Select(axes =>
            {
                Tensor<double> factor = new(Shape.From([.. axes.Select(axis => extents[axis])]));
                foreach (ref double value in factor.Values)
                    value = random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5;
                return factor;
            }),
        ];
        Tensor<double> kernel = Contraction.Evaluate<double>(equation, factors, Tensorial.Kernels.Workers.Serial);
        double norm = TensorPrimitives.Norm<double>(kernel.Values);
        Tensor<double> noise = new(shape);
        foreach (ref double value in noise.Values)
            value = random.NextDouble() - 0.5;
        double scale = Noise * norm / TensorPrimitives.Norm<double>(noise.Values);
        for (int k = 0; k < kernel.Values.Length; k++)
            kernel.Values[k] += scale * noise.Values[k];
        return (kernel, factors.Sum(static factor => (long)factor.Shape.ElementCount));
    }
}
