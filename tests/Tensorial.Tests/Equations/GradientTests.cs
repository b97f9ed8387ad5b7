using FsCheck.Fluent;
using Tensorial.Equations;
using Tensorial.Kernels;

namespace Tensorial.Tests.Equations;

public class GradientTests
{
    /// <summary>An equation is linear in each operand, so a central difference of any width is its derivative but for rounding.</summary>
    [Fact]
    public void Gradients_are_finite_differences() =>
        Prop.ForAll(
                RandomEquation.Seeds,
                static seed =>
                {
                    RandomEquation made = RandomEquation.Of(seed);
                    Tensor<double>[] operands = made.Operands(seed);
                    EquationValue<double> evaluation = Plan.Create(made.Equation, null, made.Shapes).Evaluate<double>(operands);
                    Tensor<double> upstream = Operations.Some.Real<double>(evaluation.Result.Shape, seed + 50);
                    Tensor<double>?[] gradients = evaluation.Gradients(upstream);
                    for (int i = 0; i < operands.Length; i++)
                    {
                        Assert.Equal(operands[i].Shape, gradients[i]!.Shape);
                        double scale = gradients[i]!.Values.ToArray().Max(Math.Abs);
                        for (int k = 0; k < operands[i].Shape.ElementCount; k++)
                            Assert.InRange(
                                Difference(made.Equation, operands, i, k, upstream) - gradients[i]!.Values[k],
                                -1e-6 * scale,
                                1e-6 * scale
                            );
                    }
                }
            )
            .Holds();

    [Fact]
    public void An_adjoint_plan_and_the_way_back_agree() =>
        Prop.ForAll(
                RandomEquation.Seeds,
                static seed =>
                {
                    RandomEquation made = RandomEquation.Of(seed);
                    Plan plan = Plan.Create(made.Equation, null, made.Shapes);
                    long enough = Enumerable
                        .Range(0, made.Shapes.Length)
                        .Select(i => plan.Adjoint(i).PeakElements)
                        .Append(plan.PeakElements)
                        .Max();
                    Plan scarce = Plan.Create(made.Equation, new() { MemoryLimit = enough }, made.Shapes);
                    Tensor<double>[] operands = made.WholeOperands(seed);
                    Tensor<double> upstream = Operations.Some.Whole<double>(plan.Result, seed + 50);
                    Tensor<double>?[] shared = plan.Evaluate<double>(operands).Gradients(upstream),
                        anew = scarce.Evaluate<double>(operands).Gradients(upstream);
                    for (int i = 0; i < operands.Length; i++)
                    {
                        Tensor<double>[] others = [.. operands];
                        others[i] = upstream;
                        Tensor<double> own = plan.Adjoint(i).Run<double>(others);
                        Assert.True(
                            own.Values.SequenceEqual(shared[i]!.Values) && own.Values.SequenceEqual(anew[i]!.Values),
                            $"{made}, operand {i}"
                        );
                        // ⟨f(…, x, …), g⟩ = ⟨x, f*(…, g, …)⟩, exactly for whole numbers.
                        Assert.Equal(Dot(plan.Run<double>(operands), upstream), Dot(operands[i], own));
                    }
                }
            )
            .Holds();

    [Theory]
    [InlineData("iij->j", "3,3,4")]
    [InlineData("ij->i", "3,4")]
    [InlineData("ij->ji", "3,4")]
    [InlineData("iik,kj->ij", "3,3,2;2,4")]
    [InlineData("...a,...a->...", "2,3,4;1,4")]
    [InlineData("...,...b->...b", "2,1;3,4")]
    [InlineData("nx,kx->nk|x", "2,5;3,3")]
    [InlineData("nxy,kxy->n|xy[stride=2]", "2,5,4;3,3,2")]
    [InlineData("a,b,c->", "2;3;4")]
    [InlineData("x,x->x|x[circular stride=3 pad=full]", "2;2")]
    [InlineData("x,x->x|x[circular pad=full]", "2;3")]
    [InlineData("x,x->x|x[convolution stride=3 dilation=2 pad=0:2]", "3;1")]
    [InlineData("y,y,y->y|y[stride=3 dilation=2 pad=full circular]", "2;2;3")]
    [InlineData("ab->", "2,0")]
    public void Gradients_know_diagonals_stretching_and_sums(string text, string shapes)
    {
        Equation equation = Equation.Parse(text);
        Shape[] parsed = [.. shapes.Split(';').Select(static shape => Shape.From([.. shape.Split(',').Select(int.Parse)]))];
        Tensor<double>[] operands = [.. parsed.Select(static (shape, i) => Operations.Some.Whole<double>(shape, i))];
        EquationValue<double> evaluation = Plan.Create(equation, null, parsed).Evaluate<double>(operands);
        Tensor<double> upstream = Operations.Some.Whole<double>(evaluation.Result.Shape, 9);
        Tensor<double>?[] gradients = evaluation.Gradients(upstream);
        for (int i = 0; i < operands.Length; i++)
        for (int k = 0; k < operands[i].Shape.ElementCount; k++)
            Assert.Equal(Difference(equation, operands, i, k, upstream), gradients[i]!.Values[k], 1e-9);
    }

    [Fact]
    public void Only_what_is_wanted_is_computed()
    {
        Equation equation = Equation.Parse("ab,bc,cd->ad");
        Tensor<double>[] operands =
        [
            Operations.Some.Real<double>([2, 3], 1),
            Operations.Some.Real<double>([3, 4], 2),
            Operations.Some.Real<double>([4, 5], 3),
        ];
        EquationValue<double> evaluation = Plan.Create(equation, null, [.. operands.Select(static operand => operand.Shape)])
            .Evaluate<double>(operands);
        Tensor<double>?[] gradients = evaluation.Gradients(evaluation.Result, false, true, false);
        Assert.Equal([null, "3×4", null], gradients.Select(static gradient => gradient?.Shape.ToString()));
        Assert.Throws<ShapeException>(() => evaluation.Gradients(operands[0]));
        evaluation.Dispose();
        Assert.Throws<ObjectDisposedException>(() => evaluation.Gradients(evaluation.Result));
    }

    /// <summary>What moves Σ g·f as much as entry k of operand i does.</summary>
    private static double Difference(Equation equation, Tensor<double>[] operands, int i, int k, Tensor<double> upstream)
    {
        Tensor<double>[] moved = [.. operands];
        moved[i] = operands[i].Clone();
        moved[i].Values[k] += 1;
        double up = Dot(Contraction.Evaluate<double>(equation, moved, Workers.Serial), upstream);
        moved[i].Values[k] -= 2;
        return (up - Dot(Contraction.Evaluate<double>(equation, moved, Workers.Serial), upstream)) / 2;
    }

    private static double Dot(Tensor<double> x, Tensor<double> y) =>
        x.Values.ToArray().Zip(y.Values.ToArray(), static (a, b) => a * b).Sum();
}
