using FsCheck.Fluent;
using Tensorial.Equations;
using Tensorial.Kernels;

namespace Tensorial.Tests.Equations;

public class ContractionTests
{
    [Fact]
    public void Every_equation_is_its_definition() =>
        Prop.ForAll(
                RandomEquation.Seeds,
                static seed =>
                {
                    RandomEquation made = RandomEquation.Of(seed);
                    Tensor<double>[] operands = made.WholeOperands(seed);
                    Tensor<double> expected = BruteForce.Evaluate(made.Equation, operands),
                        got = Contraction.Evaluate<double>(made.Equation, operands, Workers.Serial);
                    Assert.Equal(expected.Shape, got.Shape);
                    Assert.True(expected.Values.SequenceEqual(got.Values), made.ToString());
                }
            )
            .Holds();
}
