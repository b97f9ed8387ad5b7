using FsCheck.Fluent;
using Tensorial.Operations;

namespace Tensorial.Tests.Operations;

public class BroadcastingTests
{
    [Fact]
    public void Operands_stretch_as_naive_loops_say() =>
        Prop.ForAll<int>(static seed =>
            {
                (Shape x, Shape y) = Pair(new Random(seed));
                Tensor<long> a = Some.Whole<long>(x, seed),
                    b = Some.Whole<long>(y, seed + 1);
                AssertLoops(new Sub(), a, b, static (p, q) => p - q);
                AssertLoops(new Max(), a, b, Math.Max);
                AssertLoops(new Less(), a, b, static (p, q) => p < q);
            })
            .Holds();

    [Fact]
    public void A_choice_stretches_all_three_operands() =>
        Prop.ForAll<int>(static seed =>
            {
                Random random = new(seed);
                (Shape x, Shape y) = Pair(random);
                Tensor<float> a = Some.Whole<float>(x, seed),
                    b = Some.Whole<float>(y, seed + 1);
                Tensor<bool> condition = Some.Whole<sbyte>(x, seed + 2).To(ElementType.Bool).Of<bool>();
                Tensor<float> z = new Where().Apply(condition, a, b)[0].Of<float>();
                for (int i = 0; i < z.Shape.ElementCount; i++)
                {
                    int[] index = Some.Index(z.Shape, i);
                    Assert.Equal(Some.At(condition, index) ? Some.At(a, index) : Some.At(b, index), z.Values[i]);
                }
            })
            .Holds();

    /// <summary>Pieces and runs of every kind: longer than a piece, constant on either side, short inner runs.</summary>
    [Theory]
    [
        InlineData("40000", "40000"),
        InlineData("40000", "1"),
        InlineData("1", "40000"),
        InlineData("3,20000", "3,1"),
        InlineData("3,1", "1,20000")
    ]
    [InlineData("20000,3", "3"), InlineData("20000,3", "20000,1"), InlineData("", ""), InlineData("2,3", ""), InlineData("0,3", "3")]
    public void Long_and_short_runs_agree_with_naive_loops(string left, string right)
    {
        Tensor<float> x = Some.Whole<float>(Parse(left), 1),
            y = Some.Whole<float>(Parse(right), 2);
        AssertLoops(new Mul(), x, y, static (p, q) => p * q);
    }

    [Fact]
    public void Extents_that_do_not_stretch_are_named()
    {
        ShapeException error = Assert.Throws<ShapeException>(() => Broadcasting.Join([2, 3], [4, 3]));
        Assert.Contains("2×3 and 4×3", error.Message, StringComparison.Ordinal);
    }

    private static (Shape, Shape) Pair(Random random)
    {
        Shape whole = Some.Shape(random);
        return (Shrunk(whole, random), Shrunk(whole, random));
    }

    /// <summary>The shape with some extents 1 and some outer axes left out.</summary>
    private static Shape Shrunk(Shape shape, Random random) =>
        [.. shape.Select(extent => random.Next(3) == 0 ? 1 : extent).Skip(random.Next(shape.Rank + 1))];

    private static void AssertLoops<T, TResult>(Operation operation, Tensor<T> x, Tensor<T> y, Func<T, T, TResult> f)
        where T : unmanaged
        where TResult : unmanaged
    {
        Tensor<TResult> z = operation.Apply(x, y)[0].Of<TResult>();
        for (int i = 0; i < z.Shape.ElementCount; i++)
        {
            int[] index = Some.Index(z.Shape, i);
            Assert.Equal(f(Some.At(x, index), Some.At(y, index)), z.Values[i]);
        }
    }

    private static Shape Parse(string text) => [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
}
